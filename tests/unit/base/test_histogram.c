/* Which bucket takes a value, and what a quantile says of it. */
#include "scout/base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

static void an_empty_histogram_has_no_quantile(void **state)
{
    (void)state;
    struct histogram h = {0};
    assert_int_equal(histogram_quantile(&h, 0), 0);
    assert_int_equal(histogram_quantile(&h, 500), 0);
    assert_int_equal(histogram_quantile(&h, 1000), 0);
}

/* The only value: every quantile is the upper end of its bucket. */
static void expect_bucket(uint64_t value, unsigned bucket, uint64_t upper)
{
    struct histogram h = {0};
    histogram_add(&h, value);
    assert_int_equal(h.counts[bucket], 1);
    assert_int_equal(h.count, 1);
    assert_true(h.sum == value);
    for (unsigned permille = 0; permille <= 1000; permille += 250)
        assert_true(histogram_quantile(&h, permille) == upper);
}

static void a_value_lies_in_the_bucket_of_its_highest_bit(void **state)
{
    (void)state;
    expect_bucket(0, 0, 1);
    expect_bucket(1, 0, 1);
    expect_bucket(2, 1, 3);
    expect_bucket(3, 1, 3);
    for (unsigned bit = 2; bit < HISTOGRAM_BUCKETS - 1; bit++) {
        uint64_t low = UINT64_C(1) << bit;
        expect_bucket(low, bit, 2 * low - 1);
        expect_bucket(2 * low - 1, bit, 2 * low - 1);
    }
}

static void the_last_bucket_takes_all_that_is_above(void **state)
{
    (void)state;
    expect_bucket(UINT64_C(1) << (HISTOGRAM_BUCKETS - 1), HISTOGRAM_BUCKETS - 1, UINT64_MAX);
    expect_bucket(UINT64_C(1) << 63, HISTOGRAM_BUCKETS - 1, UINT64_MAX);
    expect_bucket(UINT64_MAX, HISTOGRAM_BUCKETS - 1, UINT64_MAX);
}

static void quantiles_divide_the_values(void **state)
{
    (void)state;
    struct histogram h = {0};
    for (unsigned i = 0; i < 900; i++)
        histogram_add(&h, 100); /* [64, 128) */
    for (unsigned i = 0; i < 99; i++)
        histogram_add(&h, 5000); /* [4096, 8192) */
    histogram_add(&h, 1000000);  /* [524288, 1048576) */
    assert_int_equal(h.count, 1000);
    assert_int_equal(h.sum, 900 * 100 + 99 * 5000 + 1000000);
    assert_int_equal(histogram_quantile(&h, 0), 127);
    assert_int_equal(histogram_quantile(&h, 500), 127);
    assert_int_equal(histogram_quantile(&h, 900), 127);
    assert_int_equal(histogram_quantile(&h, 901), 8191);
    assert_int_equal(histogram_quantile(&h, 999), 8191);
    assert_int_equal(histogram_quantile(&h, 1000), 1048575);
    assert_int_equal(histogram_quantile(&h, 5000), 1048575); /* more than all is all */
}

static void a_quantile_of_very_many_values_does_not_overflow(void **state)
{
    (void)state;
    struct histogram h = {.count = UINT64_MAX};
    h.counts[3] = UINT64_MAX / 2;
    h.counts[7] = UINT64_MAX - UINT64_MAX / 2;
    assert_int_equal(histogram_quantile(&h, 400), 15);
    assert_int_equal(histogram_quantile(&h, 600), 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_histogram_has_no_quantile),
        cmocka_unit_test(a_value_lies_in_the_bucket_of_its_highest_bit),
        cmocka_unit_test(the_last_bucket_takes_all_that_is_above),
        cmocka_unit_test(quantiles_divide_the_values),
        cmocka_unit_test(a_quantile_of_very_many_values_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
