/* The table of errors is a contract with clients: codes are unique, known, and never change. */
#include "scout/base/error.h"

#include "scout/base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>

static const struct {
    int number;
    const char *code;
} rows[] = {
#define X(name, number, code, rpc, text) {SCOUT_E_##name, code},
    SCOUT_ERRORS(X)
#undef X
};

static void numbers_and_codes_are_unique_and_negative(void **state)
{
    (void)state;
    size_t count = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].number < 0);
        assert_string_equal(error_code(rows[i].number), rows[i].code);
        assert_true(strlen(error_text(rows[i].number)) > 0);
        assert_true(error_rpc_code(rows[i].number) < 0);
        for (size_t j = i + 1; j < count; j++) {
            assert_int_not_equal(rows[i].number, rows[j].number);
            assert_string_not_equal(rows[i].code, rows[j].code);
        }
    }
}

static void an_unknown_number_reads_as_internal(void **state)
{
    (void)state;
    assert_string_equal(error_code(-99999), "internal");
    assert_string_equal(error_code(17), "internal");
    assert_int_equal(error_rpc_code(-99999), -32603);
    assert_string_equal(error_code(SCOUT_E_PARSE), "parse-error");
    assert_int_equal(error_rpc_code(SCOUT_E_PARSE), -32700);
}

static void a_failure_carries_its_story(void **state)
{
    (void)state;
    struct failure f;
    assert_int_equal(failure_set(&f, SCOUT_E_CONNECT, "connecting to %s failed", "web-1"),
                     SCOUT_E_CONNECT);
    assert_int_equal(f.error, SCOUT_E_CONNECT);
    assert_null(f.stage);
    assert_string_equal(f.text, "connecting to web-1 failed");
}

static void a_long_text_is_cut_at_the_end_of_a_character(void **state)
{
    (void)state;
    /* Characters of two, three and four bytes, at every offset to the limit. */
    const char *chars[] = {"\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    for (size_t kind = 0; kind < 3; kind++) {
        for (int pad = 0; pad < 8; pad++) {
            char text[1024] = "";
            struct failure f;
            size_t len = strlen(chars[kind]);
            for (size_t pos = 0; pos + len < sizeof text; pos += len)
                memcpy(text + pos, chars[kind], len);
            failure_set(&f, SCOUT_E_REMOTE, "%.*s%s", pad, "aaaaaaaa", text);
            size_t got = strlen(f.text);
            assert_true(got < sizeof f.text && got + len >= sizeof f.text);
            assert_int_equal(utf8_valid_len(slice_of(f.text, got)), got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_codes_are_unique_and_negative),
        cmocka_unit_test(an_unknown_number_reads_as_internal),
        cmocka_unit_test(a_failure_carries_its_story),
        cmocka_unit_test(a_long_text_is_cut_at_the_end_of_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
