/* Raw slices out of a text: members, items, strings. */
#include "scout/base/error.h"
#include "scout/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

static void assert_slice(struct slice actual, const char *expected)
{
    if (!slice_is(actual, expected))
        fail_msg("\"%.*s\" is not \"%s\"", (int)actual.len,
                 actual.data ? (const char *)actual.data : "", expected);
}

static void members_come_as_they_were_written(void **state)
{
    struct slice text = slice_str(" { \"id\" : 12345678901234567890 , \"s\":\"a\\\"}\\u0041\","
                                  "\"o\":{\"id\":[\"}\",{}]} ,\"n\":null,\"Id\":1} ");
    (void)state;
    assert_slice(json_member(text, "id"), "12345678901234567890");
    assert_slice(json_member(text, "s"), "\"a\\\"}\\u0041\"");
    assert_slice(json_member(text, "o"), "{\"id\":[\"}\",{}]}");
    assert_slice(json_member(json_member(text, "o"), "id"), "[\"}\",{}]");
    assert_slice(json_member(text, "n"), "null");
    assert_slice(json_member(text, "Id"), "1");
    assert_int_equal(json_member(text, "ID").len, 0);
    assert_int_equal(json_member(text, "").len, 0);
}

static void a_name_is_compared_decoded(void **state)
{
    (void)state;
    assert_slice(json_member(slice_str("{\"\\u0069\\u0064\":7}"), "id"), "7");
    assert_slice(json_member(slice_str("{\"\\u0069\\u0064x\":7,\"i\":8}"), "i"), "8");
    assert_slice(json_member(slice_str("{\"\\uD83D\\uDE00\":9}"), "\xF0\x9F\x98\x80"), "9");
}

static void what_is_no_object_has_no_members(void **state)
{
    (void)state;
    assert_int_equal(json_member(slice_str("[\"id\",1]"), "id").len, 0);
    assert_int_equal(json_member(slice_str("\"id\""), "id").len, 0);
    assert_int_equal(json_member(slice_of(NULL, 0), "id").len, 0);
    assert_int_equal(json_member(slice_str("{}"), "id").len, 0);
}

static void a_walk_goes_through_all_in_order(void **state)
{
    static const char *const items[] = {"1", "\"]\"", "[2,[]]", "{\"a\":[]}", "true"};
    struct json_walk walk;
    struct slice key, value;
    size_t count = 0;
    (void)state;
    json_walk_begin(&walk, slice_str("[1 ,\"]\",[2,[]], {\"a\":[]},true ]"));
    for (; json_walk_next(&walk, &key, &value); count++) {
        assert_int_equal(key.len, 0);
        assert_slice(value, items[count]);
    }
    assert_int_equal(count, 5);
    assert_false(json_walk_next(&walk, &key, &value));

    json_walk_begin(&walk, slice_str("{ \"a\" : 1,\"b\":{}}"));
    assert_true(json_walk_next(&walk, &key, &value));
    assert_slice(key, "\"a\"");
    assert_true(json_walk_next(&walk, &key, &value));
    assert_slice(key, "\"b\"");
    assert_slice(value, "{}");
    assert_false(json_walk_next(&walk, &key, &value));

    json_walk_begin(&walk, slice_str("[ ]"));
    assert_false(json_walk_next(&walk, &key, &value));
    json_walk_begin(&walk, slice_str("12"));
    assert_false(json_walk_next(&walk, &key, &value));
}

static void types_are_told_by_the_first_byte(void **state)
{
    (void)state;
    assert_int_equal(json_type(slice_of(NULL, 0)), JSON_NONE);
    assert_int_equal(json_type(slice_str("null")), JSON_NULL);
    assert_int_equal(json_type(slice_str("true")), JSON_TRUE);
    assert_int_equal(json_type(slice_str("false")), JSON_FALSE);
    assert_int_equal(json_type(slice_str("-1")), JSON_NUMBER);
    assert_int_equal(json_type(slice_str("\"\"")), JSON_STRING);
    assert_int_equal(json_type(slice_str(" []")), JSON_ARRAY);
    assert_int_equal(json_type(slice_str("{}")), JSON_OBJECT);
}

static void strings_decode_or_say_that_they_do_not_fit(void **state)
{
    char out[16];
    (void)state;
    assert_int_equal(json_string(slice_str("\"plain\""), out, sizeof out), 5);
    assert_string_equal(out, "plain");
    assert_int_equal(json_string(slice_str("\"\\n\\t\\b\\f\\r\\/\\\\\\\"\""), out, sizeof out), 8);
    assert_string_equal(out, "\n\t\b\f\r/\\\"");
    assert_int_equal(json_string(slice_str("\"\\u00e4\\u20ac\\uD83D\\uDE00\""), out, sizeof out),
                     9);
    assert_string_equal(out, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    assert_int_equal(json_string(slice_str("\"123456789012345\""), out, sizeof out), 15);
    assert_int_equal(json_string(slice_str("\"1234567890123456\""), out, sizeof out),
                     SCOUT_E_LIMIT);
    assert_int_equal(json_string(slice_str("\"123456789012345\\n\""), out, sizeof out),
                     SCOUT_E_LIMIT);
    assert_int_equal(json_string(slice_str("12"), out, sizeof out), SCOUT_E_LIMIT);
    assert_int_equal(json_string(slice_str("\"\""), out, 1), 0);
    assert_string_equal(out, "");
}

static void strings_are_compared_decoded(void **state)
{
    (void)state;
    assert_true(json_string_is(slice_str("\"tools/call\""), "tools/call"));
    assert_true(json_string_is(slice_str("\"tools\\/call\""), "tools/call"));
    assert_false(json_string_is(slice_str("\"tools/call\""), "tools/cal"));
    assert_false(json_string_is(slice_str("\"tools\\/cal\""), "tools/call"));
    assert_false(json_string_is(slice_str("\"tools\\/calls\""), "tools/call"));
    assert_false(json_string_is(slice_str("tools"), "tools"));
    assert_false(json_string_is(slice_of(NULL, 0), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_as_they_were_written),
        cmocka_unit_test(a_name_is_compared_decoded),
        cmocka_unit_test(what_is_no_object_has_no_members),
        cmocka_unit_test(a_walk_goes_through_all_in_order),
        cmocka_unit_test(types_are_told_by_the_first_byte),
        cmocka_unit_test(strings_decode_or_say_that_they_do_not_fit),
        cmocka_unit_test(strings_are_compared_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
