/* Commands, each on a channel of its own.
 *
 *   QUEUED --its turn--> OPENING --> REQUESTED --accepted--> RUNNING --EOF, CLOSE--> CLOSING
 *     | abandoned            | refused    | refused              | abandoned           ^  |
 *     v                      v            \______________________\_____________________/  v
 *    gone             gone: NO_CHANNEL                                                   gone
 *
 * One that was opened ahead (session_ahead.c) is taken instead of OPENING.
 * Channels are opened one at a time (libssh2 keeps that state in the session); requests are
 * outstanding at the same time, which the gate makes possible (session_transport.c). A command has
 * ended when both its streams are at their end and the host closed the channel: the exit status may
 * come after the end of the output. on_end comes when the channel's place at the host is free.
 *
 * Where the session has an environment for commands, REQUESTED begins with telling it, variable by
 * variable, each answered before the next goes out.
 *
 * An abandoned command goes on through the same states, silently: a channel that is being opened is
 * opened first, a request that is outstanding is answered first (else its answer would stay in
 * libssh2's queue for ever). A host that does not answer CLOSE keeps the place; the session's end
 * frees it.
 *
 * Each command is looked at once after input, and when its owner touched it. What is done while it
 * runs is in session_exec_run.c. */
#include "session_state.h"

#include <stdlib.h>

static struct session_exec *of_exec(struct exec *x)
{
    return CONTAINER_OF(x, struct session_exec, exec);
}

/* ---- what the owner asks for ---- */

int session_exec_new(struct engine *e, const char *command, const struct exec_events *events,
                     void *context, struct exec **out)
{
    struct session *s = CONTAINER_OF(e, struct session, engine);
    size_t len = strlen(command);
    if (e->stage != ENGINE_READY)
        return SCOUT_E_CONNECTION_LOST;
    if (len > EXEC_COMMAND_MAX || s->exec_count >= SSH_EXECS_MAX)
        return SCOUT_E_LIMIT;
    struct session_exec *x = calloc(1, sizeof *x);
    if (!x || !(x->command = malloc(len + 1))) {
        free(x);
        return SCOUT_E_NOMEM;
    }
    memcpy(x->command, command, len + 1);
    x->command_len = len;
    x->exec.engine = e;
    x->session = s;
    x->events = events;
    x->context = context;
    x->touched = true;
    buf_init(&x->input, EXEC_INPUT_MAX);
    buf_init(&x->held[0], SSH_EXEC_WINDOW);
    buf_init(&x->held[1], SSH_EXEC_WINDOW);
    list_append(&s->execs, &x->node);
    s->exec_count++;
    *out = &x->exec;
    return 0;
}

int session_exec_write(struct exec *exec, struct slice data)
{
    struct session_exec *x = of_exec(exec);
    int error = x->input_ended ? SCOUT_E_INVALID_ARGUMENT : buf_append(&x->input, data);
    if (!error && data.len > 0)
        x->touched = x->draining = true;
    return error;
}

void session_exec_end_input(struct exec *exec)
{
    struct session_exec *x = of_exec(exec);
    x->input_ended = x->touched = true;
}

void session_exec_pause(struct exec *exec, bool paused)
{
    struct session_exec *x = of_exec(exec);
    x->paused = paused;
    x->touched = true;
}

void session_exec_abandon(struct exec *exec)
{
    struct session_exec *x = of_exec(exec);
    x->abandoned = x->touched = true;
}

/* ---- its end ---- */

static void free_exec(struct session_exec *x)
{
    list_remove(&x->node);
    x->session->exec_count--;
    buf_fini(&x->input);
    buf_fini(&x->held[0]);
    buf_fini(&x->held[1]);
    free(x->command);
    free(x);
}

/* The last of it: nothing of `x` may be used afterwards. */
static void finish(struct session_exec *x)
{
    struct exec_result result = x->result;
    const struct exec_events *events = x->abandoned ? NULL : x->events;
    void *context = x->context;
    free_exec(x);
    if (events)
        events->on_end(context, &result);
}

void session_execs_fail(struct session *s)
{
    while (!list_empty(&s->execs)) {
        struct session_exec *x = CONTAINER_OF(s->execs.next, struct session_exec, node);
        if (!(x->state == EXEC_CLOSING && !x->result.error)) /* one that ended keeps its result */
            x->result.error = SCOUT_E_CONNECTION_LOST;
        finish(x);
    }
}

