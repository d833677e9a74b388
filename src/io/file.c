/* Files: a descriptor with the ops that are armed on it, and its two-phase end.
 *
 *   open --io_close--> closing --the last armed op ends--> closable --end of pass--> closed
 *     \--io_file_release (no op armed)--> dead
 *
 * The descriptor is closed only when no op is armed: the kernel keeps an op that was armed on a
 * closed descriptor alive and lets it write into its buffer. A file is closed at the end of a pass
 * and not from the last event's callback, so that the owner's code never returns into an object
 * that on_closed has freed. */
#include "loop.h"

#include <assert.h>
#include <errno.h>

static void file_init(struct io *io, struct io_file *f)
{
    *f = (struct io_file){.io = io, .fd = -1};
    list_init(&f->ops);
    list_init(&f->closing_node);
}

void io_file_adopt(struct io *io, struct io_file *f, int fd)
{
    assert(fd >= 0);
    file_init(io, f);
    f->fd = fd;
    io->files_open++;
}

/* Adopts what a driver's call returned: a descriptor or -errno. */
static int adopt_result(struct io *io, struct io_file *f, int result)
{
    if (result < 0) {
        file_init(io, f);
        return result;
    }
    io_file_adopt(io, f, result);
    return 0;
}

int io_file_socket(struct io *io, struct io_file *f, int family)
{
    return adopt_result(io, f, io->driver->socket(io, family));
}

int io_file_bind(struct io_file *f, const struct sockaddr *addr, socklen_t len)
{
    return f->io->driver->bind(f->io, f->fd, addr, len);
}

int io_file_listen(struct io *io, struct io_file *f, const struct sockaddr *addr, socklen_t len,
                   int backlog)
{
    return adopt_result(io, f, io->driver->listen(io, addr, len, backlog));
}

int io_file_address(const struct io_file *f, struct sockaddr_storage *addr, socklen_t *len)
{
    return f->io->driver->address(f->io, f->fd, addr, len);
}

int io_file_release(struct io_file *f)
{
    assert(f->fd >= 0 && f->armed_count == 0 && !f->closing);
    int fd = f->fd;
    f->fd = -1;
    f->io->files_open--;
    return fd;
}

void io_discard(struct io *io, int fd)
{
    io->driver->close(io, fd);
}

uint32_t io_files_open(const struct io *io)
{
    return io->files_open;
}

void io_file_tune(struct io_file *f)
{
    f->io->driver->tune(f->io, f->fd);
}

void io_shutdown_send(struct io_file *f)
{
    assert(f->fd >= 0);
    f->io->driver->shutdown_send(f->io, f->fd);
}

void io_send_last(struct io_file *f, const void *data, size_t len)
{
    assert(f->fd >= 0 && !f->closing);
    f->io->driver->send_last(f->io, f->fd, data, len);
}

void io_close(struct io_file *f, io_closed_fn *on_closed)
{
    if (f->closing)
        return;
    assert(f->fd >= 0);
    f->closing = true;
    f->on_closed = on_closed;
    for (struct list *n = f->ops.next; n != &f->ops; n = n->next)
        io_cancel(CONTAINER_OF(n, struct io_op, node));
    if (f->armed_count == 0)
        list_append(&f->io->closable, &f->closing_node);
}

bool io_closable_run(struct io *io)
{
    struct list closable;
    list_init(&closable);
    list_splice(&closable, &io->closable); /* what on_closed closes waits for the next pass */
    bool any = false;
    for (struct list *n = list_shift(&closable); n; n = list_shift(&closable)) {
        struct io_file *f = CONTAINER_OF(n, struct io_file, closing_node);
        assert(f->armed_count == 0 && list_empty(&f->ops));
        io->driver->close(io, f->fd);
        f->fd = -1;
        io->files_open--;
        any = true;
        if (f->on_closed)
            f->on_closed(f);
    }
    return any;
}
