/* A listening socket with one multishot accept.
 *
 * When the process or the machine is out of descriptors or memory, accepting again at once would
 * spin: the accept is armed again after a short wait instead. Other errors of a single connection
 * (it was gone before it was accepted) are passed over. */
#include "scout/net/listener.h"

#include "scout/base/time.h"
#include <errno.h>

static void arm(struct listener *l);

static void on_retry(struct io_timer *timer)
{
    arm(CONTAINER_OF(timer, struct listener, retry));
}

static void on_accept(struct io_op *op, struct io_event event)
{
    struct listener *l = CONTAINER_OF(op, struct listener, accept);
    if (event.res >= 0) {
        l->accepted++;
        l->events->on_accept(l, event.res);
    }
    if (event.more || l->closing)
        return;
    if (event.res == -ECONNABORTED || event.res >= 0) {
        arm(l);
        return;
    }
    l->retries++;
    io_timer_start(l->file.io, &l->retry,
                   io_now(l->file.io) + LISTENER_RETRY_MS * (uint64_t)NS_PER_MS, on_retry);
}

static void arm(struct listener *l)
{
    io_accept(&l->file, &l->accept, on_accept);
}

static void setup(struct listener *l, const struct listener_events *events)
{
    l->events = events;
    l->accepted = l->retries = 0;
    l->closing = false;
    io_op_init(&l->accept);
    io_timer_init(&l->retry);
    arm(l);
}

int listener_open(struct listener *l, struct io *io, const struct sockaddr *addr, socklen_t len,
                  const struct listener_events *events)
{
    int error = io_file_listen(io, &l->file, addr, len, LISTENER_BACKLOG);
    if (!error)
        setup(l, events);
    return error;
}

void listener_adopt(struct listener *l, struct io *io, int fd, const struct listener_events *events)
{
    io_file_adopt(io, &l->file, fd);
    setup(l, events);
}

static void on_closed(struct io_file *file)
{
    struct listener *l = CONTAINER_OF(file, struct listener, file);
    if (l->events->on_closed)
        l->events->on_closed(l);
}

void listener_close(struct listener *l)
{
    if (l->closing)
        return;
    l->closing = true;
    io_timer_stop(l->file.io, &l->retry);
    io_close(&l->file, on_closed);
}
