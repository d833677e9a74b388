/* The simulated port, for tests: a virtual clock, sockets in memory, faults drawn from a seed.
 *
 * Addresses are compared byte by byte; connecting to one that nobody listens on gives
 * -ECONNREFUSED. The same seed and the same calls give the same run. io_run_once jumps the clock to
 * the next thing due (never further than wait_ns). Jobs run inline, between two passes. Unsupported
 * here: io_read and io_write on descriptors that are not the simulation's (-EOPNOTSUPP). */
#ifndef SCOUT_IO_SIM_H
#define SCOUT_IO_SIM_H

#include "scout/io/io.h"

/* Chances in 1/1000 per event; 0 all: a perfect network with no delay. */
struct io_sim_faults {
    unsigned short_send;   /* a send takes only part of its bytes */
    unsigned split_recv;   /* an arrival is delivered in pieces */
    unsigned reset;        /* a connection is reset instead of delivering */
    unsigned refuse;       /* a connect is refused */
    unsigned no_buffer;    /* a recv finds no buffer and is re-armed */
    uint64_t delay_min_ns; /* of every delivery, connect and accept */
    uint64_t delay_max_ns;
};

__attribute__((warn_unused_result)) int io_sim_open(struct io **out, uint64_t seed,
                                                    const struct io_sim_faults *faults);

/* From now on; bytes already under way keep their delay. */
void io_sim_set_faults(struct io *io, const struct io_sim_faults *faults);

/* A seeded number below `bound` (at least 1), for tests that must replay with the run. */
uint64_t io_sim_random(struct io *io, uint64_t bound);

#endif
