/* Ops: starting, cancelling, and telling their events from the ready list.
 *
 * An op is armed from its start until its last event is told. In between lies the moment when the
 * driver has pushed the last event and the core has not told it yet (`ended`): the op still looks
 * armed to its owner, and a cancel has no effect any more.
 *
 * Invariants: file->armed_count is the number of ops in file->ops; stats.armed is the sum over all
 * files; a closing file becomes closable when its count reaches zero, and not before. After the
 * last event the core touches neither op nor its owner: the callback may have freed them. */
#include "loop.h"

#include <assert.h>
#include <errno.h>

void io_op_init(struct io_op *op)
{
    *op = (struct io_op){0};
}

/* ---- the ready list ---- */

void io_ready_push(struct io *io, struct io_op *op, struct io_event event, uint32_t buffer)
{
    assert(op->armed && !op->ended && io->ready_count < IO_READY_MAX);
    op->ended = !event.more;
    uint32_t last = (io->ready_first + io->ready_count++) % IO_READY_MAX;
    io->ready[last] = (struct io_ready){.op = op, .event = event, .buffer = buffer};
}

static void disarm(struct io *io, struct io_op *op)
{
    struct io_file *f = op->file;
    list_remove(&op->node);
    op->armed = op->cancelling = op->ended = false;
    io->stats.armed--;
    f->armed_count--;
    if (f->closing && f->armed_count == 0)
        list_append(&io->closable, &f->closing_node);
}

uint32_t io_ready_run(struct io *io, uint32_t budget)
{
    uint32_t count = 0;
    for (; count < budget && io->ready_count > 0; count++) {
        struct io_ready ready = io->ready[io->ready_first];
        io->ready_first = (io->ready_first + 1) % IO_READY_MAX;
        io->ready_count--;
        io->stats.events++;
        if (!ready.event.more)
            disarm(io, ready.op);
        ready.op->fn(ready.op, ready.event);
        if (ready.buffer != IO_NO_BUFFER)
            io->driver->give_back(io, ready.buffer);
    }
    return count;
}

/* ---- starting ---- */

/* Whether an op of this kind is armed on the file. */
static bool has_kind(const struct io_file *f, enum io_kind kind)
{
    for (const struct list *n = f->ops.next; n != &f->ops; n = n->next)
        if (CONTAINER_OF(n, struct io_op, node)->kind == kind)
            return true;
    return false;
}

static void start(struct io_file *f, struct io_op *op, enum io_kind kind, io_op_fn *fn)
{
    assert(!op->armed && !f->closing && f->fd >= 0);
    assert((kind != IO_KIND_RECV && kind != IO_KIND_SEND) || !has_kind(f, kind));
    op->fn = fn;
    op->file = f;
    op->kind = (uint8_t)kind;
    op->state = 0;
    op->armed = true;
    op->cancelling = op->ended = false;
    list_init(&op->driver_node);
    list_append(&f->ops, &op->node);
    f->armed_count++;

    struct io_stats *stats = &f->io->stats;
    if (++stats->armed > stats->armed_max)
        stats->armed_max = stats->armed;
    f->io->started = true;
    f->io->driver->arm(f->io, op);
}

void io_accept(struct io_file *f, struct io_op *op, io_op_fn *fn)
{
    start(f, op, IO_KIND_ACCEPT, fn);
}

void io_recv(struct io_file *f, struct io_op *op, io_op_fn *fn)
{
    start(f, op, IO_KIND_RECV, fn);
}

static void start_send(struct io_file *f, struct io_op *op, const struct iovec *parts,
                       unsigned count, bool quiet, io_op_fn *fn)
{
    assert(!op->armed && count <= IO_SEND_PARTS);
    op->quiet = quiet;
    for (unsigned i = 0; i < count; i++)
        op->u.send.parts[i] = parts[i];
    op->u.send.msg = (struct msghdr){.msg_iov = op->u.send.parts, .msg_iovlen = count};
    start(f, op, IO_KIND_SEND, fn);
}

void io_send(struct io_file *f, struct io_op *op, const struct iovec *parts, unsigned count,
             io_op_fn *fn)
{
    start_send(f, op, parts, count, false, fn);
}

void io_send_quietly(struct io_file *f, struct io_op *op, const struct iovec *parts, unsigned count,
                     io_op_fn *fn)
{
    start_send(f, op, parts, count, true, fn);
}

size_t io_send_len(const struct io_op *op)
{
    size_t len = 0;
    for (size_t i = 0; i < op->u.send.msg.msg_iovlen; i++)
        len += op->u.send.parts[i].iov_len;
    return len;
}

void io_send_hurry(struct io_op *op)
{
    op->quiet = false;
}

void io_connect(struct io_file *f, struct io_op *op, const struct sockaddr *addr, socklen_t len,
                io_op_fn *fn)
{
    assert(!op->armed && len <= sizeof op->u.connect.addr);
    memcpy(&op->u.connect.addr, addr, len);
    op->u.connect.len = len;
    start(f, op, IO_KIND_CONNECT, fn);
}

void io_poll(struct io_file *f, struct io_op *op, short events, io_op_fn *fn)
{
    assert(!op->armed);
    op->u.events = events;
    start(f, op, IO_KIND_POLL, fn);
}

static void start_rw(struct io_file *f, struct io_op *op, struct iovec bytes, off_t offset,
                     enum io_kind kind, io_op_fn *fn)
{
    assert(!op->armed && offset >= -1);
    op->u.rw.data = bytes.iov_base;
    op->u.rw.len = bytes.iov_len;
    op->u.rw.offset = offset;
    start(f, op, kind, fn);
}

void io_read(struct io_file *f, struct io_op *op, void *data, size_t len, off_t offset,
             io_op_fn *fn)
{
    start_rw(f, op, (struct iovec){data, len}, offset, IO_KIND_READ, fn);
}

void io_write(struct io_file *f, struct io_op *op, const void *data, size_t len, off_t offset,
              io_op_fn *fn)
{
    struct iovec bytes = {(void *)(uintptr_t)data, len};
    start_rw(f, op, bytes, offset, IO_KIND_WRITE, fn);
}

void io_cancel(struct io_op *op)
{
    if (!op->armed || op->cancelling || op->ended)
        return;
    op->cancelling = true;
    op->file->io->driver->cancel(op->file->io, op);
}
