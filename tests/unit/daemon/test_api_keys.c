/* Keys that people chose: which are taken, by what names, and what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/daemon/api_keys.h"

static const char *name_of(const struct api_keys *k, const char *text)
{
    const struct api_key *key = api_keys_find(k, slice_str(text));
    return key ? key->name : "";
}

static void what_is_taken(void **state)
{
    struct api_keys k;
    (void)state;
    assert_int_equal(api_keys_init(&k), 0);
    api_keys_take(&k, " first-key-0123456789 ,,second,\tthird \t,fi rst,first-key-0123456789,");
    assert_string_equal(name_of(&k, "first-key-0123456789"), "api-key-1");
    assert_string_equal(name_of(&k, "second"), "api-key-2");
    assert_string_equal(name_of(&k, "third"), "api-key-3");
    assert_string_equal(name_of(&k, "fi rst"), "");
    assert_string_equal(name_of(&k, "thirds"), "");
    assert_string_equal(name_of(&k, ""), "");
    assert_int_equal(k.count, 3);
    assert_int_equal(k.ignored, 2); /* a blank within; one that is there already */
    assert_false(k.list[0].weak);
    assert_true(k.list[1].weak && k.list[1].chosen);
}

static void what_was_made_here_comes_first(void **state)
{
    struct api_keys k;
    char list[API_KEYS_MAX * 8 + 32] = "", *at = list;
    (void)state;
    assert_int_equal(api_keys_init(&k), 0);
    for (unsigned i = 0; i <= API_KEYS_MAX; i++)
        at += sprintf(at, "%skey-%u", i ? "," : "", i);
    api_keys_take(&k, list);
    assert_int_equal(k.count, API_KEYS_MAX);
    assert_int_equal(k.ignored, 1);
    api_keys_add(&k, "http", slice_str("generated"));
    assert_int_equal(k.count, API_KEYS_MAX);
    assert_int_equal(k.ignored, 2);
    assert_string_equal(name_of(&k, "generated"), "http");
    assert_false(api_keys_find(&k, slice_str("generated"))->chosen);
    assert_string_equal(name_of(&k, "key-0"), "api-key-1");
    assert_string_equal(name_of(&k, "key-31"), "");
}

static void long_keys(void **state)
{
    struct api_keys k;
    char text[API_KEY_LEN_MAX + 2];
    (void)state;
    assert_int_equal(api_keys_init(&k), 0);
    memset(text, 'k', sizeof text);
    text[API_KEY_LEN_MAX + 1] = '\0';
    api_keys_take(&k, text);
    assert_int_equal(k.count, 0);
    text[API_KEY_LEN_MAX] = '\0';
    api_keys_take(&k, text);
    assert_string_equal(name_of(&k, text), "api-key-1");
}

/* Two processes keep different things of the same key. */
static void what_is_kept(void **state)
{
    struct api_keys a, b;
    (void)state;
    assert_int_equal(api_keys_init(&a), 0);
    assert_int_equal(api_keys_init(&b), 0);
    api_keys_take(&a, "some-key");
    api_keys_take(&b, "some-key");
    assert_memory_not_equal(a.list[0].mac, b.list[0].mac, API_KEYS_MAC_SIZE);
    assert_null(memmem(&a, sizeof a, "some-key", 8));
}

static void the_variable_goes(void **state)
{
    struct api_keys k;
    (void)state;
    assert_int_equal(api_keys_init(&k), 0);
    assert_int_equal(setenv(API_KEYS_VARIABLE, "one-key,two-key", 1), 0);
    const char *value = getenv(API_KEYS_VARIABLE);
    api_keys_take_variable(&k);
    assert_int_equal(k.count, 2);
    assert_null(getenv(API_KEYS_VARIABLE));
    assert_string_equal(value, "");
    api_keys_take_variable(&k);
    assert_int_equal(k.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken),     cmocka_unit_test(what_was_made_here_comes_first),
        cmocka_unit_test(long_keys),         cmocka_unit_test(what_is_kept),
        cmocka_unit_test(the_variable_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
