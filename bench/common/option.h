/* Numbers on command lines. */
#ifndef BENCH_OPTION_H
#define BENCH_OPTION_H

#include <stdbool.h>

/* True with *out set when `text` is a whole number from `min` to `max`, and nothing more. */
bool option_number(const char *text, unsigned long min, unsigned long max, unsigned long *out);

#endif
