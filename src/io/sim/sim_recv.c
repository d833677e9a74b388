/* Delivery: the one op with faults of its own kind, since its bytes have to lie somewhere.
 *
 * The bytes of an event are a block of exactly their length, freed when the callback returns:
 * AddressSanitizer sees a read past them or after them. An arrival that finds no block (by chance,
 * or because there is no memory) stays queued and is delivered a little later; the op never ends
 * for that. */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>

/* A copy of the bytes and its number; IO_NO_BUFFER: no memory. */
static uint32_t take_buffer(struct sim *sim, struct slice bytes)
{
    uint32_t id = 0;
    while (id < sim->buffer_size && sim->buffers[id])
        id++;
    if (id == sim->buffer_size) {
        uint8_t **buffers = realloc(sim->buffers, (id + 1) * sizeof(uint8_t *));
        if (!buffers)
            return IO_NO_BUFFER;
        sim->buffers = buffers;
        sim->buffers[sim->buffer_size++] = NULL;
    }
    sim->buffers[id] = malloc(bytes.len);
    if (!sim->buffers[id])
        return IO_NO_BUFFER;
    memcpy(sim->buffers[id], bytes.data, bytes.len);
    return id;
}

void sim_give_back(struct io *io, uint32_t buffer)
{
    struct sim *sim = sim_of(io);
    free(sim->buffers[buffer]);
    sim->buffers[buffer] = NULL;
}

static void deliver(struct sim *sim, struct sim_wake *wake)
{
    struct sim_socket *s = wake->socket;
    struct slice bytes = buf_peek(&s->in);
    if (bytes.len > IO_RECV_SIZE)
        bytes.len = IO_RECV_SIZE;
    if (bytes.len > 1 && sim_happens(sim, sim->faults.split_recv))
        bytes.len = 1 + sim_draw(sim, bytes.len - 1);
    uint32_t buffer = IO_NO_BUFFER;
    if (!sim_happens(sim, sim->faults.no_buffer))
        buffer = take_buffer(sim, bytes);
    if (buffer == IO_NO_BUFFER) {
        sim->io.stats.recv_starved++;
        sim_retry(sim, wake);
        return;
    }
    struct io_event event = {.res = (int)bytes.len, .more = true};
    event.data = slice_of(sim->buffers[buffer], bytes.len);
    io_ready_push(&sim->io, wake->op, event, buffer);
    buf_consume(&s->in, bytes.len);
    sim_schedule(sim, wake);
    if (s->peer)
        sim_touch(sim, s->peer); /* there is room again */
}

void sim_fire_recv(struct sim *sim, struct sim_wake *wake)
{
    struct sim_socket *s = wake->socket;
    if (s->peer && sim_happens(sim, sim->faults.reset))
        sim_socket_reset(sim, s);
    if (!s->connected)
        sim_end(sim, wake, -ENOTCONN);
    else if (s->reset)
        sim_end(sim, wake, -ECONNRESET);
    else if (buf_len(&s->in) > 0)
        deliver(sim, wake);
    else if (s->in_ended)
        sim_end(sim, wake, 0);
}