/* ---- its way to the host ---- */

static bool fail_without_channel(struct session_exec *x)
{
    x->result.error = SCOUT_E_NO_CHANNEL;
    finish(x);
    return true;
}

static bool step_opening(struct session_exec *x)
{
    struct session *s = x->session;
    enum channel_verdict v = session_channel_open(s, &x->channel, x, SSH_EXEC_WINDOW);
    if (v == CHANNEL_DONE)
        return session_exec_enter(x, x->abandoned ? EXEC_CLOSING : EXEC_REQUESTED);
    if (v != CHANNEL_REFUSED)
        return false;
    /* A bare anchor makes way. And sshd counts a channel until its loop comes round after our
     * CLOSE: a place that came free just now is asked for once more. */
    if (!x->asked_again && !x->abandoned && (session_anchor_yield(s) || s->place_came_free)) {
        x->asked_again = true;
        return session_exec_enter(x, EXEC_QUEUED);
    }
    return fail_without_channel(x);
}

static bool step_queued(struct session_exec *x)
{
    struct session *s = x->session;
    if (x->abandoned) {
        finish(x);
        return true;
    }
    if (session_ahead_take(s, &x->channel))
        return session_exec_enter(x, EXEC_REQUESTED);
    if (s->opener || s->anchor.state == ANCHOR_CLOSING)
        return false;
    if (s->engine.channels_max && s->engine.channels >= s->engine.channels_max)
        return fail_without_channel(x);
    x->state = EXEC_OPENING;
    step_opening(x); /* at once: it takes the session's one open, and counts */
    return true;
}

static bool step_requested(struct session_exec *x)
{
    struct session *s = x->session;
    enum channel_verdict v = session_channel_environment(s, &x->channel);
    if (v == CHANNEL_DONE && x->abandoned && !x->result.requested)
        return session_exec_enter(x, EXEC_CLOSING); /* it was not asked for yet */
    if (v == CHANNEL_DONE) {
        x->result.requested = true;
        v = session_channel_request(s, &x->channel, "exec", x->command, x->command_len);
    }
    if (v != CHANNEL_DONE && v != CHANNEL_REFUSED)
        return false;
    if (v == CHANNEL_REFUSED) {
        x->result.error = SCOUT_E_EXEC_REFUSED;
        x->result.requested = false;
    }
    session_exec_enter(x, v == CHANNEL_REFUSED || x->abandoned ? EXEC_CLOSING : EXEC_RUNNING);
    if (x->state == EXEC_RUNNING && x->events->on_started)
        x->events->on_started(x->context);
    return true;
}

/* ---- the turn ---- */

static bool step_closing(struct session_exec *x)
{
    struct engine *e = &x->session->engine;
    size_t before = buf_len(&e->out);
    if (session_channel_free(x->session, &x->channel) != CHANNEL_DONE)
        return false;
    e->out_idle += buf_len(&e->out) - before;
    finish(x);
    return true;
}

static bool step_exec(struct session_exec *x)
{
    switch (x->state) {
    case EXEC_QUEUED:
        return step_queued(x);
    case EXEC_OPENING:
        return step_opening(x);
    case EXEC_REQUESTED:
        return step_requested(x);
    case EXEC_RUNNING:
        return session_exec_run(x);
    case EXEC_CLOSING:
        return step_closing(x);
    }
    return false;
}

/* Whether something can have changed for it. Those that wait for a channel depend on each other. */
static bool is_due(const struct session_exec *x)
{
    return x->touched || x->seen != x->session->inputs || x->state == EXEC_QUEUED ||
           x->state == EXEC_OPENING;
}

bool session_execs_step(struct session *s)
{
    bool progress = false;
    for (struct list *n = s->execs.next, *next; n != &s->execs && !session_ended(s); n = next) {
        struct session_exec *x = CONTAINER_OF(n, struct session_exec, node);
        next = n->next; /* only the one that is looked at is ever freed */
        if (!session_has_room(s))
            break;
        if (!is_due(x))
            continue;
        x->seen = s->inputs;
        x->touched = false;
        progress = step_exec(x) || progress;
    }
    return progress;
}
