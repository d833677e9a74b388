/* Loops of both drivers. */
#include "loops.h"

int ring_setup(void **state)
{
    struct io *io;
    char why[256] = "";
    int error = io_ring_open(&io, &(struct io_ring_config){0}, why, sizeof why);
    if (error)
        print_error("%s\n", why);
    *state = io;
    return error;
}

int sim_setup(void **state)
{
    struct io *io;
    int error = io_sim_open(&io, 1, &(struct io_sim_faults){0});
    *state = io;
    return error;
}

int loop_teardown(void **state)
{
    io_free(*state);
    return 0;
}

void settle(struct io *io)
{
    for (int idle = 0; idle < 3;)
        idle = io_run_once(io, 2 * NS_PER_MS) ? 0 : idle + 1;
}

struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}
