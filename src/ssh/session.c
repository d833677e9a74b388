/* The engine over libssh2: its table, its stages, and the turn that everything runs in.
 *
 *   HANDSHAKE --host key known--> AUTHENTICATING --accepted--> CHANNEL --anchor stands--> READY
 *        \____________________________\__________________________\_____________________/
 *                                      any error: ENDED
 *
 * A turn (step): RECV has a budget, so that one busy host does not hold up the others; what is left
 * is taken in the next turn. From the first channel on, each round of a turn drains once (the gate,
 * session_transport.c), then looks at the anchor and at each command that can have got further;
 * rounds follow each other while one of them did. No call is made unless `out` is below its high
 * mark, which bounds memory, since SEND cannot refuse.
 *
 * The end is noted where it is met (session_end) and carried out at the end of the turn, so that
 * nothing is freed under a caller's feet. */
#include "session_guard.h"
#include "session_state.h"

#include <stdlib.h>

#define IN_MUCH (64u * 1024u) /* bytes that wait: more are on their way */

static struct session *of_engine(const struct engine *e)
{
    return CONTAINER_OF(e, struct session, engine);
}

void session_end(struct session *s, int error)
{
    s->engine.failure.error = error;
    s->engine.failure.stage = engine_stage_name(s->engine.stage);
    s->engine.stage = ENGINE_ENDED;
}

/* Whatever waits is told that the session ended. */
static void answer_all(struct session *s)
{
    sftp_fail(s->engine.sftp, SCOUT_E_CONNECTION_LOST);
    session_execs_fail(s);
    session_forwards_fail(s);
}

static void engine_free_session(struct engine *e)
{
    struct session *s = of_engine(e);
    if (!session_ended(s))
        session_end(s, failure_set(&e->failure, SCOUT_E_CONNECTION_LOST,
                                   "The connection to %s was closed", s->config.name));
    if (e->sftp)
        answer_all(s);
    sftp_free(e->sftp);
    session_transport_free(s);
    session_auth_fini(&s->auth);
    buf_fini(&s->in);
    buf_fini(&e->out);
    free(s);
}

static int feed(struct engine *e, struct slice data)
{
    struct session *s = of_engine(e);
    s->received += data.len;
    if (buf_len(&s->in) >= IN_MUCH && s->in.size < 2 * ENGINE_IN_HIGH) /* it is to grow once */
        buf_expect(&s->in, 2 * ENGINE_IN_HIGH - buf_len(&s->in));
    return buf_append(&s->in, data);
}

static void feed_end(struct engine *e, int error)
{
    struct session *s = of_engine(e);
    s->in_ended = true;
    s->in_error = error;
}

static bool wants_input(const struct engine *e)
{
    return buf_len(&of_engine(e)->in) < ENGINE_IN_HIGH;
}

static bool step_channels(struct session *s)
{
    bool progress = session_drain(s) && s->recv_budget > 0 && buf_len(&s->in) > 0;
    if (s->broken && !session_hung_up(s)) {
        session_end_by_libssh2(s, s->broken); /* libssh2 would read on behind the bad packet */
        return false;
    }
    progress = session_anchor_step(s) || progress;
    progress = session_execs_step(s) || progress;
    progress = session_forwards_step(s) || progress;
    if (!session_ended(s) && session_has_room(s))
        progress = session_ahead_step(s) || progress;
    if (progress && session_has_room(s))
        return true; /* also at the end of the input: what came before it is delivered first */
    if (s->broken)
        session_end_by_libssh2(s, s->broken);
    else if (!s->gate && s->in_ended && !s->opener)
        session_end_by_libssh2(s, LIBSSH2_ERROR_SOCKET_RECV); /* no channel to learn it from */
    return progress;
}

static bool step_stage(struct session *s)
{
    switch (s->engine.stage) {
    case ENGINE_HANDSHAKE:
        return session_handshake(s);
    case ENGINE_AUTHENTICATING:
        return session_authenticate(s);
    case ENGINE_CHANNEL:
    case ENGINE_READY:
        return step_channels(s);
    case ENGINE_ENDED:
        break;
    }
    return false;
}

static void run_turn(void *context)
{
    struct session *s = context;
    bool progress = true;
    s->recv_budget = SSH_RECV_BUDGET;
    while (progress && !session_ended(s) && session_has_room(s)) {
        s->gate = false;
        progress = step_stage(s);
    }
}

static bool step(struct engine *e)
{
    struct session *s = of_engine(e);
    if (session_ended(s))
        return false;
    s->asserted = !session_guard(run_turn, s);
    if (s->asserted && !session_ended(s))
        session_end(s, failure_set(&e->failure, SCOUT_E_SSH_PROTOCOL,
                                   "%s sent a packet that libssh2 %s cannot cope with",
                                   s->config.name, libssh2_version(0)));
    if (session_ended(s)) {
        answer_all(s);
        return false;
    }
    buf_relax(&s->in);
    return s->recv_budget == 0 && buf_len(&s->in) > 0 && session_has_room(s);
}

static void signed_by_owner(struct engine *e, struct slice signature)
{
    session_auth_signed(of_engine(e), signature);
}

static void host_key_settled(struct engine *e, const struct failure *why)
{
    session_host_key_settled(of_engine(e), why);
}

static bool ping(struct engine *e)
{
    return session_anchor_ping(of_engine(e));
}

static const struct engine_ops ops = {
    .free = engine_free_session,
    .feed = feed,
    .feed_end = feed_end,
    .wants_input = wants_input,
    .step = step,
    .signed_by_owner = signed_by_owner,
    .ping = ping,
    .goodbye = session_goodbye,
    .exec = session_exec_new,
    .exec_write = session_exec_write,
    .exec_end_input = session_exec_end_input,
    .exec_pause = session_exec_pause,
    .exec_abandon = session_exec_abandon,
    .open_ahead = session_open_ahead,
    .host_key_settled = host_key_settled,
    .forward = session_forward_new,
    .forward_flush = session_forward_flush,
    .forward_pause = session_forward_pause,
    .forward_close = session_forward_close,
};

int ssh_session_new(struct engine **out, const struct engine_config *config)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        return SCOUT_E_NOMEM;
    s->engine.ops = &ops;
    s->config = *config;
    list_init(&s->memory);
    list_init(&s->execs);
    list_init(&s->forwards);
    buf_init(&s->in, ENGINE_IN_MAX);
    buf_init(&s->engine.out, ENGINE_OUT_MAX);
    session_auth_init(&s->auth);
    s->anchor.state = config->no_anchor ? ANCHOR_NONE : ANCHOR_OPENING;
    s->anchor.unwanted = config->no_anchor;
    int error = sftp_new(&s->engine.sftp, SSH_SFTP_OUT_MAX);
    if (!error)
        error = sftp_start(s->engine.sftp, session_sftp_ready, s);
    if (!error)
        error = session_transport_new(s);
    if (error) {
        engine_free(&s->engine);
        return error;
    }
    *out = &s->engine;
    return 0;
}
