/* What bytes are taken for, and that as UTF-8. */
#include "scout/base/text_kind.h"

#include "scout/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdlib.h>

#define BYTES(text) (text), sizeof(text) - 1

static struct text_kind kind_of(const char *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1); /* of its own, for the sanitizer */
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    struct slice text = slice_of(copy, len);
    struct text_kind kind = text_kind_of(slice_of(copy, len < 4 ? len : 4), text, false, false);
    free(copy);
    return kind;
}

static void expect(const char *bytes, size_t len, enum text_encoding encoding, bool ill_formed,
                   const char *utf8)
{
    struct text_kind kind = kind_of(bytes, len);
    struct buf out;
    assert_string_equal(text_encoding_name(kind.encoding), text_encoding_name(encoding));
    assert_int_equal(kind.ill_formed, ill_formed);
    if (!utf8)
        return;
    buf_init(&out, strlen(utf8)); /* the cap is met exactly */
    assert_int_equal(text_to_utf8(kind, slice_of(bytes, len), &out), 0);
    assert_true(slice_is(buf_peek(&out), utf8));
    buf_fini(&out);
}

static void encodings(void **state)
{
    (void)state;
    expect(BYTES(""), TEXT_UTF8, false, "");
    expect(BYTES("plain\n"), TEXT_UTF8, false, "plain\n");
    expect(BYTES("h\xC3\xA4\n"), TEXT_UTF8, false, "h\xC3\xA4\n");
    expect(BYTES("\xEF\xBB\xBFh\n"), TEXT_UTF8_BOM, false, "h\n");
    expect(BYTES("\xFF\xFEh\0\xE4\0\n\0"), TEXT_UTF16_LE, false, "h\xC3\xA4\n");
    expect(BYTES("\xFE\xFF\0h\0\xE4\0\n"), TEXT_UTF16_BE, false, "h\xC3\xA4\n");
    expect(BYTES("\xFF\xFE\x3D\xD8\x00\xDE"), TEXT_UTF16_LE, false, "\xF0\x9F\x98\x80");
    expect(BYTES("\xFE\xFF\xD8\x3D\xDE\x00"), TEXT_UTF16_BE, false, "\xF0\x9F\x98\x80");
    expect(BYTES("\xFF\xFE\x3D\xD8x\0"), TEXT_UTF16_LE, true, "\xEF\xBF\xBDx");
    expect(BYTES("\xFF\xFEx"), TEXT_UTF16_LE, true, "\xEF\xBF\xBD");
    expect(BYTES("caf\xE9\n"), TEXT_LATIN1, false, "caf\xC3\xA9\n");
    /* What speaks for UTF-8, or against ISO 8859-1. */
    expect(BYTES("caf\xE9 h\xC3\xA4\n"), TEXT_UTF8, true, NULL);
    expect(BYTES("\x93quoted\x94\n"), TEXT_UTF8, true, NULL);
    expect(BYTES("\xEF\xBB\xBF\xE9\n"), TEXT_UTF8_BOM, true, NULL);
}

static void binary(void **state)
{
    (void)state;
    expect(BYTES("a\0b"), TEXT_BINARY, false, NULL);
    expect(BYTES("\x01\x02\x03text"), TEXT_BINARY, false, NULL);
    expect(BYTES("\x1B[31mred\x1B[0m and much more text\n"), TEXT_UTF8, false, NULL);
    expect(BYTES("one \x01 in a text is none\n"), TEXT_UTF8, false, NULL);
    assert_string_equal(text_binary_type(slice_of(BYTES("\x1F\x8B\x08"))), "gzip");
    assert_string_equal(text_binary_type(slice_of(BYTES("\x7F"
                                                        "ELF\x02"))),
                        "elf");
    assert_string_equal(text_binary_type(slice_of("SQLite format 3\0x", 17)), "sqlite");
    assert_null(text_binary_type(slice_of(BYTES("\x1F"))));
    assert_null(text_binary_type(slice_of(BYTES("\0\0\0\0"))));
}

static void a_cut_is_no_fault_of_the_text(void **state)
{
    static const char text[] = "\xF0\x9F\x98\x80";
    (void)state;
    for (size_t from = 0; from < 4; from++)
        for (size_t to = from; to <= 4; to++) {
            struct slice piece = slice_of(text + from, to - from);
            struct text_kind kind = text_kind_of(slice_of("", 0), piece, from > 0, to < 4);
            bool middle = from > 0 && to < 4; /* is no text at all, but no fault either */
            if (!middle)
                assert_int_equal(kind.encoding, TEXT_UTF8);
            assert_false(kind.ill_formed);
        }
    assert_true(kind_of(text, 3).ill_formed);
}

/* The head of the file tells what a piece from its middle is. */
static void the_head_decides(void **state)
{
    (void)state;
    struct text_kind kind =
        text_kind_of(slice_of(BYTES("\xFF\xFE")), slice_of(BYTES("x\0\n\0")), true, true);
    assert_int_equal(kind.encoding, TEXT_UTF16_LE);
    kind = text_kind_of(slice_of("", 0), slice_of(BYTES("x\0\n\0")), true, true);
    assert_int_equal(kind.encoding, TEXT_BINARY);
}

static void lines(void **state)
{
    static const char *const texts[] = {"", "a", "\n", "a\nb", "a\n\nb\n"};
    static const uint64_t counts[] = {0, 1, 1, 2, 3};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(text_count_lines(slice_str(texts[i])), counts[i]);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 3);
    assert_int_equal(
        text_to_utf8((struct text_kind){TEXT_LATIN1, false}, slice_of(BYTES("\xE9\xE9")), &out),
        SCOUT_E_LIMIT);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings),
        cmocka_unit_test(binary),
        cmocka_unit_test(a_cut_is_no_fault_of_the_text),
        cmocka_unit_test(the_head_decides),
        cmocka_unit_test(lines),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
