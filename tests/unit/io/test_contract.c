/* One suite for both drivers: what it asserts is what code above the port may rely on. The state of
 * each test is a loop, made by the driver that is the test's parameter. */
#include "contract.h"

#include <stdio.h>

static int open_ring(struct io **out)
{
    char why[256] = "";
    int error = io_ring_open(out, &(struct io_ring_config){0}, why, sizeof why);
    if (error)
        print_error("%s\n", why);
    return error;
}

/* The queues are too small for what is armed at once, and both overflow. */
static int open_small_ring(struct io **out)
{
    char why[256] = "";
    return io_ring_open(out, &(struct io_ring_config){.entries = 4, .recv_buffers = 2}, why,
                        sizeof why);
}

static int open_sim(struct io **out)
{
    return io_sim_open(out, 1, &(struct io_sim_faults){0});
}

/* The same suite where every delivery takes its time and some come in pieces. */
static int open_slow_sim(struct io **out)
{
    static const struct io_sim_faults faults = {
        .split_recv = 300, .no_buffer = 100, .delay_min_ns = 1000, .delay_max_ns = NS_PER_MS / 10};
    return io_sim_open(out, 2, &faults);
}

static struct driver ring = {"ring", open_ring};
static struct driver small_ring = {"small ring", open_small_ring};
static struct driver sim = {"sim", open_sim};
static struct driver slow_sim = {"slow sim", open_slow_sim};

static int setup(void **state)
{
    const struct driver *driver = *state;
    struct io *io;
    int error = driver->open(&io);
    *state = io;
    return error;
}

static int teardown(void **state)
{
    io_free(*state);
    return 0;
}

int main(void)
{
#define X(name) {"ring: " #name, name, setup, teardown, &ring},
#define W(name) {"small ring: " #name, name, setup, teardown, &small_ring},
#define Y(name) {"sim: " #name, name, setup, teardown, &sim},
#define Z(name) {"slow sim: " #name, name, setup, teardown, &slow_sim},
    const struct CMUnitTest tests[] = {CONTRACT_TESTS(X) CONTRACT_TESTS(W) CONTRACT_TESTS(Y)
                                           CONTRACT_TESTS(Z)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
