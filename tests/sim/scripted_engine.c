/* The client's side of the toy protocol, as an engine.
 *
 * It behaves as scout/ssh/engine.h asks and as the real session does, where the pool can tell the
 * difference: channels are opened one after the other, requests are outstanding side by side, a
 * place is counted from the message that asks for it until both sides closed it, on_end comes after
 * that, and output that comes while a command is paused is held.
 *
 *   exec: QUEUED --OPEN--> OPENING --EXEC--> REQUESTED --> RUNNING --CLOSE came--> CLOSING --> gone
 *                             \ refused: gone    \ refused ______________________/ */
#include "scripted.h"

#include "scout/base/container.h"
#include "scout/base/list.h"
#include "toy_wire.h"
#include <assert.h>
#include <stdlib.h>

#define STEP_BYTES         65536u /* of input taken in one step */
#define HELD_MAX           (4u * 1024u * 1024u)
#define SFTP_OUT           (1024u * 1024u)
#define SCRIPTED_EXECS_MAX 4096

enum scripted_state { QUEUED, OPENING, REQUESTED, RUNNING, CLOSING };

struct scripted_exec {
    struct exec exec; /* first */
    struct list node;
    enum scripted_state state;
    uint32_t channel;
    const struct exec_events *events;
    void *context;
    char *command;
    struct buf input, held[2];
    bool input_ended, eof_sent, draining, paused, abandoned;
    bool close_sent, close_came;
    struct exec_result result;
};

struct scripted {
    struct engine engine; /* first */
    struct engine_config config;
    struct buf in;
    bool in_ended;
    int in_error;
    struct list execs;
    uint32_t exec_count, next_channel;
    bool opening; /* a channel */
};

static struct scripted *of_engine(struct engine *e)
{
    return CONTAINER_OF(e, struct scripted, engine);
}

static struct scripted_exec *of_exec(struct exec *x)
{
    return CONTAINER_OF(x, struct scripted_exec, exec);
}

static struct scripted_exec *of_node(struct list *n)
{
    return CONTAINER_OF(n, struct scripted_exec, node);
}

static void say(struct scripted *s, enum toy_type type, uint32_t channel, struct slice bytes)
{
    bool done = toy_put(&s->engine.out, type, channel, bytes);
    assert(done); /* as with the real one, there is room for what a step says */
}

static void tell(struct scripted *s, enum toy_type type, uint32_t channel)
{
    say(s, type, channel, slice_of("", 0));
}

/* ---- the end of an exec ---- */

static void finish(struct scripted *s, struct scripted_exec *x)
{
    struct exec_result result = x->result;
    const struct exec_events *events = x->abandoned ? NULL : x->events;
    void *context = x->context;
    list_remove(&x->node);
    s->exec_count--;
    buf_fini(&x->input);
    buf_fini(&x->held[0]);
    buf_fini(&x->held[1]);
    free(x->command);
    free(x);
    if (events)
        events->on_end(context, &result);
}

static void end_session(struct scripted *s, int error, const char *text)
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
    while (!list_empty(&s->execs)) {
        struct scripted_exec *x = of_node(s->execs.next);
        x->result.error = SCOUT_E_CONNECTION_LOST;
        finish(s, x);
    }
}

/* ---- frames ---- */

static struct scripted_exec *find(struct scripted *s, uint32_t channel)
{
    for (struct list *n = s->execs.next; n != &s->execs; n = n->next)
        if (of_node(n)->channel == channel && of_node(n)->state != QUEUED)
            return of_node(n);
    return NULL;
}

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
        tell(s, TOY_SUBSYSTEM, TOY_ANCHOR);
        break;
    case TOY_SUBSYSTEM:
        if (sftp_start(e->sftp, on_sftp_ready, s) != 0)
            end_session(s, SCOUT_E_NOMEM, "no memory");
        break;
    case TOY_EXEC_REFUSED: /* no SFTP: the anchor stays bare */
        e->stage = ENGINE_READY;
        break;
    case TOY_DATA:
        if (sftp_feed(e->sftp, f->bytes) != 0)
            end_session(s, SCOUT_E_SFTP_PROTOCOL, "broken SFTP");
        break;
    default:
        end_session(s, SCOUT_E_CONNECTION_LOST, "the anchor channel was refused or closed");
        break;
    }
}

static void take_open(struct scripted *s, struct scripted_exec *x)
{
    s->opening = false;
    if (x->abandoned)
        return; /* closed by the next step */
    x->state = REQUESTED;
    x->result.requested = true;
    say(s, TOY_EXEC, x->channel, slice_str(x->command));
}

static void take_refusal(struct scripted *s, struct scripted_exec *x)
{
    s->opening = false;
    s->engine.channels--;
    x->result.error = SCOUT_E_NO_CHANNEL;
    finish(s, x);
}

