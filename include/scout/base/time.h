/* Times as clients see them: RFC 3339, UTC, milliseconds ("2026-11-23T03:13:45.120Z"). Pure. */
#ifndef SCOUT_BASE_TIME_H
#define SCOUT_BASE_TIME_H

#include <stdint.h>

#define TIME_TEXT_SIZE 48
#define NS_PER_MS      1000000ULL
#define NS_PER_S       1000000000ULL

/* `ms` since the epoch into `out` (TIME_TEXT_SIZE bytes, NUL-terminated). Returns `out`. */
char *time_format(uint64_t ms, char *out);

#endif
