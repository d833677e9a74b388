/* The client's side of the toy protocol, as an engine: its stages and the anchor channel.
 *
 * It behaves as scout/ssh/engine.h asks and as the real session does, where the pool can tell the
 * difference. Commands are in scripted_exec.c. */
#include "scripted_engine.h"

#include <assert.h>
#include <stdlib.h>

#define STEP_BYTES 65536u /* of input taken in one step */
#define SFTP_OUT   (1024u * 1024u)

void scripted_say(struct scripted *s, enum toy_type type, uint32_t channel, struct slice bytes)
{
    bool done = toy_put(&s->engine.out, type, channel, bytes);
    assert(done); /* as with the real one, there is room for what a step says */
}

void scripted_tell(struct scripted *s, enum toy_type type, uint32_t channel)
{
    scripted_say(s, type, channel, slice_of("", 0));
}

void scripted_end(struct scripted *s, int error, const char *text)
{
    struct engine *e = &s->engine;
    if (e->stage == ENGINE_ENDED)
        return;
    failure_set(&e->failure, error, "%s: %s", s->config.name, text);
    e->failure.stage = engine_stage_name(e->stage);
    e->stage = ENGINE_ENDED;
}

static void fail_all(struct scripted *s)
{
    sftp_fail(s->engine.sftp, SCOUT_E_CONNECTION_LOST);
    scripted_execs_fail(s);
}

/* ---- frames ---- */

static void on_sftp_ready(void *context, int error)
{
    struct scripted *s = context;
    if (error == 0) {
        s->engine.has_sftp = true;
        s->engine.stage = ENGINE_READY;
    }
}

static void take_anchor(struct scripted *s, const struct toy_frame *f)
{
    struct engine *e = &s->engine;
    switch (f->type) {
    case TOY_OPEN:
        if (!s->at_once)
            scripted_tell(s, TOY_SUBSYSTEM, TOY_ANCHOR);
        break;
    case TOY_SUBSYSTEM:
        if (!s->at_once && sftp_start(e->sftp, on_sftp_ready, s) != 0)
            scripted_end(s, SCOUT_E_NOMEM, "no memory");
        break;
    case TOY_EXEC_REFUSED: /* no SFTP: the anchor stays bare */
        e->stage = ENGINE_READY;
        break;
    case TOY_DATA:
        if (sftp_feed(e->sftp, f->bytes) != 0)
            scripted_end(s, SCOUT_E_SFTP_PROTOCOL, "broken SFTP");
        break;
    default:
        scripted_end(s, SCOUT_E_CONNECTION_LOST, "the anchor channel was refused or closed");
        break;
    }
}

static void take(struct scripted *s, const struct toy_frame *f)
{
    struct engine *e = &s->engine;
    if (f->type == TOY_HELLO && e->stage == ENGINE_HANDSHAKE) {
        e->stage = ENGINE_AUTHENTICATING;
        if (!s->at_once)
            scripted_tell(s, TOY_AUTH, 0);
    } else if (f->type == TOY_AUTH && e->stage == ENGINE_AUTHENTICATING) {
        e->stage = ENGINE_CHANNEL;
        e->channels = !s->config.no_anchor;
        if (s->config.no_anchor)
            e->stage = ENGINE_READY;
        else if (!s->at_once)
            scripted_tell(s, TOY_OPEN, TOY_ANCHOR);
    } else if (f->type == TOY_AUTH_REFUSED) {
        scripted_end(s, SCOUT_E_AUTH, "the login was refused");
    } else if (f->type == TOY_PING) {
        return;
    } else if (f->channel == TOY_ANCHOR) {
        take_anchor(s, f);
    } else if (!scripted_ahead_takes(s, f)) {
        scripted_execs_take(s, f);
    }
}

/* True when input is left over. */
static bool take_input(struct scripted *s)
{
    struct toy_frame f;
    size_t taken = 0;
    while (s->engine.stage != ENGINE_ENDED) {
        int rc = toy_peek(&s->in, &f);
        if (rc < 0)
            scripted_end(s, SCOUT_E_SSH_PROTOCOL, "a malformed frame");
        if (rc <= 0)
            return false;
        if (taken >= STEP_BYTES)
            return true;
        taken += TOY_HEADER + f.bytes.len;
        take(s, &f);
        toy_took(&s->in, &f);
    }
    return false;
}