static void take_output(struct scripted *s, struct scripted_exec *x, bool is_stderr,
                        struct slice bytes)
{
    struct buf *held = &x->held[is_stderr];
    if (x->abandoned || x->state != RUNNING)
        return;
    if (!x->paused && buf_len(held) == 0)
        x->events->on_output(x->context, is_stderr, bytes);
    else if (buf_append(held, bytes) != 0)
        end_session(s, SCOUT_E_NOMEM, "no memory for output");
}

static void take_exit(struct scripted_exec *x, struct slice bytes)
{
    if (bytes.len < 4)
        return;
    size_t len = bytes.len - 4;
    if (len >= sizeof x->result.signal)
        len = sizeof x->result.signal - 1;
    memcpy(x->result.signal, bytes.data + 4, len);
    x->result.has_status = len == 0;
    x->result.status = (int)toy_get_u32(bytes.data);
}

static void take_channel(struct scripted *s, const struct toy_frame *f)
{
    struct scripted_exec *x = find(s, f->channel);
    if (!x) {
        end_session(s, SCOUT_E_SSH_PROTOCOL, "a channel that does not exist");
        return;
    }
    switch (f->type) {
    case TOY_OPEN:
        take_open(s, x);
        break;
    case TOY_OPEN_REFUSED:
        take_refusal(s, x);
        break;
    case TOY_EXEC:
        x->state = RUNNING;
        if (!x->abandoned && x->events->on_started)
            x->events->on_started(x->context);
        break;
    case TOY_EXEC_REFUSED:
        x->result.error = SCOUT_E_EXEC_REFUSED;
        x->result.requested = false;
        x->state = RUNNING;
        x->close_came = true;
        break;
    case TOY_DATA:
    case TOY_STDERR:
        take_output(s, x, f->type == TOY_STDERR, f->bytes);
        break;
    case TOY_EXIT:
        take_exit(x, f->bytes);
        break;
    case TOY_CLOSE:
        x->close_came = true;
        break;
    default:
        end_session(s, SCOUT_E_SSH_PROTOCOL, "an unknown frame");
        break;
    }
}

