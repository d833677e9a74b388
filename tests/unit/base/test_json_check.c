/* What json_check takes and what it refuses, with the place it names. */
#include "scout/base/error.h"
#include "scout/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* Checks an exact copy on the heap, so that a read past the end is seen by the sanitizers. */
static struct json_error fault_of(struct slice text)
{
    struct json_error error = {JSON_OK, 0};
    uint8_t *copy = malloc(text.len ? text.len : 1);
    assert_non_null(copy);
    if (text.len)
        memcpy(copy, text.data, text.len);
    int result = json_check(slice_of(copy, text.len), &error);
    assert_int_equal(result, error.fault == JSON_OK ? 0 : SCOUT_E_PARSE);
    free(copy);
    return error;
}

#define TEXT(literal) slice_of(literal, sizeof literal - 1)

static void assert_fault(struct slice text, enum json_fault fault, size_t offset)
{
    struct json_error error = fault_of(text);
    if (error.fault != fault || error.offset != offset)
        fail_msg("%.*s: fault %s at %zu, expected %s at %zu", (int)text.len,
                 (const char *)text.data, json_fault_code(error.fault), error.offset,
                 json_fault_code(fault), offset);
}

static void good_texts_pass(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "0",
        "-0",
        "-0.5e+10",
        "1E9",
        "12.5",
        "true",
        "false",
        "null",
        "\"\"",
        " \t\r\n[ 1 , 2 ]\n ",
        "{\"a\":{\"a\":{\"a\":[]}},\"b\":[{\"a\":1},{\"a\":2}]}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uD83D\\uDE00\"",
        "\"\x7F\"",
        "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"",
        "{\"\":1,\"a\":2,\"A\":3}",
        "{\"longer than eight\":1,\"longer than nine\":2}",
        "{\"12345678\":1,\"123456789\":2}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_fault(slice_str(texts[i]), JSON_OK, 0);
}

static void bad_grammar_is_refused_where_it_is(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
    } cases[] = {
        {"", 0},
        {" ", 1},
        {"{", 1},
        {"[", 1},
        {"[1", 2},
        {"[1,]", 3},
        {"{,}", 1},
        {"{\"a\"}", 4},
        {"{\"a\":}", 5},
        {"{a:1}", 1},
        {"{\"a\":1,}", 7},
        {"[1}", 2},
        {"{\"a\":1]", 6},
        {"01", 1},
        {"+1", 0},
        {"-", 1},
        {"1.", 2},
        {".5", 0},
        {"1e", 2},
        {"1e+", 3},
        {"--1", 1},
        {"tru", 3},
        {"truE", 3},
        {"nul", 3},
        {"NaN", 0},
        {"'a'", 0},
        {"\"a", 2},
        {"\"\\", 2},
        {"\"\\x\"", 2},
        {"\"\\u12\"", 6},
        {"\"\\u12g4\"", 1},
        {"\"a\nb\"", 2},
        {"\"\t\"", 1},
        {"1 2", 2},
        {"{} x", 3},
        {"[1 2]", 3},
        {"\xEF\xBB\xBF{}", 0},
        {"[1]]", 3},
        {"//x\n1", 0},
        {"1,2", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_fault(slice_str(cases[i].text), JSON_SYNTAX, cases[i].offset);
}

static void nul_is_refused_in_every_spelling(void **state)
{
    (void)state;
    assert_fault(TEXT("{\"path\":\"/etc/a\\u0000b\"}"), JSON_NUL, 15);
    assert_fault(TEXT("{\"pa\\u0000th\":1}"), JSON_NUL, 4);
    assert_fault(TEXT("\"a\0b\""), JSON_NUL, 2);
    assert_fault(TEXT("[1,\0]"), JSON_NUL, 3);
    assert_fault(TEXT("{}\0"), JSON_NUL, 2);
    assert_fault(TEXT("\0"), JSON_NUL, 0);
}

static void ill_formed_utf8_is_refused(void **state)
{
    (void)state;
    assert_fault(TEXT("\"a\xFF\""), JSON_BAD_UTF8, 2);
    assert_fault(TEXT("\"\xC3\""), JSON_BAD_UTF8, 1);
    assert_fault(TEXT("\"\xE2\x82"), JSON_BAD_UTF8, 1);
    assert_fault(TEXT("\"\xC0\x80\""), JSON_BAD_UTF8, 1);
    assert_fault(TEXT("\"\xED\xA0\x80\""), JSON_BAD_UTF8, 1);
    assert_fault(TEXT("\"\xF4\x90\x80\x80\""), JSON_BAD_UTF8, 1);
    assert_fault(TEXT("[\xFF]"), JSON_BAD_UTF8, 1);
    assert_fault(TEXT("\"\xC3\xA4\xC3\xA4\xC3\xA4\xFF\""), JSON_BAD_UTF8, 7);
}

static void half_surrogate_pairs_are_refused(void **state)
{
    (void)state;
    assert_fault(TEXT("\"\\uD83D\""), JSON_LONE_SURROGATE, 1);
    assert_fault(TEXT("\"x\\uDE00\""), JSON_LONE_SURROGATE, 2);
    assert_fault(TEXT("\"\\uD83D\\u0041\""), JSON_LONE_SURROGATE, 1);
    assert_fault(TEXT("\"\\uD83Dxxxxxx\""), JSON_LONE_SURROGATE, 1);
    assert_fault(TEXT("\"\\uD83D\\uD83D\\uDE00\""), JSON_LONE_SURROGATE, 1);
}

static void equal_names_are_found_however_spelled(void **state)
{
    (void)state;
    assert_fault(TEXT("{\"a\":1,\"a\":2}"), JSON_DUPLICATE_KEY, 7);
    assert_fault(TEXT("{\"a\":1,\"\\u0061\":2}"), JSON_DUPLICATE_KEY, 7);
    assert_fault(TEXT("{\"\":1,\"\":2}"), JSON_DUPLICATE_KEY, 6);
    assert_fault(TEXT("{\"\\uD83D\\uDE00\":1,\"\xF0\x9F\x98\x80\":2}"), JSON_DUPLICATE_KEY, 18);
    assert_fault(TEXT("{\"\\u00e4\":1,\"\xC3\xA4\":2}"), JSON_DUPLICATE_KEY, 12);
    assert_fault(TEXT("[{\"x\":{\"path name\":1,\"b\":[],\"path\\u0020name\":2}}]"),
                 JSON_DUPLICATE_KEY, 28);
    assert_fault(TEXT("{\"a\":{\"b\":1},\"c\":{\"b\":1},\"a\":0}"), JSON_DUPLICATE_KEY, 25);
    assert_fault(TEXT("{\"a\\/b\":1,\"a/b\":2}"), JSON_DUPLICATE_KEY, 10);
}

/* Enough members for the sorted comparison, in an order that is not sorted. */
static void equal_names_are_found_among_many(void **state)
{
    static char text[400000];
    (void)state;
    for (int twin = -1; twin < 5000; twin = twin < 0 ? 0 : twin + 999) {
        size_t len = 0, offset = 0;
        text[len++] = '{';
        for (int i = 0; i < 5000; i++)
            len +=
                (size_t)sprintf(text + len, "\"member number %d\":{\"x\":%d},", i * 7919 % 5000, i);
        if (twin >= 0) {
            offset = len;
            len += (size_t)sprintf(text + len, "\"member\\u0020number %d\":0}", twin);
        } else {
            len += (size_t)sprintf(text + len, "\"last\":0}");
        }
        assert_fault(slice_of(text, len), twin >= 0 ? JSON_DUPLICATE_KEY : JSON_OK, offset);
    }
}

static void depth_has_a_limit(void **state)
{
    char text[4 * JSON_DEPTH_MAX];
    (void)state;
    for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        size_t len = 0;
        for (int i = 0; i < depth; i++)
            text[len++] = '[';
        for (int i = 0; i < depth; i++)
            text[len++] = ']';
        bool over = depth > JSON_DEPTH_MAX;
        assert_fault(slice_of(text, len), over ? JSON_TOO_DEEP : JSON_OK,
                     over ? JSON_DEPTH_MAX : 0);
    }
}

