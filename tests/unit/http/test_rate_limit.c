/* Token buckets: what is let through when, whose requests count for whom, and the bounded table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scout/base/time.h"
#include "scout/http/rate_limit.h"

static const uint8_t key[SIPHASH_KEY_SIZE] = {1, 2, 3};

static struct rate_limit *make(void)
{
    struct rate_limit *r;
    assert_int_equal(rate_limit_new(&r, key), 0);
    return r;
}

static uint64_t take(struct rate_limit *r, struct rate rate, const char *name, uint64_t now_ns)
{
    return rate_limit_take(r, &rate, slice_str(name), now_ns);
}

static void a_burst_and_then_one_a_second(void **state)
{
    struct rate_limit *r = make();
    const struct rate rate = {60, 10};
    uint64_t now = 5 * NS_PER_S;
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(take(r, rate, "a", now), 0);
    assert_int_equal(take(r, rate, "a", now), NS_PER_S);
    assert_int_equal(take(r, rate, "a", now + NS_PER_S / 10), NS_PER_S * 9 / 10);
    assert_int_equal(rate_limit_peek(r, &rate, slice_str("a"), now + NS_PER_S - 1), 1);
    assert_int_equal(take(r, rate, "a", now + NS_PER_S - 1), 1);
    assert_int_equal(take(r, rate, "a", now + NS_PER_S), 0);
    assert_int_equal(take(r, rate, "a", now + NS_PER_S), NS_PER_S);
    /* After a long rest it is the burst again, and no more. */
    now += 3600 * NS_PER_S;
    for (int i = 0; i < 10; i++)
        assert_int_equal(take(r, rate, "a", now), 0);
    assert_true(take(r, rate, "a", now) > 0);
    rate_limit_free(r);
}

static void others_are_not_touched(void **state)
{
    struct rate_limit *r = make();
    const struct rate rate = {60, 1};
    (void)state;
    assert_int_equal(take(r, rate, "a", 1), 0);
    assert_true(take(r, rate, "a", 1) > 0);
    assert_int_equal(take(r, rate, "b", 1), 0);
    assert_int_equal(rate_limit_peek(r, &rate, slice_str("c"), 1), 0);
    assert_int_equal(rate_limit_count(r), 2);
    rate_limit_free(r);
}

static void a_refused_request_costs_nothing(void **state)
{
    struct rate_limit *r = make();
    const struct rate rate = {60, 1};
    (void)state;
    assert_int_equal(take(r, rate, "a", 0), 0);
    for (uint64_t t = 1; t < 1000; t++)
        assert_true(take(r, rate, "a", t * NS_PER_MS) > 0);
    assert_int_equal(take(r, rate, "a", NS_PER_S), 0);
    rate_limit_free(r);
}

static void without_a_limit(void **state)
{
    struct rate_limit *r = make();
    const struct rate rate = {0, 1};
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(take(r, rate, "a", 7), 0);
    assert_int_equal(rate_limit_count(r), 0);
    rate_limit_free(r);
}

static void another_rate_counts_at_once(void **state)
{
    struct rate_limit *r = make();
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(take(r, (struct rate){60, 100}, "a", 7), 0);
    assert_true(take(r, (struct rate){60, 100}, "a", 7) > 0);
    /* Less at once: credit beyond that is gone. */
    assert_int_equal(take(r, (struct rate){60, 100}, "b", 7), 0);
    assert_int_equal(take(r, (struct rate){60, 1}, "b", 7), 0);
    assert_true(take(r, (struct rate){60, 1}, "b", 7) > 0);
    /* The largest numbers do not overflow. */
    const struct rate slow = {1, 1000000};
    assert_int_equal(take(r, slow, "c", 7), 0);
    assert_int_equal(take(r, slow, "c", UINT64_MAX), 0);
    rate_limit_free(r);
}

/* A flood of clients: the table stays bounded, whoever had time to fill up goes first. */
static void the_table_is_bounded(void **state)
{
    struct rate_limit *r = make();
    const struct rate rate = {60, 2};
    char name[32];
    (void)state;
    for (unsigned i = 0; i < 3 * RATE_LIMIT_CLIENTS_MAX; i++) {
        snprintf(name, sizeof name, "client %u", i);
        assert_int_equal(take(r, rate, name, 9), 0);
        assert_true(rate_limit_count(r) <= RATE_LIMIT_CLIENTS_MAX);
    }
    assert_int_equal(rate_limit_count(r), RATE_LIMIT_CLIENTS_MAX);
    /* The last of them are known, the first are not. */
    assert_int_equal(take(r, rate, name, 9), 0);
    assert_true(take(r, rate, name, 9) > 0);
    /* Once all are full again, each that comes makes two of them go. */
    for (unsigned i = 0; i < RATE_LIMIT_CLIENTS_MAX; i++) {
        snprintf(name, sizeof name, "later %u", i);
        assert_int_equal(take(r, rate, name, 3600 * NS_PER_S), 0);
    }
    assert_true(rate_limit_count(r) <= RATE_LIMIT_CLIENTS_MAX);
    snprintf(name, sizeof name, "later %u", 0);
    assert_int_equal(take(r, rate, name, 3600 * NS_PER_S), 0);
    assert_true(take(r, rate, name, 3600 * NS_PER_S) > 0);
    assert_int_equal(take(r, rate, "one", 7200 * NS_PER_S), 0);
    assert_true(rate_limit_count(r) < RATE_LIMIT_CLIENTS_MAX);
    rate_limit_free(r);
}

static void long_names_are_cut(void **state)
{
    struct rate_limit *r = make();
    const struct rate rate = {60, 1};
    char name[200];
    (void)state;
    memset(name, 'x', sizeof name);
    name[199] = '\0';
    assert_int_equal(take(r, rate, name, 9), 0);
    name[100] = '\0';
    assert_true(take(r, rate, name, 9) > 0);
    assert_int_equal(take(r, rate, "", 9), 0);
    assert_true(take(r, rate, "", 9) > 0);
    rate_limit_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_and_then_one_a_second),
        cmocka_unit_test(others_are_not_touched),
        cmocka_unit_test(a_refused_request_costs_nothing),
        cmocka_unit_test(without_a_limit),
        cmocka_unit_test(another_rate_counts_at_once),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(long_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
