/* Monotonic time for the companion's deadlines, read here and nowhere else.
 *
 * The companion is a short-lived program that blocks in poll(2), so milliseconds are what it needs;
 * deadlines are absolute and what is left of them is what poll takes. It is asked of the kernel:
 * to find the vDSO, which makes many readings cheap, costs a program that reads it twice two page
 * faults. */
#include "clock.h"

#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t clock_now_ms(void)
{
    struct timespec t;
#ifdef __LP64__
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
#else
    clock_gettime(CLOCK_MONOTONIC, &t);
#endif
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int clock_left_ms(uint64_t deadline_ms)
{
    uint64_t now = clock_now_ms();
    if (now >= deadline_ms)
        return 0;
    return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}
