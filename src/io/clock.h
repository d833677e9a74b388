/* The one place where a clock is read; everywhere else `now` is a parameter or comes from io_now.
 */
#ifndef SCOUT_IO_CLOCK_H
#define SCOUT_IO_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ns(void);
uint64_t clock_wall_ms(void);

#endif
