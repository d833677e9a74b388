/* Edits of texts: what matches, what is written, and what a refusal says. */
#include "scout/fleet/text_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM 8192

static char done[ROOM + 1];
static struct failure why;

/* The text afterwards in `done`; the matches, or an error. */
static int edit_slices(struct slice text, struct slice old_text, struct slice new_text, bool all)
{
    const struct text_edit e = {text, old_text, new_text, all};
    struct buf out;
    uint64_t count;
    buf_init(&out, ROOM);
    int error = text_edit_apply(&e, &out, &count, &why);
    struct slice got = buf_peek(&out);
    if (got.len)
        memcpy(done, got.data, got.len);
    done[got.len] = '\0';
    buf_fini(&out);
    return error ? error : (int)count;
}

static int edit(const char *text, const char *old_text, const char *new_text, bool all)
{
    return edit_slices(slice_str(text), slice_str(old_text), slice_str(new_text), all);
}

static void assert_edit(const char *text, const char *old_text, const char *new_text,
                        const char *expected)
{
    assert_int_equal(edit(text, old_text, new_text, false), 1);
    assert_string_equal(done, expected);
}

static void assert_refused(const char *text, const char *old_text, const char *new_text,
                           const char *part)
{
    assert_int_equal(edit(text, old_text, new_text, false), SCOUT_E_NO_MATCH);
    if (!strstr(why.text, part))
        fail_msg("not in \"%s\": %s", why.text, part);
}

static void test_one(void **state)
{
    (void)state;
    assert_edit("a\nb\nc\n", "b", "B", "a\nB\nc\n");
    assert_edit("a\nb\nc\n", "b\n", "", "a\nc\n");
    assert_edit("abc", "abc", "", "");
    assert_edit("abc", "c", "cd", "abcd");
    assert_edit("\xef\xbb\xbf"
                "a\n",
                "a", "b",
                "\xef\xbb\xbf"
                "b\n");
    assert_int_equal(edit("aXbXc", "X", "--", true), 2);
    assert_string_equal(done, "a--b--c");
    assert_int_equal(edit("aaa", "a", "aa", true), 3);
    assert_string_equal(done, "aaaaaa");
}

static void test_line_breaks(void **state)
{
    (void)state;
    assert_edit("a\r\nb\r\nc\r\n", "a\nb", "A\nx\nB", "A\r\nx\r\nB\r\nc\r\n");
    assert_edit("a\r\nb\r\n", "b", "b\nc", "a\r\nb\r\nc\r\n");
    assert_edit("a\r\nb\r\n", "\nb\n", "\n", "a\r\n");
    assert_edit("a\r\nb", "b", "b\nc", "a\r\nb\r\nc"); /* the last line is as the one before it */
    assert_edit("a", "a", "a\nb", "a\nb");
    assert_edit("a\nb\r\nc\n", "a", "a\n1", "a\n1\nb\r\nc\n"); /* mixed: as it is there */
    assert_edit("a\nb\r\nc\n", "b", "b\n1", "a\nb\r\n1\r\nc\n");
    assert_int_equal(edit("a\nb\r\na\r\nb\n", "a\nb", "x\ny", true), 2);
    assert_string_equal(done, "x\ny\r\nx\r\ny\n");
    /* A CR that is part of no line break stays what it is. */
    assert_edit("a\rb\r\r\nc\r\n", "c\n", "d\n", "a\rb\r\r\nd\r\n");
}

static void test_byte_for_byte(void **state)
{
    (void)state;
    assert_edit("a\r\nb\r\n", "a\r\n", "a\n", "a\nb\r\n");
    assert_edit("a\nb\n", "a\n", "a\r\n", "a\r\nb\n");
    assert_int_equal(edit("a\r\nb\r\n", "\r", "", true), 2);
    assert_string_equal(done, "a\nb\n");
    assert_refused("a\nb\n", "a\r\nb", "x",
                   "other white space (blanks, tabs, line breaks) it is at line 1");
}

