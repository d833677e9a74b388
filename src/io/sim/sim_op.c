/* Ops: what each kind waits for (is_ready), and what it gets when its time has come (sim_fire).
 *
 *   armed --ready: into the heap at now + delay--> due --fire--> told, or armed again (multishot)
 *
 * A cancel puts the op first in the heap and fires as -ECANCELED, whatever it waited for. Readiness
 * is asked again when a wake fires: what made it ready may be gone, and it goes on waiting then.
 * One wake pushes at most one event, so that the ready list's room is a bound. */
#include "sim.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

/* ---- readiness ---- */

static bool can_receive(const struct sim_socket *s)
{
    return buf_len(&s->in) > 0 || s->in_ended || s->reset || !s->connected;
}

static bool can_send(const struct sim_socket *s)
{
    return !s->peer || s->out_ended || buf_room(&s->peer->in) > 0;
}

static short poll_mask(const struct sim_socket *s)
{
    if (s->listening)
        return s->waiting_count > 0 ? POLLIN : 0;
    if (!s->connected)
        return POLLHUP | POLLOUT;
    int mask = can_receive(s) ? POLLIN : 0;
    if (can_send(s))
        mask |= POLLOUT;
    if (s->reset)
        mask |= POLLERR;
    if (s->reset || !s->peer || (s->in_ended && s->out_ended))
        mask |= POLLHUP;
    return (short)mask;
}

static short poll_result(const struct sim_wake *wake)
{
    int wanted = wake->op->u.events | POLLERR | POLLHUP;
    return (short)(poll_mask(wake->socket) & wanted);
}

static bool is_ready(const struct sim_wake *wake)
{
    const struct sim_socket *s = wake->socket;
    switch ((enum io_kind)wake->op->kind) {
    case IO_KIND_ACCEPT:
        return s->waiting_count > 0 || !s->listening;
    case IO_KIND_RECV:
        return can_receive(s);
    case IO_KIND_SEND:
        return can_send(s);
    case IO_KIND_POLL:
        return poll_result(wake) != 0;
    case IO_KIND_CONNECT:
    case IO_KIND_READ:
    case IO_KIND_WRITE:
        break;
    }
    return true;
}

static bool is_delayed(const struct io_op *op)
{
    return op->kind == IO_KIND_ACCEPT || op->kind == IO_KIND_RECV || op->kind == IO_KIND_CONNECT;
}

void sim_schedule(struct sim *sim, struct sim_wake *wake)
{
    if (wake->op->cancelling || heap_linked(&wake->node) || !is_ready(wake))
        return;
    uint64_t delay = is_delayed(wake->op) ? sim_delay(sim) : 0;
    heap_insert(&sim->due, &wake->node, sim->io.now_ns + delay);
}

void sim_touch(struct sim *sim, struct sim_socket *s)
{
    for (struct list *n = s->wakes.next; n != &s->wakes; n = n->next)
        sim_schedule(sim, CONTAINER_OF(n, struct sim_wake, in_socket));
}

void sim_retry(struct sim *sim, struct sim_wake *wake)
{
    heap_insert(&sim->due, &wake->node, sim->io.now_ns + SIM_RETRY_NS);
}

/* ---- arming ---- */

void sim_arm(struct io *io, struct io_op *op)
{
    struct sim *sim = sim_of(io);
    struct sim_wake *wake = calloc(1, sizeof *wake);
    assert(wake); /* starting an op cannot fail */
    wake->op = op;
    wake->socket = sim_socket_get(sim, op->file->fd);
    list_append(&wake->socket->wakes, &wake->in_socket);
    sim_schedule(sim, wake);
}

void sim_cancel(struct io *io, struct io_op *op)
{
    struct sim *sim = sim_of(io);
    struct sim_socket *s = sim_socket_get(sim, op->file->fd);
    for (struct list *n = s->wakes.next; n != &s->wakes; n = n->next) {
        struct sim_wake *wake = CONTAINER_OF(n, struct sim_wake, in_socket);
        if (wake->op != op)
            continue;
        if (heap_linked(&wake->node))
            heap_remove(&sim->due, &wake->node);
        heap_insert(&sim->due, &wake->node, 0);
        return;
    }
    assert(false); /* an armed op has a wake */
}

