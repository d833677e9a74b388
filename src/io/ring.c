/* The io_uring driver: arming, cancelling, waiting. Opening is in ring_setup.c, the translation of
 * completions in ring_events.c.
 *
 * An op's address is its user_data. A cancel goes through the same queue as what it cancels, behind
 * it, and the owner can arm the op again only behind the cancel: so a cancel can never hit a later
 * use of the same op. What finds no room in the submission queue, even after a submit, waits in a
 * list until the next pass; nothing is lost and nothing blocks.
 *
 * Invariants: an op with a list state is in exactly that list; an op that is not in the kernel and
 * is cancelled gets its last event from the next wait, which then does not wait. */
#include "ring.h"

#include "clock.h"
#include "poison.h"
#include "posix.h"
#include "scout/base/time.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>

/* ---- the submission queue ---- */

/* NULL only when the kernel takes nothing (it is out of memory). */
static struct io_uring_sqe *get_sqe(struct ring *r)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);
    if (sqe)
        return sqe;
    r->io.stats.submits++;
    (void)io_uring_submit(&r->uring); /* a failure shows in the next line */
    return io_uring_get_sqe(&r->uring);
}

static void park(struct io_op *op, enum ring_state state, struct list *list)
{
    op->state = (uint8_t)state;
    list_append(list, &op->driver_node);
}

static void prepare_recv(struct io_uring_sqe *sqe, int fd)
{
    io_uring_prep_recv(sqe, fd, NULL, 0, 0);
    sqe->ioprio |= IORING_RECV_MULTISHOT;
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = RING_BUFFER_GROUP;
}

/* A quiet send never waits by itself: it is done when the kernel has taken it, and completes only
 * if not all of it went. MSG_WAITALL makes a short one a failure. */
