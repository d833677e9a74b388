/* The log's way out: records gather in the log's buffer while the previous ones are being written,
 * and for a moment longer: a file is written to by a thread of the kernel's, and to wake one for
 * each call would cost more than the call. What comes after a pause goes out at once. */
#include "log_sink.h"

#include "scout/base/time.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define REST_MS  10            /* between two writes */
#define REST_MAX (64u * 1024u) /* bytes that may gather meanwhile */

static void on_task(struct io_task *task);

static uint64_t loop_clock(const void *context)
{
    return io_wall_ms(context);
}

static void on_record(struct log *log)
{
    struct log_sink *s = CONTAINER_OF(log, struct log_sink, log);
    bool now = !s->rests || buf_len(&s->log.out) > REST_MAX;
    if (s->open && !s->write.armed && now)
        io_defer(s->file.io, &s->task, on_task);
}

static void on_rested(struct io_timer *timer)
{
    struct log_sink *s = CONTAINER_OF(timer, struct log_sink, timer);
    on_task(&s->task);
}

static void on_written(struct io_op *op, struct io_event event)
{
    struct log_sink *s = CONTAINER_OF(op, struct log_sink, write);
    if (event.res > 0)
        buf_consume(&s->writing, (size_t)event.res);
    else if (event.res != -EINTR && event.res != -EAGAIN && event.res != -ECANCELED)
        buf_clear(&s->writing); /* stderr is gone: there is nobody to tell */
    if (!s->open)
        return;
    s->rests = buf_len(&s->writing) == 0 && buf_len(&s->log.out) <= REST_MAX;
    if (!s->rests)
        io_defer(s->file.io, &s->task, on_task);
    else
        io_timer_start(s->file.io, &s->timer, io_now(s->file.io) + REST_MS * NS_PER_MS, on_rested);
}

static void on_task(struct io_task *task)
{
    struct log_sink *s = CONTAINER_OF(task, struct log_sink, task);
    if (!s->open || s->write.armed)
        return;
    if (buf_len(&s->writing) == 0) {
        struct buf filled = s->log.out;
        s->log.out = s->writing;
        s->writing = filled;
    }
    struct slice bytes = buf_peek(&s->writing);
    s->rests = false;
    io_timer_stop(s->file.io, &s->timer);
    if (bytes.len > 0)
        io_write(&s->file, &s->write, bytes.data, bytes.len, -1, on_written);
}

void log_sink_init(struct log_sink *s, enum log_level level)
{
    *s = (struct log_sink){0};
    log_init(&s->log, level, LOG_SINK_MAX);
    buf_init(&s->writing, LOG_SINK_MAX);
    io_op_init(&s->write);
    io_task_init(&s->task);
    io_timer_init(&s->timer);
}

void log_sink_open(struct log_sink *s, struct io *io, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    s->log.clock = loop_clock;
    s->log.clock_context = io;
    s->log.on_record = on_record;
    if (copy < 0)
        return;
    io_file_adopt(io, &s->file, copy);
    s->open = true;
    io_defer(io, &s->task, on_task);
}

void log_sink_close(struct log_sink *s)
{
    if (!s->open)
        return;
    s->open = s->rests = false;
    io_task_cancel(&s->task);
    io_timer_stop(s->file.io, &s->timer);
    io_close(&s->file, NULL);
}

static void write_all(int fd, struct buf *b)
{
    while (buf_len(b) > 0) {
        ssize_t n = write(fd, buf_peek(b).data, buf_len(b));
        if (n <= 0)
            return;
        buf_consume(b, (size_t)n);
    }
}

void log_sink_fini(struct log_sink *s, int fd)
{
    write_all(fd, &s->writing);
    write_all(fd, &s->log.out);
    buf_fini(&s->writing);
    log_fini(&s->log);
}
