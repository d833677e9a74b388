/* Durations counted in buckets of powers of two.
 *
 * What it is not: exact. A quantile is known to a factor of two, which tells 100 us from 10 ms and
 * costs one bit scan and three additions for each value. The bucket of a value is the index of its
 * highest bit; 0 shares the first bucket with 1, and the last bucket takes all that is above it.
 *
 * Invariant: the counts of the buckets add up to `count`. */
#include "scout/base/histogram.h"

static unsigned bucket_of(uint64_t value)
{
    unsigned highest = 63 - (unsigned)__builtin_clzll(value | 1);
    return highest < HISTOGRAM_BUCKETS ? highest : HISTOGRAM_BUCKETS - 1;
}

/* The largest value that the bucket holds. */
static uint64_t upper_end(unsigned bucket)
{
    return bucket == HISTOGRAM_BUCKETS - 1 ? UINT64_MAX : (UINT64_C(2) << bucket) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
    h->counts[bucket_of(value)]++;
    h->count++;
    h->sum += value;
}

uint64_t histogram_quantile(const struct histogram *h, unsigned permille)
{
    if (h->count == 0)
        return 0;
    if (permille > 1000)
        permille = 1000;
    /* How many values lie at or below the one that is looked for; in two steps, since count *
     * permille could overflow. */
    uint64_t rank = h->count / 1000 * permille + (h->count % 1000 * permille + 999) / 1000;
    uint64_t seen = h->counts[0];
    unsigned bucket = 0;
    while (bucket < HISTOGRAM_BUCKETS - 1 && (seen < rank || seen == 0))
        seen += h->counts[++bucket];
    return upper_end(bucket);
}
