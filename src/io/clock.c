/* The machine's clocks. Monotonic time does not count while the machine is suspended, as the enter
 * call's time-out does not. */
#include "clock.h"

#include "scout/base/time.h"
#include <assert.h>
#include <time.h>

static struct timespec read_clock(clockid_t id)
{
    struct timespec ts = {0};
    int error = clock_gettime(id, &ts);
    assert(error == 0);
    return ts;
}

uint64_t clock_monotonic_ns(void)
{
    struct timespec ts = read_clock(CLOCK_MONOTONIC);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_wall_ms(void)
{
    struct timespec ts = read_clock(CLOCK_REALTIME);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / NS_PER_MS;
}
