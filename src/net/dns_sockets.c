/* The polls of c-ares' sockets.
 *
 * c-ares sends and receives by itself, on non-blocking sockets, and closes them by itself, even
 * while a poll of ours is armed on one. A closed descriptor's number is used again at once, and the
 * port demands that a descriptor outlives the ops on it. Therefore each socket is polled through a
 * duplicate of its own, made when c-ares first names the socket and closed in the port's two phases
 * after c-ares has let go of it. The duplicate keeps the socket open for one pass more; what still
 * arrives there is read by nobody.
 *
 *   named by c-ares --dup--> polled --c-ares closes its own--> closing --last event--> freed
 *
 * Reads and writes are polled by an op each: a poll that c-ares does not want any more stays armed,
 * and its event only finds that nothing is wanted. */
#include "dns_sockets.h"

#include "scout/base/container.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

struct dns_socket {
    struct dns_sockets *all;
    struct list node; /* in all->list until c-ares closes its own */
    int fd;           /* c-ares' descriptor; ours is the file's */
    struct io_file file;
    struct io_op read, write;
    bool want_read, want_write;
};

static void arm(struct dns_socket *s);

static void on_readable(struct io_op *op, struct io_event event)
{
    struct dns_socket *s = CONTAINER_OF(op, struct dns_socket, read);
    if (s->file.closing || event.res < 0 || !s->want_read)
        return;
    s->all->events->on_readable(s->all->context, s->fd);
    arm(s);
}

static void on_writable(struct io_op *op, struct io_event event)
{
    struct dns_socket *s = CONTAINER_OF(op, struct dns_socket, write);
    if (s->file.closing || event.res < 0 || !s->want_write)
        return;
    s->all->events->on_writable(s->all->context, s->fd);
    arm(s);
}

static void arm(struct dns_socket *s)
{
    if (s->file.closing)
        return;
    if (s->want_read && !s->read.armed)
        io_poll(&s->file, &s->read, POLLIN, on_readable);
    if (s->want_write && !s->write.armed)
        io_poll(&s->file, &s->write, POLLOUT, on_writable);
}

static void on_closed(struct io_file *file)
{
    struct dns_socket *s = CONTAINER_OF(file, struct dns_socket, file);
    s->all->count--;
    s->all->events->on_closed(s->all->context);
    free(s);
}

static struct dns_socket *socket_new(struct dns_sockets *all, struct io *io, int fd)
{
    struct dns_socket *s = calloc(1, sizeof *s);
    int own = s ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (own < 0) {
        free(s);
        return NULL;
    }
    s->all = all;
    s->fd = fd;
    io_file_adopt(io, &s->file, own);
    list_append(&all->list, &s->node);
    all->count++;
    return s;
}

static struct dns_socket *socket_get(const struct dns_sockets *all, int fd)
{
    for (struct list *n = all->list.next; n != &all->list; n = n->next) {
        struct dns_socket *s = CONTAINER_OF(n, struct dns_socket, node);
        if (s->fd == fd)
            return s;
    }
    return NULL;
}

void dns_sockets_init(struct dns_sockets *all, const struct dns_socket_events *events,
                      void *context)
{
    *all = (struct dns_sockets){.events = events, .context = context};
    list_init(&all->list);
}

void dns_sockets_want(struct dns_sockets *all, struct io *io, int fd, bool read, bool write)
{
    struct dns_socket *s = socket_get(all, fd);
    if (!read && !write) {
        if (!s)
            return;
        list_remove(&s->node);
        io_close(&s->file, on_closed);
        return;
    }
    if (!s)
        s = socket_new(all, io, fd);
    if (!s)
        return;
    s->want_read = read;
    s->want_write = write;
    arm(s);
}

bool dns_sockets_are_let_go(const struct dns_sockets *all)
{
    return list_empty(&all->list);
}
