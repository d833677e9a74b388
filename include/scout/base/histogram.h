/* Counts of durations in buckets of powers of two: bucket 0 holds 0 and 1, bucket i holds what lies
 * in [2^i, 2^(i+1)). Constant time, no allocation; zeroed memory is an empty histogram. */
#ifndef SCOUT_BASE_HISTOGRAM_H
#define SCOUT_BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 48 /* the last one holds everything above, too */

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t count, sum;
};

void histogram_add(struct histogram *h, uint64_t value);

/* An upper bound of the value below which `permille` thousandths of all values lie: the upper end
 * of its bucket. 0 for an empty histogram. */
uint64_t histogram_quantile(const struct histogram *h, unsigned permille);

#endif