static void send_sftp(struct scripted *s)
{
    for (;;) {
        struct buf *out = sftp_output(s->engine.sftp);
        struct slice bytes = buf_peek(out);
        if (bytes.len == 0 || buf_len(&s->engine.out) >= ENGINE_OUT_HIGH)
            return;
        size_t len = bytes.len < TOY_BYTES_MAX ? bytes.len : TOY_BYTES_MAX;
        scripted_say(s, TOY_DATA, TOY_ANCHOR, slice_of(bytes.data, len));
        buf_consume(out, len);
    }
}

/* ---- the ops ---- */

static bool op_step(struct engine *e)
{
    struct scripted *s = scripted_of(e);
    if (e->stage == ENGINE_ENDED)
        return false;
    bool more = take_input(s);
    if (e->stage != ENGINE_ENDED && !more && s->in_ended)
        scripted_end(s, SCOUT_E_CONNECTION_LOST,
                     s->in_error ? "connection broken" : "connection closed");
    if (e->stage == ENGINE_ENDED) {
        fail_all(s);
        return false;
    }
    scripted_execs_step(s);
    scripted_ahead_step(s);
    if (e->stage != ENGINE_ENDED && e->stage >= ENGINE_CHANNEL)
        send_sftp(s);
    return more || e->stage == ENGINE_ENDED;
}

static void op_free(struct engine *e)
{
    struct scripted *s = scripted_of(e);
    scripted_end(s, SCOUT_E_CONNECTION_LOST, "the connection was closed");
    fail_all(s);
    sftp_free(e->sftp);
    buf_fini(&e->out);
    buf_fini(&s->in);
    free(s);
}

static int op_feed(struct engine *e, struct slice data)
{
    return buf_append(&scripted_of(e)->in, data);
}

static void op_feed_end(struct engine *e, int error)
{
    scripted_of(e)->in_ended = true;
    scripted_of(e)->in_error = error;
}

static bool op_wants_input(const struct engine *e)
{
    return buf_len(&CONTAINER_OF(e, struct scripted, engine)->in) < ENGINE_IN_HIGH;
}

static void op_signed(struct engine *e, struct slice signature)
{
    (void)e;
    (void)signature; /* it asks for none */
}

static bool op_ping(struct engine *e)
{
    struct scripted *s = scripted_of(e);
    if (e->stage != ENGINE_READY || s->config.no_anchor || buf_len(&e->out) >= ENGINE_OUT_HIGH)
        return false;
    e->pings++;
    scripted_tell(s, TOY_PING, 0);
    return true;
}

static void op_host_key_settled(struct engine *e, const struct failure *why)
{
    (void)e, (void)why;
}

/* The toy protocol has no word for it. */
static void op_goodbye(struct engine *e)
{
    (void)e;
}

static const struct engine_ops ops = {
    .free = op_free,
    .feed = op_feed,
    .feed_end = op_feed_end,
    .wants_input = op_wants_input,
    .step = op_step,
    .signed_by_owner = op_signed,
    .ping = op_ping,
    .goodbye = op_goodbye,
    .exec = scripted_exec_new,
    .exec_write = scripted_exec_write,
    .exec_end_input = scripted_exec_end_input,
    .exec_pause = scripted_exec_pause,
    .exec_abandon = scripted_exec_abandon,
    .open_ahead = scripted_open_ahead,
    .host_key_settled = op_host_key_settled,
};

int scripted_engine_new(struct engine **out, const struct engine_config *config)
{
    struct scripted *s = calloc(1, sizeof *s);
    if (!s)
        return SCOUT_E_NOMEM;
    int error = sftp_new(&s->engine.sftp, SFTP_OUT);
    if (error) {
        free(s);
        return error;
    }
    s->engine.ops = &ops;
    s->config = *config;
    s->next_channel = TOY_ANCHOR + 1;
    strcpy(s->engine.banner, "SSH-2.0-OpenSSH_toy"); /* gives each command a group, as that does */
    list_init(&s->execs);
    buf_init(&s->engine.out, ENGINE_OUT_MAX);
    buf_init(&s->in, ENGINE_IN_MAX);
    scripted_say(s, TOY_HELLO, 0, slice_str(config->user));
    *out = &s->engine;
    return 0;
}

int scripted_engine_new_at_once(struct engine **out, const struct engine_config *config)
{
    int error = scripted_engine_new(out, config);
    if (error)
        return error;
    struct scripted *s = scripted_of(*out);
    s->at_once = true;
    error = sftp_start(s->engine.sftp, on_sftp_ready, s);
    if (error) {
        engine_free(*out);
        return error;
    }
    scripted_tell(s, TOY_AUTH, 0);
    scripted_tell(s, TOY_OPEN, TOY_ANCHOR);
    scripted_tell(s, TOY_SUBSYSTEM, TOY_ANCHOR);
    send_sftp(s);
    return 0;
}