static void members_have_a_limit_over_the_whole_text(void **state)
{
    size_t room = 32 * (JSON_MEMBERS_MAX + 2), len;
    char *text = malloc(room);
    (void)state;
    assert_non_null(text);
    for (int extra = 0; extra < 2; extra++) {
        len = 0;
        text[len++] = '[';
        for (int i = 0; i < JSON_MEMBERS_MAX + extra; i++)
            len += (size_t)sprintf(text + len, "%s{\"k\":0}", i ? "," : "");
        text[len++] = ']';
        assert_fault(slice_of(text, len), extra ? JSON_TOO_MANY_MEMBERS : JSON_OK,
                     extra ? len - 7 : 0);
    }
    free(text);
}

/* cJSON reads the first 63 characters of a number and goes on behind them. */
static void numbers_have_a_limit(void **state)
{
    char text[80];
    (void)state;
    memset(text, '1', sizeof text);
    assert_fault(slice_of(text, JSON_NUMBER_MAX), JSON_OK, 0);
    assert_fault(slice_of(text, JSON_NUMBER_MAX + 1), JSON_NUMBER_TOO_LONG, 0);
}

/* No cut of a good text is good, and none is read past its end. */
static void every_cut_is_refused(void **state)
{
    struct slice text =
        TEXT("{\"a\\u0041\\uD83D\\uDE00\":[true,false,null,-1.5e+3,\"\xE2\x82\xAC\"],"
             "\"longer than eight\":{\"b\":\"\\n\"}}");
    (void)state;
    for (size_t len = 0; len < text.len; len++)
        assert_int_not_equal(fault_of(slice_of(text.data, len)).fault, JSON_OK);
    assert_fault(text, JSON_OK, 0);
}

static void every_fault_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = JSON_OK; a <= JSON_NO_MEMORY; a++) {
        assert_non_null(json_fault_text((enum json_fault)a));
        for (int b = a + 1; b <= JSON_NO_MEMORY; b++)
            assert_string_not_equal(json_fault_code((enum json_fault)a),
                                    json_fault_code((enum json_fault)b));
    }
    assert_string_equal(json_fault_code(JSON_BAD_UTF8), "invalid-utf8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_pass),
        cmocka_unit_test(bad_grammar_is_refused_where_it_is),
        cmocka_unit_test(nul_is_refused_in_every_spelling),
        cmocka_unit_test(ill_formed_utf8_is_refused),
        cmocka_unit_test(half_surrogate_pairs_are_refused),
        cmocka_unit_test(equal_names_are_found_however_spelled),
        cmocka_unit_test(equal_names_are_found_among_many),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(members_have_a_limit_over_the_whole_text),
        cmocka_unit_test(numbers_have_a_limit),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_fault_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
