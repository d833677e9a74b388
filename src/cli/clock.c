/* Monotonic time for the companion's deadlines, read here and nowhere else.
 *
 * The companion is a short-lived program that blocks in poll(2), so milliseconds are what it needs;
 * deadlines are absolute and what is left of them is what poll takes. */
#include "clock.h"

#include <limits.h>
#include <time.h>

uint64_t clock_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int clock_left_ms(uint64_t deadline_ms)
{
    uint64_t now = clock_now_ms();
    if (now >= deadline_ms)
        return 0;
    return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}
