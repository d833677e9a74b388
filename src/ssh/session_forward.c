/* Streams to other hosts, which this one connects to: direct-tcpip channels (RFC 4254, 7.2).
 *
 *   QUEUED --its turn--> OPENING --connected--> OPEN --EOF of the peer--> CLOSING --> gone
 *     | closed             | refused: gone        \--closed--------------^
 *     v                    | closed: forgotten, gone (or CLOSING, when it was opened after all)
 *    gone                  v
 *
 * The host answers an open when it has connected, or given up. All opens of a session share the one
 * that libssh2 has, so an owner that is in a hurry closes a forward that is not opened, and tries
 * it again later. Commands go first.
 *
 * What comes while the owner paused it is held here, as with commands (session_exec_run.c), and the
 * window is not widened for it. After the peer's EOF nothing is written any more. */
#include "session_state.h"

#include "wire.h"
#include <stdlib.h>

#define READ_SIZE 32768u

static struct session_forward *of_forward(struct forward *f)
{
    return CONTAINER_OF(f, struct session_forward, forward);
}

/* ---- what the owner asks for ---- */

/* The originator is nobody's business, and of no use to the host. */
static uint32_t write_message(uint8_t *at, const char *host, uint16_t port)
{
    const uint8_t *start = at;
    at = wire_put_string(at, slice_str(host));
    at = wire_put_u32(at, port);
    at = wire_put_string(at, slice_str("127.0.0.1"));
    at = wire_put_u32(at, 0);
    return (uint32_t)(at - start);
}

int session_forward_new(struct engine *e, const char *host, uint16_t port,
                        const struct forward_events *events, void *context, struct forward **out)
{
    struct session *s = CONTAINER_OF(e, struct session, engine);
    if (e->stage != ENGINE_READY)
        return SCOUT_E_CONNECTION_LOST;
    if (s->forward_count >= SSH_FORWARDS_MAX || strlen(host) + 32 > FORWARD_MESSAGE_MAX)
        return SCOUT_E_LIMIT;
    struct session_forward *f = calloc(1, sizeof *f);
    if (!f)
        return SCOUT_E_NOMEM;
    f->forward.engine = e;
    f->session = s;
    f->events = events;
    f->context = context;
    f->message_len = write_message(f->message, host, port);
    f->touched = true;
    buf_init(&f->forward.out, FORWARD_OUT_MAX);
    buf_init(&f->held, SSH_FORWARD_WINDOW);
    list_append(&s->forwards, &f->node);
    s->forward_count++;
    *out = &f->forward;
    return 0;
}

void session_forward_flush(struct forward *forward)
{
    struct session_forward *f = of_forward(forward);
    f->touched = true;
    f->draining = f->draining || buf_len(&forward->out) > 0;
}

void session_forward_pause(struct forward *forward, bool paused)
{
    struct session_forward *f = of_forward(forward);
    f->paused = paused;
    f->touched = true;
}

void session_forward_close(struct forward *forward)
{
    struct session_forward *f = of_forward(forward);
    f->closed = f->touched = true;
}

/* ---- its end ---- */

/* The last that its owner hears of it. */
static void tell_end(struct session_forward *f, int error, const char *text)
{
    bool told = f->closed;
    f->closed = f->touched = true;
    if (!told)
        f->events->on_end(f->context, error, text);
}

static bool free_forward(struct session_forward *f)
{
    list_remove(&f->node);
    f->session->forward_count--;
    buf_fini(&f->forward.out);
    buf_fini(&f->held);
    free(f);
    return true;
}

void session_forwards_fail(struct session *s)
{
    while (!list_empty(&s->forwards)) {
        struct session_forward *f = CONTAINER_OF(s->forwards.next, struct session_forward, node);
        tell_end(f, SCOUT_E_CONNECTION_LOST, "");
        free_forward(f);
    }
}

static bool enter(struct session_forward *f, enum forward_state state)
{
    f->state = state;
    f->touched = true;
    return true;
}

/* ---- on the way ---- */

static struct slice message_of(const struct session_forward *f)
{
    return slice_of(f->message, f->message_len);
}

static bool give_up_opening(struct session_forward *f)
{
    switch (session_channel_forget(f->session, &f->channel, message_of(f))) {
    case CHANNEL_DONE:
        return enter(f, FORWARD_CLOSING);
    case CHANNEL_REFUSED:
        return free_forward(f);
    case CHANNEL_WAITS:
    case CHANNEL_BROKEN:
        break;
    }
    return false;
}

