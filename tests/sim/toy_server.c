/* The toy server: its connections.
 *
 * Answers of a connection keep their order, each a drawn delay after what it answers. A fault of a
 * connection strikes at a drawn message: from then on it says nothing (stall), or the socket is
 * closed (drop). */
#include "toy_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#define OUT_MAX      (64u * 1024u * 1024u)
#define IN_MAX       (8u * 1024u * 1024u)
#define FAULT_WITHIN 40 /* messages */

struct delayed {
    struct list node;
    uint64_t due_ns;
    size_t len;
    uint8_t bytes[];
};

uint64_t toy_draw(struct toy_server *v, uint64_t bound)
{
    uint64_t z = v->random += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (z ^ (z >> 31)) % bound;
}

bool toy_happens(struct toy_server *v, unsigned chance)
{
    return chance > 0 && toy_draw(v, 1000) < chance;
}

/* ---- answers ---- */

static void write_out(struct toy_session *t, struct slice bytes)
{
    if (!t->closing && stream_write(&t->stream, bytes) != 0)
        abort(); /* a client that does not read: not what is simulated */
}

static void on_due(struct io_timer *timer)
{
    struct toy_session *t = CONTAINER_OF(timer, struct toy_session, timer);
    struct io *io = t->server->io;
    while (!list_empty(&t->delayed)) {
        struct delayed *d = CONTAINER_OF(t->delayed.next, struct delayed, node);
        if (d->due_ns > io_now(io)) {
            io_timer_start(io, &t->timer, d->due_ns, on_due);
            return;
        }
        list_remove(&d->node);
        write_out(t, slice_of(d->bytes, d->len));
        free(d);
    }
}

static void send_after(struct toy_session *t, struct slice bytes, uint64_t delay_ns)
{
    struct io *io = t->server->io;
    uint64_t due = io_now(io) + delay_ns;
    if (t->stalled)
        return;
    if (due < t->due_ns)
        due = t->due_ns;
    t->due_ns = due;
    if (due == io_now(io) && list_empty(&t->delayed)) {
        write_out(t, bytes);
        return;
    }
    struct delayed *d = malloc(sizeof *d + bytes.len);
    if (!d)
        abort();
    d->due_ns = due;
    d->len = bytes.len;
    memcpy(d->bytes, bytes.data, bytes.len);
    if (list_empty(&t->delayed))
        io_timer_start(io, &t->timer, due, on_due);
    list_append(&t->delayed, &d->node);
}

static uint64_t delay(struct toy_server *v)
{
    uint64_t min = v->config.delay_min_ns, max = v->config.delay_max_ns;
    return max > min ? min + toy_draw(v, max - min + 1) : min;
}

void toy_say_after(struct toy_session *t, enum toy_type type, uint32_t channel, struct slice bytes,
                   uint64_t delay_ns)
{
    struct buf frame;
    buf_init(&frame, TOY_HEADER + TOY_BYTES_MAX * 4);
    if (!toy_put(&frame, type, channel, bytes))
        abort();
    send_after(t, buf_peek(&frame), delay_ns);
    buf_fini(&frame);
}

void toy_say(struct toy_session *t, enum toy_type type, uint32_t channel, struct slice bytes)
{
    toy_say_after(t, type, channel, bytes, delay(t->server));
}

/* ---- connections ---- */

static void session_end(struct toy_session *t)
{
    if (t->closing)
        return;
    t->closing = true;
    io_timer_stop(t->server->io, &t->timer);
    while (!list_empty(&t->channels))
        toy_channel_free(CONTAINER_OF(t->channels.next, struct toy_channel, node));
    while (!list_empty(&t->delayed))
        free(CONTAINER_OF(list_shift(&t->delayed), struct delayed, node));
    stream_close(&t->stream);
}

/* True when the connection is over. */
static bool strike(struct toy_session *t)
{
    if (t->fault_after == 0 || --t->fault_after > 0)
        return false;
    if (t->fault == TOY_FAULT_STALL)
        t->stalled = true;
    else if (t->fault == TOY_FAULT_DROP)
        session_end(t);
    return t->closing;
}

static void on_data(struct stream *s, struct slice data)
{
    struct toy_session *t = CONTAINER_OF(s, struct toy_session, stream);
    struct toy_frame f;
    if (t->closing || buf_append(&t->in, data) != 0)
        return;
    while (!t->closing && toy_peek(&t->in, &f) > 0) {
        if (strike(t))
            return;
        if (!t->stalled)
            toy_take(t, &f);
        toy_took(&t->in, &f);
    }
}

