/* From completions to events: what the kernel says, in the terms of io.h.
 *
 * The kernel ends a multishot request for reasons of its own (no buffer, a full completion queue);
 * the owner is not told: the op is armed again, here or by the next wait. Only a cancel, the end of
 * the stream or an error ends it for the owner. A completion can make two events (its data, and the
 * end of an op that is cancelled), hence it is taken only while the ready list has room for two;
 * the rest stays in the completion queue, and the kernel keeps what does not fit there.
 *
 * Invariant: an op gets exactly one last event, and after it no completion carries its address. */
#include "poison.h"
#include "ring.h"

#include <assert.h>
#include <errno.h>

/* Also for an op whose cancel has not gone out yet: it is not needed any more. */
static void left_kernel(struct io_op *op)
{
    if (list_linked(&op->driver_node))
        list_remove(&op->driver_node);
    op->state = RING_IN_KERNEL;
}

static void arm_again_or_end(struct ring *r, struct io_op *op)
{
    if (op->cancelling)
        ring_end(r, op, -ECANCELED);
    else
        ring_arm(&r->io, op);
}

static uint32_t take_buffer(struct ring *r, const struct io_uring_cqe *cqe)
{
    uint32_t buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    assert(buffer < r->buffer_count && r->buffers_free > 0);
    r->buffers_free--;
    return buffer;
}

static void recv_done(struct ring *r, struct io_op *op, const struct io_uring_cqe *cqe)
{
    bool more = cqe->flags & IORING_CQE_F_MORE;
    uint32_t buffer = IO_NO_BUFFER;
    if (cqe->flags & IORING_CQE_F_BUFFER)
        buffer = take_buffer(r, cqe);

    if (cqe->res > 0) {
        assert(buffer != IO_NO_BUFFER && cqe->res <= IO_RECV_SIZE);
        uint8_t *data = r->buffers + (size_t)buffer * IO_RECV_SIZE;
        unpoison(data, (size_t)cqe->res);
        struct io_event event = {
            .res = cqe->res, .more = true, .data = slice_of(data, (size_t)cqe->res)};
        io_ready_push(&r->io, op, event, buffer);
        if (!more)
            arm_again_or_end(r, op);
        return;
    }
    if (buffer != IO_NO_BUFFER)
        ring_give_back(&r->io, buffer);
    if (more)
        return;
    if (cqe->res == -ENOBUFS && !op->cancelling) {
        r->io.stats.recv_starved++;
        op->state = RING_STARVED;
        list_append(&r->starved, &op->driver_node);
    } else if (cqe->res == -ENOBUFS || cqe->res == -EINTR || cqe->res == -EAGAIN) {
        arm_again_or_end(r, op);
    } else {
        ring_end(r, op, cqe->res);
    }
}

static void accept_done(struct ring *r, struct io_op *op, const struct io_uring_cqe *cqe)
{
    bool more = cqe->flags & IORING_CQE_F_MORE;
    bool passed_over = cqe->res == -ECONNABORTED || cqe->res == -EINTR || cqe->res == -EAGAIN;
    if (cqe->res >= 0)
        io_ready_push(&r->io, op, (struct io_event){.res = cqe->res, .more = true}, IO_NO_BUFFER);
    if (more)
        return;
    if (cqe->res >= 0 || passed_over)
        arm_again_or_end(r, op);
    else
        ring_end(r, op, cqe->res);
}

/* Connect, poll: the first result is the last. */
static void single_done(struct ring *r, struct io_op *op, const struct io_uring_cqe *cqe)
{
    /* An interrupted connect goes on by itself; to start it again would be refused. */
    if (cqe->res == -EINTR && (op->cancelling || op->kind != IO_KIND_CONNECT))
        arm_again_or_end(r, op);
    else
        ring_end(r, op, cqe->res);
}

/* Send, read, write. On a non-blocking descriptor the kernel may answer -EAGAIN at once instead of
 * waiting by itself (a socket whose peer reads slowly does): then a poll waits. */
static void rw_done(struct ring *r, struct io_op *op, const struct io_uring_cqe *cqe,
                    enum ring_state was)
{
    if (was == RING_POLLING && cqe->res >= 0)
        arm_again_or_end(r, op);
    else if (cqe->res == -EAGAIN && !op->cancelling)
        ring_arm_poll(r, op);
    else if (cqe->res == -EAGAIN || cqe->res == -EINTR)
        arm_again_or_end(r, op);
    else
        ring_end(r, op, cqe->res);
}

static void op_done(struct ring *r, struct io_op *op, const struct io_uring_cqe *cqe)
{
    enum ring_state was = op->state;
    if (!(cqe->flags & IORING_CQE_F_MORE))
        left_kernel(op);
    switch ((enum io_kind)op->kind) {
    case IO_KIND_ACCEPT:
        accept_done(r, op, cqe);
        break;
    case IO_KIND_RECV:
        recv_done(r, op, cqe);
        break;
    case IO_KIND_CONNECT:
    case IO_KIND_POLL:
        single_done(r, op, cqe);
        break;
    case IO_KIND_SEND:
    case IO_KIND_READ:
    case IO_KIND_WRITE:
        rw_done(r, op, cqe, was);
        break;
    }
}

static void jobs_done(struct ring *r)
{
    r->jobs_polled = false; /* the next wait polls again */
    for (struct io_job *job = jobs_take_finished(&r->jobs); job;) {
        struct io_job *next = job->next;
        io_job_finished(&r->io, job);
        job = next;
    }
}

/* No completion is left, so all the quiet sends that the kernel has taken went whole. */
static void settle(struct ring *r)
{
    while (!list_empty(&r->settling) && io_ready_room(&r->io) > 0) {
        struct io_op *op = CONTAINER_OF(list_shift(&r->settling), struct io_op, driver_node);
        op->state = RING_IN_KERNEL;
        ring_end(r, op, (int)io_send_len(op));
    }
}

void ring_harvest(struct ring *r)
{
    struct io_uring_cqe *next;
    while (io_ready_room(&r->io) >= 2) {
        if (io_uring_peek_cqe(&r->uring, &next) != 0) {
            if (!io_uring_cq_has_overflow(&r->uring))
                settle(r);
            return;
        }
        struct io_uring_cqe cqe = *next; /* its slot is free before a new arm may need it */
        io_uring_cqe_seen(&r->uring, next);
        if (cqe.user_data == RING_TAG_JOBS)
            jobs_done(r);
        else if (cqe.user_data != RING_TAG_IGNORE)
            op_done(r, (struct io_op *)(uintptr_t)cqe.user_data, &cqe);
    }
}