static bool step_opening(struct session_forward *f)
{
    struct session *s = f->session;
    if (f->closed)
        return give_up_opening(f);
    enum channel_verdict v =
        session_channel_open_forward(s, &f->channel, f, SSH_FORWARD_WINDOW, message_of(f));
    if (v == CHANNEL_REFUSED) {
        tell_end(f, SCOUT_E_CONNECT, session_last_error(s));
        return free_forward(f);
    }
    if (v != CHANNEL_DONE)
        return false;
    enter(f, FORWARD_OPEN);
    f->events->on_opened(f->context);
    return true;
}

static bool commands_wait(const struct session *s)
{
    for (const struct list *n = s->execs.next; n != &s->execs; n = n->next)
        if (CONTAINER_OF(n, struct session_exec, node)->state == EXEC_QUEUED)
            return true;
    return false;
}

static bool step_queued(struct session_forward *f)
{
    struct session *s = f->session;
    if (f->closed)
        return free_forward(f);
    if (s->opener || s->anchor.state == ANCHOR_CLOSING || commands_wait(s))
        return false;
    f->state = FORWARD_OPENING;
    step_opening(f); /* at once: it takes the session's one open */
    return true;
}

/* ---- while it is open ---- */

static bool write_out(struct session_forward *f)
{
    struct session *s = f->session;
    struct buf *out = &f->forward.out;
    bool progress = false;
    while (!f->closed && buf_len(out) > 0 && session_has_room(s)) {
        ssize_t n = session_channel_write(s, &f->channel, buf_peek(out));
        if (n <= 0)
            return progress;
        buf_consume(out, (size_t)n);
        progress = true;
    }
    if (!session_has_room(s))
        f->touched = true; /* no input may come before there is room again */
    if (f->closed || buf_len(out) > 0 || !f->draining)
        return progress;
    buf_relax(out);
    f->draining = false;
    f->events->on_drain(f->context);
    return progress;
}

static void deliver(struct session_forward *f, struct slice bytes)
{
    f->events->on_data(f->context, bytes);
    session_channel_credit(&f->channel, bytes.len, SSH_FORWARD_WINDOW);
}

static bool hold(struct session_forward *f, struct slice bytes)
{
    struct session *s = f->session;
    if (buf_append(&f->held, bytes) == 0)
        return true;
    session_end(s, failure_set(&s->engine.failure, SCOUT_E_NOMEM,
                               "No memory for what goes through %s", s->config.name));
    return false;
}

static void read_in(struct session_forward *f)
{
    char bytes[READ_SIZE];
    struct session *s = f->session;
    ssize_t n;
    size_t held = buf_len(&f->held);
    if (held > 0 && !f->paused && !f->closed) {
        deliver(f, buf_peek(&f->held));
        buf_consume(&f->held, held);
    }
    while (!f->closed && (n = session_channel_read(s, &f->channel, 0, bytes, sizeof bytes)) > 0) {
        struct slice data = slice_of(bytes, (size_t)n);
        if (!f->paused && buf_len(&f->held) == 0)
            deliver(f, data);
        else if (!hold(f, data))
            return;
    }
    if (!f->closed && !session_ended(s))
        session_channel_is_dry(s, &f->channel);
}

static bool step_open(struct session_forward *f)
{
    struct session *s = f->session;
    bool progress = false;
    if (!f->closed)
        read_in(f);
    if (!session_ended(s) && !f->closed) {
        session_channel_credit(&f->channel, 0, SSH_FORWARD_WINDOW);
        progress = write_out(f);
    }
    if (session_ended(s))
        return false;
    if (!f->closed && buf_len(&f->held) == 0 && session_channel_ended(&f->channel))
        tell_end(f, 0, "");
    return f->closed ? enter(f, FORWARD_CLOSING) : progress;
}

static bool step_closing(struct session_forward *f)
{
    return session_channel_free(f->session, &f->channel) == CHANNEL_DONE && free_forward(f);
}

/* ---- the turn ---- */

static bool step_forward(struct session_forward *f)
{
    switch (f->state) {
    case FORWARD_QUEUED:
        return step_queued(f);
    case FORWARD_OPENING:
        return step_opening(f);
    case FORWARD_OPEN:
        return step_open(f);
    case FORWARD_CLOSING:
        return step_closing(f);
    }
    return false;
}

static bool is_due(const struct session_forward *f)
{
    return f->touched || f->seen != f->session->inputs || f->state == FORWARD_QUEUED ||
           f->state == FORWARD_OPENING;
}

bool session_forwards_step(struct session *s)
{
    bool progress = false;
    for (struct list *n = s->forwards.next, *next; n != &s->forwards && !session_ended(s);
         n = next) {
        struct session_forward *f = CONTAINER_OF(n, struct session_forward, node);
        next = n->next; /* only the one that is looked at is ever freed */
        if (!session_has_room(s))
            break;
        if (!is_due(f))
            continue;
        f->seen = s->inputs;
        f->touched = false;
        progress = step_forward(f) || progress;
    }
    return progress;
}
