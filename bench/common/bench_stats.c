/* Medians, spreads and percentiles. Pure.
 *
 * Percentiles are by nearest rank: the smallest measured number that at least that part of all
 * measurements does not exceed. Nothing is interpolated: what is reported did happen. The median of
 * an even count is the mean of its middle two, as usual. */
#include "bench.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int compare_numbers(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

void bench_sort(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, compare_numbers);
}

struct bench_stats bench_stats_of(double *numbers, size_t count)
{
    assert(count > 0);
    bench_sort(numbers, count);
    struct bench_stats s = {.min = numbers[0], .max = numbers[count - 1]};
    s.median = (numbers[(count - 1) / 2] + numbers[count / 2]) / 2;
    s.spread_percent = s.median > 0 ? (s.max - s.min) / s.median * 100 : 0;
    return s;
}

double bench_percentile(const double *sorted, size_t count, double part)
{
    assert(count > 0);
    double rank = ceil(part * (double)count);
    size_t index = rank < 1 ? 0 : (size_t)rank - 1;
    return sorted[index < count ? index : count - 1];
}
