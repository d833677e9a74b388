/* How many connections each address has, and that an accept does not look at all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scout/base/error.h"
#include "scout/http/address_counts.h"

#define MANY 20000

static const uint8_t key[SIPHASH_KEY_SIZE] = "0123456789abcde";

static struct address address_of(const char *text)
{
    struct address a;
    assert_true(address_parse(slice_str(text), &a));
    return a;
}

static void each_address_has_its_own_count(void **state)
{
    static struct address_counts t;
    struct address one = address_of("192.0.2.1"), two = address_of("192.0.2.2");
    struct address six = address_of("c000:201::"); /* the bytes of the first, of the other family */
    struct address_count *first, *second, *other, *of_six;
    (void)state;
    address_counts_init(&t, key);
    assert_int_equal(address_counts_enter(&t, &one, 2, &first), 0);
    assert_int_equal(address_counts_enter(&t, &one, 2, &second), 0);
    assert_ptr_equal(first, second);
    assert_int_equal(address_counts_enter(&t, &one, 2, &second), SCOUT_E_LIMIT);
    assert_ptr_equal(first, second);
    assert_int_equal(address_counts_enter(&t, &two, 2, &other), 0);
    assert_int_equal(address_counts_enter(&t, &six, 1, &of_six), 0);
    assert_int_equal(address_counts_of(&t, &one), 2);
    assert_int_equal(address_counts_of(&t, &two), 1);
    assert_int_equal(t.addresses, 3);
    address_counts_leave(&t, first);
    assert_int_equal(address_counts_enter(&t, &one, 2, &first), 0);
    address_counts_leave(&t, first);
    address_counts_leave(&t, first);
    address_counts_leave(&t, of_six);
    assert_int_equal(address_counts_of(&t, &one), 0);
    assert_int_equal(address_counts_of(&t, &six), 0);
    assert_int_equal(t.addresses, 1);
    address_counts_leave(&t, other);
    assert_int_equal(t.addresses, 0);
    address_counts_fini(&t);
}

static void a_limit_of_none_admits_none(void **state)
{
    static struct address_counts t;
    struct address one = address_of("::1");
    struct address_count *count;
    (void)state;
    address_counts_init(&t, key);
    assert_int_equal(address_counts_enter(&t, &one, 0, &count), SCOUT_E_LIMIT);
    assert_int_equal(t.addresses, 0);
    address_counts_fini(&t);
}

/* Chains are longer than one here, and counts leave from their middles. */
static void many_addresses_come_and_go(void **state)
{
    static struct address_counts t;
    static struct address_count *counts[MANY];
    (void)state;
    address_counts_init(&t, key);
    for (uint32_t i = 0; i < MANY; i++) {
        struct address a = {.family = AF_INET};
        memcpy(a.bytes, &i, sizeof i);
        assert_int_equal(address_counts_enter(&t, &a, 1, &counts[i]), 0);
    }
    assert_int_equal(t.addresses, MANY);
    for (uint32_t i = 0; i < MANY; i += 2)
        address_counts_leave(&t, counts[i]);
    assert_int_equal(t.addresses, MANY / 2);
    for (uint32_t i = 0; i < MANY; i++) {
        struct address a = {.family = AF_INET};
        memcpy(a.bytes, &i, sizeof i);
        assert_int_equal(address_counts_of(&t, &a), i % 2);
    }
    address_counts_fini(&t);
    assert_int_equal(t.addresses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_its_own_count),
        cmocka_unit_test(a_limit_of_none_admits_none),
        cmocka_unit_test(many_addresses_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