static void prepare_send(struct io_uring_sqe *sqe, struct io_op *op)
{
    const struct msghdr *msg = &op->u.send.msg;
    int flags = MSG_NOSIGNAL | (op->quiet ? MSG_DONTWAIT | MSG_WAITALL : 0);
    if (msg->msg_iovlen == 1)
        io_uring_prep_send(sqe, op->file->fd, msg->msg_iov->iov_base, msg->msg_iov->iov_len, flags);
    else
        io_uring_prep_sendmsg(sqe, op->file->fd, msg, (unsigned)flags);
    if (op->quiet)
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void prepare(struct io_uring_sqe *sqe, struct io_op *op)
{
    int fd = op->file->fd;
    /* A longer transfer ends short, as the kernel itself cuts it. */
    unsigned len = 0;
    if (op->kind == IO_KIND_READ || op->kind == IO_KIND_WRITE)
        len = op->u.rw.len > INT32_MAX ? INT32_MAX : (unsigned)op->u.rw.len;

    switch ((enum io_kind)op->kind) {
    case IO_KIND_ACCEPT:
        io_uring_prep_multishot_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        break;
    case IO_KIND_RECV:
        prepare_recv(sqe, fd);
        break;
    case IO_KIND_SEND:
        prepare_send(sqe, op);
        break;
    case IO_KIND_CONNECT:
        io_uring_prep_connect(sqe, fd, (struct sockaddr *)&op->u.connect.addr, op->u.connect.len);
        break;
    case IO_KIND_POLL:
        io_uring_prep_poll_add(sqe, fd, (unsigned short)op->u.events);
        break;
    case IO_KIND_READ:
        poison(op->u.rw.data, len); /* until ring_end */
        io_uring_prep_read(sqe, fd, op->u.rw.data, len, (__u64)op->u.rw.offset);
        break;
    case IO_KIND_WRITE:
        io_uring_prep_write(sqe, fd, op->u.rw.data, len, (__u64)op->u.rw.offset);
        break;
    }
}

void ring_arm(struct io *io, struct io_op *op)
{
    struct ring *r = ring_of(io);
    struct io_uring_sqe *sqe = get_sqe(r);
    if (!sqe) {
        park(op, RING_UNARMED, &r->unarmed);
        return;
    }
    prepare(sqe, op);
    io_uring_sqe_set_data64(sqe, (uintptr_t)op);
    if (op->kind == IO_KIND_SEND && op->quiet)
        park(op, RING_QUIET, &r->quiet);
    else
        op->state = RING_IN_KERNEL;
}

void ring_arm_poll(struct ring *r, struct io_op *op)
{
    struct io_uring_sqe *sqe = get_sqe(r);
    if (!sqe) {
        park(op, RING_UNARMED, &r->unarmed);
        return;
    }
    io_uring_prep_poll_add(sqe, op->file->fd, op->kind == IO_KIND_READ ? POLLIN : POLLOUT);
    io_uring_sqe_set_data64(sqe, (uintptr_t)op);
    op->state = RING_POLLING;
}

void ring_end(struct ring *r, struct io_op *op, int res)
{
    if (op->kind == IO_KIND_READ)
        unpoison(op->u.rw.data, op->u.rw.len);
    io_ready_push_last(&r->io, op, res);
}

static void ring_cancel(struct io *io, struct io_op *op)
{
    struct ring *r = ring_of(io);
    if (op->state == RING_UNARMED || op->state == RING_STARVED)
        return; /* the next wait sees that it is cancelling */
    if (op->state == RING_QUIET)
        return; /* it ends with the next wait in any case */
    struct io_uring_sqe *sqe = get_sqe(r);
    if (!sqe) {
        list_append(&r->uncancelled, &op->driver_node);
        return;
    }
    io_uring_prep_cancel64(sqe, (uintptr_t)op, 0);
    io_uring_sqe_set_data64(sqe, RING_TAG_IGNORE);
}

/* ---- what had to wait ---- */

/* Arms each op of the list (into which it may come back), or ends it when it was cancelled. */
static void arm_list(struct ring *r, struct list *list, bool may_arm)
{
    struct list kept;
    list_init(&kept);
    for (struct list *n = list_shift(list); n; n = list_shift(list)) {
        struct io_op *op = CONTAINER_OF(n, struct io_op, driver_node);
        if (op->cancelling && io_ready_room(&r->io) > 0)
            ring_end(r, op, -ECANCELED);
        else if (op->cancelling || !may_arm || io_uring_sq_space_left(&r->uring) == 0)
            list_append(&kept, n);
        else
            ring_arm(&r->io, op);
    }
    list_splice(&kept, list);
    list_splice(list, &kept);
}

static void resume(struct ring *r)
{
    /* Make room first, so that the lists go in order and fill what there is. */
    if (!list_empty(&r->unarmed) || !list_empty(&r->starved))
        if (io_uring_sq_space_left(&r->uring) == 0) {
            r->io.stats.submits++;
            (void)io_uring_submit(&r->uring);
        }
    arm_list(r, &r->unarmed, true);
    arm_list(r, &r->starved, r->buffers_free > 0);

    struct list late;
    list_init(&late);
    list_splice(&late, &r->uncancelled);
    for (struct list *n = list_shift(&late); n; n = list_shift(&late))
        ring_cancel(&r->io, CONTAINER_OF(n, struct io_op, driver_node));

    if (r->jobs_watched && !r->jobs_polled) {
        struct io_uring_sqe *sqe = get_sqe(r);
        if (sqe) {
            io_uring_prep_poll_add(sqe, r->jobs.wake_fd, POLLIN);
            io_uring_sqe_set_data64(sqe, RING_TAG_JOBS);
            r->jobs_polled = true;
        }
    }
}

/* Whether the end of a quiet send is waited for after all. */
static bool is_hurried(const struct ring *r)
{
    for (const struct list *n = r->quiet.next; n != &r->quiet; n = n->next) {
        const struct io_op *op = CONTAINER_OF(n, struct io_op, driver_node);
        if (!op->quiet || op->cancelling)
            return true;
    }
    return false;
}

/* Whether something waits for room in the submission queue: then a pass must not sleep. Starved ops
 * do not count: a buffer that is out comes back from an event, and one that is not arms them. */
static bool must_not_sleep(const struct ring *r)
{
    return r->io.ready_count > 0 || r->io.jobs_done || !list_empty(&r->unarmed) ||
           !list_empty(&r->uncancelled) || (r->jobs_watched && !r->jobs_polled) ||
           (r->buffers_free > 0 && !list_empty(&r->starved)) || io_uring_cq_ready(&r->uring) > 0 ||
           is_hurried(r);
}

/* ---- the driver ---- */

static void ring_update_clock(struct io *io)
{
    io->now_ns = clock_monotonic_ns();
    io->wall_ms = clock_wall_ms();
}

static void ring_wait(struct io *io, uint64_t until_ns)
{
    struct ring *r = ring_of(io);
    resume(r);
    io->stats.submits++;
    int error;
    if (until_ns <= io->now_ns || must_not_sleep(r)) {
        error = io_uring_submit_and_get_events(&r->uring);
    } else {
        uint64_t wait_ns = until_ns - io->now_ns;
        struct __kernel_timespec ts = {.tv_sec = (long long)(wait_ns / NS_PER_S),
                                       .tv_nsec = (long long)(wait_ns % NS_PER_S)};
        struct io_uring_cqe *cqe;
        error = io_uring_submit_and_wait_timeout(&r->uring, &cqe, 1,
                                                 until_ns == UINT64_MAX ? NULL : &ts, NULL);
        ring_update_clock(io);
    }
    /* -ETIME and -EINTR are ordinary; on -EAGAIN, -EBUSY and -ENOMEM the entries stay queued for
     * the next pass, and what has completed is taken now. */
    assert(error >= 0 || error == -ETIME || error == -EINTR || error == -EAGAIN ||
           error == -EBUSY || error == -ENOMEM);
    if (io_uring_sq_ready(&r->uring) == 0)
        list_splice(&r->settling, &r->quiet);
    ring_harvest(r);
}

void ring_give_back(struct io *io, uint32_t buffer)
{
    struct ring *r = ring_of(io);
    assert(buffer < r->buffer_count && r->buffers_free < r->buffer_count);
    uint8_t *data = r->buffers + (size_t)buffer * IO_RECV_SIZE;
    poison(data, IO_RECV_SIZE);
    io_uring_buf_ring_add(r->buf_ring, data, IO_RECV_SIZE, (unsigned short)buffer,
                          io_uring_buf_ring_mask(r->buffer_count), 0);
    io_uring_buf_ring_advance(r->buf_ring, 1);
    r->buffers_free++;
}

static void ring_random(struct io *io, void *out, size_t len)
{
    random_take(&ring_of(io)->random, out, len);
}

static void ring_job_start(struct io *io, struct io_job *job)
{
    struct ring *r = ring_of(io);
    if (jobs_submit(&r->jobs, job)) {
        r->jobs_watched = true;
        return;
    }
    /* The system gives no thread at all: the work is late and holds the loop up, but is done. */
    job->run(job);
    io_job_finished(io, job);
}

static void ring_free(struct io *io)
{
    assert(io->stats.armed == 0 && io->files_open == 0);
    ring_teardown(ring_of(io));
}

const struct io_driver ring_driver = {
    .free = ring_free,
    .update_clock = ring_update_clock,
    .wait = ring_wait,
    .arm = ring_arm,
    .cancel = ring_cancel,
    .give_back = ring_give_back,
    .socket = posix_socket,
    .bind = posix_bind,
    .listen = posix_listen,
    .address = posix_address,
    .tune = posix_tune,
    .shutdown_send = posix_shutdown_send,
    .send_last = posix_send_last,
    .close = posix_close,
    .random = ring_random,
    .job_start = ring_job_start,
};
