/* Answers as the daemon sends them, and lines that are none: no byte may be read past their end. */
#include "answer.h"

#include "scout/base/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"a\\u0000"
    "\\ud83d\\ude00\\n\"}],\"structuredContent\":{\"kind\":\"file\",\"size\":-1.5e3,\"x\":[[],{}],"
    "\"text\":\"a\\u0000\\\"\"},\"isError\":false}}";

/* Reads from memory that ends where the text ends, so that the sanitizer sees a byte too many. */
static int read_exactly(struct answer *a, const char *text, size_t len, struct failure *why)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    int error = answer_read(a, slice_of(copy, len), 1, why);
    free(copy);
    return error;
}

static void a_file_with_zero_bytes_is_read(void **state)
{
    (void)state;
    struct answer a;
    struct failure why;
    size_t len;
    assert_int_equal(answer_read(&a, slice_str(good), 1, &why), 0);
    assert_false(a.is_error);
    char *text = answer_decode(a.text, &len);
    assert_non_null(text);
    assert_int_equal(len, 7);
    assert_memory_equal(text, "a\0\xf0\x9f\x98\x80\n", 7);
    free(text);
    text = answer_decode(json_member(a.structured, "text"), &len);
    assert_non_null(text);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "a\0\"", 3);
    free(text);
}

static void a_directory_of_any_size_is_read(void **state)
{
    (void)state;
    struct answer a;
    struct failure why;
    size_t entries = 3u * JSON_MEMBERS_MAX, len = 0, size = entries * 8 + 200;
    char *line = malloc(size);
    assert_non_null(line);
    len += (size_t)snprintf(line, size, "{\"id\":1,\"result\":{\"structuredContent\":{\"e\":[");
    for (size_t i = 0; i < entries; i++)
        len += (size_t)snprintf(line + len, size - len, "%s{\"n\":1}", i ? "," : "");
    len += (size_t)snprintf(line + len, size - len, "]}}}");
    assert_int_equal(read_exactly(&a, line, len, &why), 0);
    free(line);
}

static void a_cut_answer_is_refused_at_every_byte(void **state)
{
    (void)state;
    struct answer a;
    struct failure why;
    for (size_t len = 0; len < sizeof good - 1; len++)
        assert_int_equal(read_exactly(&a, good, len, &why), SCOUT_E_PARSE);
    assert_int_equal(read_exactly(&a, good, sizeof good - 1, &why), 0);
}

/* Whatever one byte is turned into, the reading ends in an answer or a refusal. */
static void a_damaged_answer_is_survived(void **state)
{
    (void)state;
    static const char damage[] = "\"\\{}[]:,u\0\x80 x0";
    struct answer a;
    struct failure why;
    char line[sizeof good];
    for (size_t i = 0; i < sizeof good - 1; i++) {
        for (size_t d = 0; d < sizeof damage - 1; d++) {
            size_t len;
            memcpy(line, good, sizeof good);
            line[i] = damage[d];
            if (answer_read(&a, slice_of(line, sizeof good - 1), 1, &why) == 0)
                free(answer_decode(a.text, &len));
        }
    }
}

static void what_is_not_json_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           " ",           "{",           "}",           "[1,]",
        "{\"a\":1,}", "{\"a\"}",     "{\"a\":}",    "{a:1}",       "[1] 2",
        "\"\\x\"",    "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"a\nb\"",   "[1}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (answer_check(slice_str(bad[i])))
            fail_msg("taken for JSON: %s", bad[i]);
    char deep[2 * (ANSWER_DEPTH_MAX + 1)];
    memset(deep, '[', ANSWER_DEPTH_MAX + 1);
    memset(deep + ANSWER_DEPTH_MAX + 1, ']', ANSWER_DEPTH_MAX + 1);
    assert_false(answer_check(slice_of(deep, sizeof deep)));
    assert_true(answer_check(slice_of(deep + 1, sizeof deep - 2)));
}

static void the_daemons_errors_are_told(void **state)
{
    (void)state;
    struct answer a;
    struct failure why;
    const char *refusal = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":"
                          "\"unknown tool\"}}";
    assert_int_equal(answer_read(&a, slice_str(refusal), 1, &why), SCOUT_E_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "unknown tool"));
    const char *failed =
        "{\"id\":1,\"result\":{\"content\":[],\"structuredContent\":{\"error\":{}},"
        "\"isError\":true}}";
    assert_int_equal(answer_read(&a, slice_str(failed), 1, &why), 0);
    assert_true(a.is_error);
    assert_int_equal(a.text.len, 0);
}

static void lines_about_something_else_are_passed_over(void **state)
{
    (void)state;
    struct answer a;
    struct failure why;
    assert_int_equal(answer_read(&a, slice_str("{\"jsonrpc\":\"2.0\",\"method\":\"x\"}"), 1, &why),
                     SCOUT_E_NOT_FOUND);
    assert_int_equal(answer_read(&a, slice_str("{\"id\":2,\"result\":{}}"), 1, &why),
                     SCOUT_E_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_with_zero_bytes_is_read),
        cmocka_unit_test(a_directory_of_any_size_is_read),
        cmocka_unit_test(a_cut_answer_is_refused_at_every_byte),
        cmocka_unit_test(a_damaged_answer_is_survived),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(the_daemons_errors_are_told),
        cmocka_unit_test(lines_about_something_else_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