static bool is_busy(const struct toy_session *t)
{
    for (const struct list *n = t->channels.next; n != &t->channels; n = n->next) {
        const struct toy_channel *ch = CONTAINER_OF(n, struct toy_channel, node);
        if (ch->running && !ch->close_came && !ch->condemned)
            return true;
    }
    return false;
}

static void on_end(struct stream *s, int error)
{
    struct toy_session *t = CONTAINER_OF(s, struct toy_session, stream);
    if (error == 0 && t->fault == TOY_FAULT_NONE && is_busy(t))
        t->server->stats.busy_ends++;
    session_end(t);
}

static void on_all_closed(struct io_task *task)
{
    struct toy_server *v = CONTAINER_OF(task, struct toy_server, task);
    void (*on_closed)(void *) = v->on_closed;
    void *context = v->on_closed_context;
    free(v);
    on_closed(context);
}

static void closed_one(struct toy_server *v)
{
    if (v->closing && v->session_count == 0 && !v->listening)
        io_defer(v->io, &v->task, on_all_closed);
}

static void on_closed(struct stream *s)
{
    struct toy_session *t = CONTAINER_OF(s, struct toy_session, stream);
    struct toy_server *v = t->server;
    list_remove(&t->node);
    v->session_count--;
    v->stats.open--;
    buf_fini(&t->in);
    buf_fini(&t->sftp);
    free(t);
    closed_one(v);
}

static const struct stream_events stream_events = {on_data, on_end, NULL, on_closed};

static void draw_fault(struct toy_session *t)
{
    struct toy_server *v = t->server;
    const struct toy_faults *f = &v->config.faults;
    if (toy_happens(v, f->refuse_auth))
        t->fault = TOY_FAULT_AUTH;
    else if (toy_happens(v, f->stall))
        t->fault = TOY_FAULT_STALL;
    else if (toy_happens(v, f->drop))
        t->fault = TOY_FAULT_DROP;
    else
        return;
    v->stats.faults++;
    t->fault_after = 1 + (uint32_t)toy_draw(v, FAULT_WITHIN);
}

static void on_accept(struct listener *l, int fd)
{
    struct toy_server *v = CONTAINER_OF(l, struct toy_server, listener);
    struct toy_session *t = v->session_count < TOY_SESSIONS_MAX ? calloc(1, sizeof *t) : NULL;
    if (!t) {
        io_discard(v->io, fd);
        return;
    }
    t->server = v;
    t->accepted_ns = io_now(v->io);
    list_init(&t->channels);
    list_init(&t->delayed);
    io_timer_init(&t->timer);
    buf_init(&t->in, IN_MAX);
    buf_init(&t->sftp, IN_MAX);
    list_append(&v->sessions, &t->node);
    v->session_count++;
    v->stats.accepted++;
    if (++v->stats.open > v->stats.open_max)
        v->stats.open_max = v->stats.open;
    draw_fault(t);
    stream_init(&t->stream, v->io, fd, OUT_MAX, &stream_events);
    stream_resume(&t->stream);
}

static void on_listener_closed(struct listener *l)
{
    struct toy_server *v = CONTAINER_OF(l, struct toy_server, listener);
    v->listening = false;
    closed_one(v);
}

static const struct listener_events listener_events = {on_accept, on_listener_closed};

int toy_server_listen(struct toy_server **out, struct io *io, const struct sockaddr *addr,
                      socklen_t len, const struct toy_config *config)
{
    struct toy_server *v = calloc(1, sizeof *v);
    if (!v)
        return -ENOMEM;
    v->io = io;
    v->config = *config;
    v->random = config->seed;
    v->next_pid = 1000;
    list_init(&v->sessions);
    io_task_init(&v->task);
    int error = listener_open(&v->listener, io, addr, len, &listener_events);
    if (error) {
        free(v);
        return error;
    }
    v->listening = true;
    *out = v;
    return 0;
}

uint16_t toy_server_port(const struct toy_server *s)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    if (io_file_address(&s->listener.file, &addr, &len) != 0)
        return 0;
    return ntohs(((struct sockaddr_in *)&addr)->sin_port); /* at the same place for IPv6 */
}

const struct toy_stats *toy_server_stats(const struct toy_server *s)
{
    return &s->stats;
}

void toy_server_set_faults(struct toy_server *v, const struct toy_faults *faults)
{
    v->config.faults = *faults;
}

void toy_server_drop(struct toy_server *v)
{
    for (struct list *n = v->sessions.next, *next; n != &v->sessions; n = next) {
        next = n->next;
        session_end(CONTAINER_OF(n, struct toy_session, node));
    }
}

void toy_server_close(struct toy_server *v, void (*done)(void *context), void *context)
{
    v->closing = true;
    v->on_closed = done;
    v->on_closed_context = context;
    toy_server_drop(v);
    listener_close(&v->listener);
}