static void test_several(void **state)
{
    (void)state;
    assert_refused("x\na\nx\n x x\n", "x", "y", "in it 4 times, at lines 1, 3, 4. Give more");
    assert_refused("aaa", "aa", "b", "in it 2 times, at line 1."); /* they overlap */
    assert_refused("a\r\na\r\n", "a\n", "b\n", "2 times, at lines 1, 2.");
    assert_refused("\r\n\r\n", "\n", "b", "2 times, at lines 1, 2.");
    char many[1024] = "";
    for (int i = 0; i < 200; i++)
        strcat(many, "x\n");
    assert_refused(many, "x", "y",
                   "100 times or more, at lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and others");
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    assert_int_equal(edit("a", "", "b", false), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(edit("", "", "b", true), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(edit("a", "a", "a", true), SCOUT_E_INVALID_ARGUMENT);
}

static void test_near(void **state)
{
    (void)state;
    assert_refused("", "a", "b", "The file is empty");
    assert_refused("one\ntwo\n", "three", "b", "Nothing comes near to it");
    assert_refused("x\n\tif (a)  {\n\t\tb;\n", "    if (a) {\n        b;", "c",
                   "With other white space (blanks, tabs, line breaks) it is at line 2");
    assert_refused("a b\nc\na  b\n", "a\tb", "c", "at line 1, 3");
    assert_refused("caf\xc3\xa9\nsay \xe2\x80\x9chi\xe2\x80\x9d\n", "Say \"hi\"", "c", "at line 2");
    assert_refused(
        "x\nsay\xc2\xa0 \xe2\x80\x9chi\xe2\x80\x9d\n", "Say \"hi\"", "c",
        "With other white space, and other letters' case, quotes or dashes it is at line 2");
    assert_refused("0\n1\n2\n3\n4\n", "1\n2\n3\n5\n", "c",
                   "Its first 3 lines are there, from line 2 on");
    assert_refused("01\n1\n2\n", "1\n3\n", "c", "Its first line is there, from line 2 on");
    assert_refused("a\n\nb\n", "\nc\n", "c", "Nothing comes near");
    assert_refused("a\n", "  \n\t", "c", "Nothing comes near");
    assert_refused("\xf0\x9f\x98\x80 a\nB\xe2\x80\x8b"
                   "c\n",
                   "Bc", "c", "at line 2");
}

static void test_limit(void **state)
{
    (void)state;
    char text[ROOM + 1];
    memset(text, 'x', ROOM);
    assert_int_equal(edit_slices(slice_of(text, ROOM), slice_of(text, ROOM), slice_str(""), false),
                     1);
    assert_int_equal(edit_slices(slice_of(text, ROOM), slice_str("x"), slice_str("xx"), true),
                     SCOUT_E_LIMIT);
    assert_non_null(strstr(why.text, "8192 bytes"));
    /* Matches that overlap are counted no further than a refusal says. */
    size_t len = 4u << 20;
    char *large = malloc(len);
    assert_non_null(large);
    memset(large, 'x', len);
    assert_int_equal(
        edit_slices(slice_of(large, len), slice_of(large, len / 2), slice_str(""), false),
        SCOUT_E_NO_MATCH);
    free(large);
}

static void test_check(void **state)
{
    (void)state;
    assert_int_equal(text_edit_check(slice_str(""), &why), 0);
    assert_int_equal(text_edit_check(slice_str("a\xc3\xa9\n"), &why), 0);
    assert_int_equal(text_edit_check(slice_of("a\n\0", 3), &why), SCOUT_E_NOT_TEXT);
    assert_string_equal(why.text, "it is a binary file: a NUL at byte 3, in line 2");
    assert_int_equal(text_edit_check(slice_str("a\nb\n\xff"), &why), SCOUT_E_NOT_TEXT);
    assert_string_equal(why.text, "it is not UTF-8: ill-formed at byte 5, in line 3");
}

/* Each part of a text, taken for what is replaced, against looking at every place. */
static void test_every_part(void **state)
{
    (void)state;
    static const char *const texts[] = {"aba\nab\n\naba", "a\r\nb\n\r\na\r\n", "\r\r\n\n\r\nx",
                                        "xyxyxyx"};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        struct slice text = slice_str(texts[t]);
        for (size_t from = 0; from < text.len; from++) {
            for (size_t len = 1; from + len <= text.len; len++) {
                struct slice part = slice_of(text.data + from, len);
                unsigned places = 0;
                char old_text[32] = "", expected[64];
                memcpy(old_text, part.data, len);
                for (size_t i = 0; i + len <= text.len; i++)
                    places += memcmp(text.data + i, part.data, len) == 0;
                snprintf(expected, sizeof expected, "%.*s<\r>%s", (int)from, texts[t],
                         texts[t] + from + len);
                /* The CR in what is written makes it byte for byte. */
                int got = edit(texts[t], old_text, "<\r>", false);
                assert_int_equal(got, places == 1 ? 1 : SCOUT_E_NO_MATCH);
                if (got == 1)
                    assert_string_equal(done, expected);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),           cmocka_unit_test(test_line_breaks),
        cmocka_unit_test(test_byte_for_byte), cmocka_unit_test(test_several),
        cmocka_unit_test(test_nothing_to_do), cmocka_unit_test(test_near),
        cmocka_unit_test(test_limit),         cmocka_unit_test(test_check),
        cmocka_unit_test(test_every_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
