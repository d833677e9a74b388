/* Loops of both drivers for the tests of this layer; a test's state is its loop. */
#ifndef TESTS_UNIT_NET_LOOPS_H
#define TESTS_UNIT_NET_LOOPS_H

#include "scout/base/time.h"
#include "scout/io/io.h"
#include "scout/io/sim.h"
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int ring_setup(void **state);
int sim_setup(void **state);
int loop_teardown(void **state);

/* Runs passes until `cond` holds; fails when the loop stays idle. */
#define UNTIL(io, cond)                                                                            \
    do {                                                                                           \
        for (int idle_ = 0; !(cond) && idle_ < 200;)                                               \
            idle_ = io_run_once(io, 50 * NS_PER_MS) ? 0 : idle_ + 1;                               \
        assert_true(cond);                                                                         \
    } while (0)

/* Some passes in which whatever is about to happen does happen. */
void settle(struct io *io);

struct sockaddr_in loopback(uint16_t port);

#define ON_RING(name)                                                                              \
    {                                                                                              \
        "ring: " #name, name, ring_setup, loop_teardown, NULL                                      \
    }
#define ON_SIM(name)                                                                               \
    {                                                                                              \
        "sim: " #name, name, sim_setup, loop_teardown, NULL                                        \
    }

#endif