void sim_end(struct sim *sim, struct sim_wake *wake, int res)
{
    io_ready_push_last(&sim->io, wake->op, res);
    list_remove(&wake->in_socket);
    if (heap_linked(&wake->node))
        heap_remove(&sim->due, &wake->node); /* what it did touched its own socket */
    free(wake);
}

/* ---- send ---- */

/* Appends the first `len` bytes of the parts; returns how many went. */
static size_t append_parts(struct buf *to, const struct msghdr *msg, size_t len)
{
    size_t done = 0;
    for (size_t i = 0; i < msg->msg_iovlen && done < len; i++) {
        const struct iovec *part = &msg->msg_iov[i];
        size_t take = part->iov_len < len - done ? part->iov_len : len - done;
        if (take > 0 && buf_append(to, slice_of(part->iov_base, take)) != 0)
            break;
        done += take;
    }
    return done;
}

static void fire_send(struct sim *sim, struct sim_wake *wake)
{
    struct sim_socket *s = wake->socket, *peer = s->peer;
    if (!s->connected) {
        sim_end(sim, wake, -ENOTCONN);
        return;
    }
    if (!peer || s->out_ended) {
        sim_end(sim, wake, -EPIPE);
        return;
    }
    size_t len = io_send_len(wake->op), room = buf_room(&peer->in);
    if (len > room)
        len = room;
    if (len > 1 && sim_happens(sim, sim->faults.short_send))
        len = 1 + sim_draw(sim, len - 1);
    size_t sent = append_parts(&peer->in, &wake->op->u.send.msg, len);
    if (wake->op->quiet && sent == io_send_len(wake->op)) {
        wake->sent = (int)sent;
        list_remove(&wake->in_socket);
        list_append(&sim->quiet, &wake->in_socket);
        sim->quiet_count++;
    } else {
        sim_end(sim, wake, sent < len && sent == 0 ? -ENOMEM : (int)sent);
    }
    sim_touch(sim, peer);
}

/* ---- the others ---- */

static void fire_connect(struct sim *sim, struct sim_wake *wake)
{
    struct sim_socket *s = wake->socket;
    const struct io_op *op = wake->op;
    struct sim_socket *listener = sim_socket_listener(sim, &op->u.connect.addr, op->u.connect.len);
    if (s->connected || s->listening)
        sim_end(sim, wake, -EISCONN);
    else if (!listener || sim_happens(sim, sim->faults.refuse))
        sim_end(sim, wake, -ECONNREFUSED);
    else if (listener->waiting_count >= listener->backlog)
        sim_retry(sim, wake); /* as the kernel sends its SYN again */
    else
        sim_end(sim, wake, sim_socket_join(sim, s, listener) ? 0 : -ENOMEM);
}

static void fire_accept(struct sim *sim, struct sim_wake *wake)
{
    if (!wake->socket->listening) {
        sim_end(sim, wake, -EINVAL);
        return;
    }
    int fd = sim_socket_accept(sim, wake->socket);
    if (fd < 0) {
        sim_end(sim, wake, fd);
        return;
    }
    io_ready_push(&sim->io, wake->op, (struct io_event){.res = fd, .more = true}, IO_NO_BUFFER);
    sim_schedule(sim, wake);
}

void sim_fire(struct sim *sim, struct sim_wake *wake)
{
    if (wake->op->cancelling) {
        sim_end(sim, wake, -ECANCELED);
        return;
    }
    if (!is_ready(wake))
        return;
    switch ((enum io_kind)wake->op->kind) {
    case IO_KIND_ACCEPT:
        fire_accept(sim, wake);
        break;
    case IO_KIND_RECV:
        sim_fire_recv(sim, wake);
        break;
    case IO_KIND_SEND:
        fire_send(sim, wake);
        break;
    case IO_KIND_CONNECT:
        fire_connect(sim, wake);
        break;
    case IO_KIND_POLL:
        sim_end(sim, wake, poll_result(wake));
        break;
    case IO_KIND_READ:
    case IO_KIND_WRITE:
        sim_end(sim, wake, -EOPNOTSUPP);
        break;
    }
}