static void take(struct scripted *s, const struct toy_frame *f)
{
    struct engine *e = &s->engine;
    if (f->type == TOY_HELLO && e->stage == ENGINE_HANDSHAKE) {
        e->stage = ENGINE_AUTHENTICATING;
        tell(s, TOY_AUTH, 0);
    } else if (f->type == TOY_AUTH && e->stage == ENGINE_AUTHENTICATING) {
        e->stage = ENGINE_CHANNEL;
        e->channels = 1;
        tell(s, TOY_OPEN, TOY_ANCHOR);
    } else if (f->type == TOY_AUTH_REFUSED) {
        end_session(s, SCOUT_E_AUTH, "the login was refused");
    } else if (f->type == TOY_PING) {
        return;
    } else if (f->channel == TOY_ANCHOR) {
        take_anchor(s, f);
    } else {
        take_channel(s, f);
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
            end_session(s, SCOUT_E_SSH_PROTOCOL, "a malformed frame");
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

/* ---- what an exec does by itself ---- */

static bool deliver_held(struct scripted_exec *x)
{
    for (int i = 0; i < 2; i++) {
        struct buf held = x->held[i];
        if (buf_len(&held) == 0)
            continue;
        if (x->paused)
            return false;
        buf_init(&x->held[i], HELD_MAX);
        x->events->on_output(x->context, i == 1, buf_peek(&held));
        buf_fini(&held);
        if (x->abandoned)
            return false;
    }
    return true;
}

static void send_input(struct scripted *s, struct scripted_exec *x)
{
    struct slice bytes = buf_peek(&x->input);
    while (bytes.len > 0 && buf_len(&s->engine.out) < ENGINE_OUT_HIGH) {
        size_t len = bytes.len < TOY_BYTES_MAX ? bytes.len : TOY_BYTES_MAX;
        say(s, TOY_DATA, x->channel, slice_of(bytes.data, len));
        buf_consume(&x->input, len);
        bytes = buf_peek(&x->input);
    }
    if (bytes.len > 0)
        return;
    if (x->draining) {
        x->draining = false;
        if (x->events->on_drain)
            x->events->on_drain(x->context);
    }
    if (x->input_ended && !x->eof_sent && buf_len(&x->input) == 0 && !x->abandoned) {
        x->eof_sent = true;
        tell(s, TOY_EOF, x->channel);
    }
}

static void send_close(struct scripted *s, struct scripted_exec *x)
{
    if (!x->close_sent)
        tell(s, TOY_CLOSE, x->channel);
    x->close_sent = true;
    x->state = CLOSING;
}

static void step_exec(struct scripted *s, struct scripted_exec *x)
{
    if (x->abandoned && x->state == QUEUED) {
        finish(s, x);
        return;
    }
    if (x->state == QUEUED && !s->opening) {
        s->opening = true;
        s->engine.channels++;
        x->state = OPENING;
        x->channel = s->next_channel++;
        tell(s, TOY_OPEN, x->channel);
    }
    bool open = x->state == REQUESTED || x->state == RUNNING;
    if (x->state == OPENING && x->abandoned && !s->opening)
        open = true;
    if (x->state == RUNNING && !x->abandoned && !x->close_came)
        send_input(s, x);
    if (open && x->abandoned)
        send_close(s, x);
    else if (x->state == RUNNING && deliver_held(x) && x->close_came && !x->abandoned)
        send_close(s, x);
    if (x->state == CLOSING && x->close_came) {
        s->engine.channels--;
        finish(s, x);
    }
}

static void step_execs(struct scripted *s)
{
    for (struct list *n = s->execs.next, *next; n != &s->execs; n = next) {
        next = n->next; /* only this one is freed */
        if (buf_len(&s->engine.out) >= ENGINE_OUT_HIGH)
            return;
        step_exec(s, of_node(n));
    }
}

static void send_sftp(struct scripted *s)
{
    for (;;) {
        struct buf *out = sftp_output(s->engine.sftp);
        struct slice bytes = buf_peek(out);
        if (bytes.len == 0 || buf_len(&s->engine.out) >= ENGINE_OUT_HIGH)
            return;
        size_t len = bytes.len < TOY_BYTES_MAX ? bytes.len : TOY_BYTES_MAX;
        say(s, TOY_DATA, TOY_ANCHOR, slice_of(bytes.data, len));
        buf_consume(out, len);
    }
}

/* ---- the ops ---- */

static bool op_step(struct engine *e)
{
    struct scripted *s = of_engine(e);
    if (e->stage == ENGINE_ENDED)
        return false;
    bool more = take_input(s);
    if (e->stage != ENGINE_ENDED && !more && s->in_ended)
        end_session(s, SCOUT_E_CONNECTION_LOST,
                    s->in_error ? "connection broken" : "connection closed");
    if (e->stage == ENGINE_ENDED) {
        fail_all(s);
        return false;
    }
    step_execs(s);
    if (e->stage != ENGINE_ENDED && e->stage >= ENGINE_CHANNEL)
        send_sftp(s);
    return more || e->stage == ENGINE_ENDED;
}

static void op_free(struct engine *e)
{
    struct scripted *s = of_engine(e);
    end_session(s, SCOUT_E_CONNECTION_LOST, "the connection was closed");
    fail_all(s);
    sftp_free(e->sftp);
    buf_fini(&e->out);
    buf_fini(&s->in);
    free(s);
}

static int op_feed(struct engine *e, struct slice data)
{
    return buf_append(&of_engine(e)->in, data);
}

static void op_feed_end(struct engine *e, int error)
{
    of_engine(e)->in_ended = true;
    of_engine(e)->in_error = error;
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
    struct scripted *s = of_engine(e);
    if (e->stage != ENGINE_READY || buf_len(&e->out) >= ENGINE_OUT_HIGH)
        return false;
    e->pings++;
    tell(s, TOY_PING, 0);
    return true;
}

static int op_exec(struct engine *e, const char *command, const struct exec_events *events,
                   void *context, struct exec **out)
{
    struct scripted *s = of_engine(e);
    if (e->stage != ENGINE_READY)
        return SCOUT_E_CONNECTION_LOST;
    if (strlen(command) > EXEC_COMMAND_MAX || s->exec_count >= SCRIPTED_EXECS_MAX)
        return SCOUT_E_LIMIT;
    struct scripted_exec *x = calloc(1, sizeof *x);
    if (!x || !(x->command = strdup(command))) {
        free(x);
        return SCOUT_E_NOMEM;
    }
    x->exec.engine = e;
    x->events = events;
    x->context = context;
    buf_init(&x->input, EXEC_INPUT_MAX);
    buf_init(&x->held[0], HELD_MAX);
    buf_init(&x->held[1], HELD_MAX);
    list_append(&s->execs, &x->node);
    s->exec_count++;
    *out = &x->exec;
    return 0;
}

static int op_exec_write(struct exec *exec, struct slice data)
{
    struct scripted_exec *x = of_exec(exec);
    int error = buf_append(&x->input, data);
    x->draining |= !error && data.len > 0;
    return error;
}

static void op_exec_end_input(struct exec *exec)
{
    of_exec(exec)->input_ended = true;
}

static void op_exec_pause(struct exec *exec, bool paused)
{
    of_exec(exec)->paused = paused;
}

static void op_exec_abandon(struct exec *exec)
{
    of_exec(exec)->abandoned = true;
}

static const struct engine_ops ops = {
    op_free, op_feed, op_feed_end,   op_wants_input,    op_step,       op_signed,
    op_ping, op_exec, op_exec_write, op_exec_end_input, op_exec_pause, op_exec_abandon};

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
    say(s, TOY_HELLO, 0, slice_str(config->user));
    *out = &s->engine;
    return 0;
}
