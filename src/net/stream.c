/* A byte stream: one multishot recv, one send at a time.
 *
 * The owner writes into `gather`. When no send is under way the two buffers change places and the
 * kernel gets `sending`, which nobody touches until the last of it has gone; a short send goes on
 * with the rest. So each byte is copied once, and all that was written during a pass goes out in
 * one call.
 *
 * Pausing cancels the recv; its last event then finds `paused` set and leaves it at that. A resume
 * that comes before that event only clears the flag, and the event re-arms. */
#include "scout/net/stream.h"

#include "scout/base/error.h"
#include <assert.h>
#include <errno.h>

#define LATE_MAX 16384 /* bytes that may stay in memory until the loop's next event */

static void start_send(struct stream *s);

static void on_flush(struct io_task *task)
{
    start_send(CONTAINER_OF(task, struct stream, flush));
}

static void stream_setup(struct stream *s, size_t out_max, const struct stream_events *events)
{
    s->events = events;
    s->paused = true;
    io_op_init(&s->recv);
    io_op_init(&s->send);
    io_task_init(&s->flush);
    buf_init(&s->gather, out_max);
    buf_init(&s->sending, out_max);
    s->ended = s->broken = s->closing = s->late = false;
    s->sent = 0;
    s->tally = NULL;
    s->tallied = 0;
}

void stream_init(struct stream *s, struct io *io, int fd, size_t out_max,
                 const struct stream_events *events)
{
    io_file_adopt(io, &s->file, fd);
    stream_setup(s, out_max, events);
}

void stream_init_file(struct stream *s, struct io_file *f, size_t out_max,
                      const struct stream_events *events)
{
    struct io *io = f->io;
    stream_init(s, io, io_file_release(f), out_max, events);
}

static void broke(struct stream *s, int error)
{
    if (s->broken || s->closing)
        return;
    s->broken = s->ended = true;
    io_cancel(&s->recv);
    s->events->on_end(s, error);
}

/* ---- receiving ---- */

static void on_recv(struct io_op *op, struct io_event event)
{
    struct stream *s = CONTAINER_OF(op, struct stream, recv);
    if (s->closing)
        return;
    if (event.res > 0 && !s->ended)
        s->events->on_data(s, event.data);
    if (event.more || s->closing || s->ended)
        return;
    if (event.res == 0) {
        s->ended = true;
        io_send_hurry(&s->send);
        s->events->on_end(s, 0);
    } else if (event.res < 0 && event.res != -ECANCELED) {
        broke(s, event.res);
    } else if (!s->paused) {
        io_recv(&s->file, &s->recv, on_recv);
    }
}

void stream_pause(struct stream *s)
{
    if (s->paused)
        return;
    s->paused = true;
    io_send_hurry(&s->send);
    io_cancel(&s->recv);
}

void stream_resume(struct stream *s)
{
    if (!s->paused)
        return;
    s->paused = false;
    if (!s->recv.armed && !s->ended && !s->closing)
        io_recv(&s->file, &s->recv, on_recv);
}

/* ---- sending ---- */

static void on_sent(struct io_op *op, struct io_event event)
{
    struct stream *s = CONTAINER_OF(op, struct stream, send);
    if (s->closing || s->broken) /* broken by the recv while this one was under way */
        return;
    if (event.res < 0) {
        broke(s, event.res);
        return;
    }
    buf_consume(&s->sending, (size_t)event.res);
    s->sent += (uint64_t)event.res;
    stream_tally(s);
    if (stream_pending(s) > 0) {
        start_send(s);
        return;
    }
    buf_relax(&s->sending);
    if (s->events->on_drain)
        s->events->on_drain(s);
}

/* Nobody waits for the end of this send. Whatever changes that hurries it. */
static bool may_be_late(const struct stream *s)
{
    return s->late && !s->paused && !s->ended && buf_len(&s->gather) == 0 &&
           buf_len(&s->sending) <= LATE_MAX;
}

static void start_send(struct stream *s)
{
    if (s->send.armed || s->broken || s->closing)
        return;
    if (buf_len(&s->sending) == 0) {
        struct buf filled = s->gather;
        s->gather = s->sending;
        s->sending = filled;
    }
    struct slice bytes = buf_peek(&s->sending);
    if (bytes.len == 0)
        return;
    struct iovec part = {(void *)(uintptr_t)bytes.data, bytes.len};
    if (may_be_late(s))
        io_send_quietly(&s->file, &s->send, &part, 1, on_sent);
    else
        io_send(&s->file, &s->send, &part, 1, on_sent);
}

int stream_write(struct stream *s, struct slice data)
{
    int error = buf_append(&s->gather, data);
    if (!error)
        stream_flush(s);
    return error;
}

struct buf *stream_out(struct stream *s)
{
    return &s->gather;
}

void stream_flush(struct stream *s)
{
    stream_tally(s);
    if (s->send.armed)
        io_send_hurry(&s->send); /* what was written goes behind it */
    else if (!s->broken && !s->closing)
        io_defer(s->file.io, &s->flush, on_flush);
}

void stream_push(struct stream *s)
{
    start_send(s);
}

void stream_push_late(struct stream *s)
{
    if (s->send.armed)
        io_send_hurry(&s->send);
    else if (!s->broken && !s->closing)
        io_defer_late(s->file.io, &s->flush, on_flush);
}

void stream_drain_late(struct stream *s)
{
    s->late = true;
}

size_t stream_pending(const struct stream *s)
{
    return buf_len(&s->gather) + buf_len(&s->sending);
}

void stream_count(struct stream *s, struct stream_tally *tally)
{
    s->tally = tally;
    stream_tally(s);
}

void stream_tally(struct stream *s)
{
    size_t now = stream_pending(s);
    if (!s->tally || s->closing)
        return;
    s->tally->bytes = s->tally->bytes - s->tallied + now;
    s->tallied = now;
}

/* ---- closing ---- */

static void on_file_closed(struct io_file *file)
{
    struct stream *s = CONTAINER_OF(file, struct stream, file);
    buf_fini(&s->gather);
    buf_fini(&s->sending);
    s->events->on_closed(s);
}

void stream_send_last(struct stream *s, struct slice bytes)
{
    if (s->closing || s->broken || s->send.armed || buf_len(&s->sending) > 0)
        return;
    if (buf_len(&s->gather) > 0) {
        if (buf_append(&s->gather, bytes) != 0)
            return;
        bytes = buf_peek(&s->gather);
    }
    if (bytes.len > 0)
        io_send_last(&s->file, bytes.data, bytes.len);
}

void stream_close(struct stream *s)
{
    if (s->closing)
        return;
    s->closing = true;
    if (s->tally)
        s->tally->bytes -= s->tallied;
    io_task_cancel(&s->flush);
    io_close(&s->file, on_file_closed);
}
