/* The one place of the companion where time is read. */
#ifndef SCOUT_CLI_CLOCK_H
#define SCOUT_CLI_CLOCK_H

#include <stdint.h>

/* Monotonic milliseconds. */
uint64_t clock_now_ms(void);

/* What is left until `deadline_ms`, as poll(2) takes it: 0 when it has passed. */
int clock_left_ms(uint64_t deadline_ms);

#endif
