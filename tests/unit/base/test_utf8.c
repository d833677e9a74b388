/* UTF-8 by RFC 3629 and by the Unicode Standard's table 3-7, over every code point and every pair
 * of bytes. */
#include "scout/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

static size_t encode(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xC0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xE0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

static void every_code_point_is_taken_and_nothing_else(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x200000; code++) {
        uint8_t bytes[4];
        size_t len = encode(code, bytes);
        bool good = code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
        size_t got = utf8_char_len(slice_of(bytes, len));
        if (got != (good ? len : 0))
            fail_msg("U+%X read as %zu bytes", code, got);
        for (size_t cut = 0; cut < len; cut++)
            if (utf8_char_len(slice_of(bytes, cut)) != 0)
                fail_msg("U+%X taken at %zu bytes", code, cut);
    }
}

static void overlong_forms_are_refused(void **state)
{
    (void)state;
    const char *texts[] = {"\xC0\x80",         "\xC1\xBF",         "\xE0\x80\x80",
                           "\xE0\x9F\xBF",     "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF",
                           "\xF4\x90\x80\x80", "\xED\xA0\x80",     "\xFF"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(utf8_char_len(slice_str(texts[i])), 0);
}

static void valid_len_stops_at_the_first_bad_byte_at_any_position(void **state)
{
    (void)state;
    uint8_t text[300]; /* several of the steps that ASCII is taken in */
    for (size_t bad = 0; bad < sizeof text; bad++) {
        memset(text, 'a', sizeof text);
        text[bad] = 0x80;
        assert_int_equal(utf8_valid_len(slice_of(text, sizeof text)), bad);
        if (bad > 0) {
            text[bad - 1] = 0xC3; /* now they are one character */
            assert_int_equal(utf8_valid_len(slice_of(text, sizeof text)), sizeof text);
            assert_int_equal(utf8_valid_len(slice_of(text, bad)), bad - 1);
        }
    }
    struct slice mixed = slice_str("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80 abcdefghijkl");
    assert_int_equal(utf8_valid_len(mixed), mixed.len);
    mixed.len = 9; /* within the four-byte character */
    assert_int_equal(utf8_valid_len(mixed), 7);
    assert_int_equal(utf8_valid_len(slice_of(NULL, 0)), 0);
}

/* The example of the Unicode Standard, section 3.9, table 3-8. */
static void bad_len_covers_the_maximal_subpart(void **state)
{
    (void)state;
    struct slice text = slice_str("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64");
    const size_t expected[] = {1, 3, 2, 1, 1, 1, 1, 1, 1, 1};
    size_t step = 0;
    while (text.len) {
        size_t len = utf8_char_len(text);
        if (len == 0)
            len = utf8_bad_len(text);
        assert_int_equal(len, expected[step++]);
        text = slice_skip(text, len);
    }
    assert_int_equal(step, sizeof expected / sizeof expected[0]);
    assert_int_equal(utf8_bad_len(slice_str("\xE2\x82")), 2); /* cut at the end */
    assert_int_equal(utf8_bad_len(slice_str("\xED\xA0\x80")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_taken_and_nothing_else),
        cmocka_unit_test(overlong_forms_are_refused),
        cmocka_unit_test(valid_len_stops_at_the_first_bad_byte_at_any_position),
        cmocka_unit_test(bad_len_covers_the_maximal_subpart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
