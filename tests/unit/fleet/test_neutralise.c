/* What of a text from a host could deceive or drive something is taken out or shown; the rest stays
 * as it is. */
#include "scout/fleet/neutralise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdlib.h>

/* NUL-terminated, to be freed. */
static char *neutral(struct slice text, struct neutralised *counts)
{
    struct buf out;
    *counts = (struct neutralised){0};
    buf_init(&out, 1u << 20);
    assert_int_equal(neutralise(text, &out, counts), 0);
    char *copy =
        buf_len(&out) ? strndup((const char *)buf_peek(&out).data, buf_len(&out)) : strdup("");
    assert_non_null(copy);
    buf_fini(&out);
    return copy;
}

static void dangers_are_taken_out_or_shown(void **state)
{
    static const struct {
        const char *text, *expected;
        struct neutralised counts;
    } cases[] = {
        {"a\x1B[31mred\x1B[0m", "ared", {2, 0, 0}},
        {"\x1B]0;title\x07x", "x", {1, 0, 0}},
        {"\x1B]8;;http://h\x1B\\x", "x", {1, 0, 0}},
        {"\x1BPq#0\x1B\\x", "x", {1, 0, 0}},
        {"\x1B(Bx\x1B"
         "c\x1B#8",
         "x",
         {3, 0, 0}},
        {"\xC2\x9B"
         "31mx\xC2\x9D"
         "0;t\xC2\x9Cy",
         "xy",
         {2, 0, 0}},
        {"x\x1B", "x\xE2\x90\x9B", {1, 0, 0}},
        {"x\x1B[31", "x\xE2\x90\x9B[31", {1, 0, 0}},
        {"\x1B]0;no end\nnext", "\xE2\x90\x9B]0;no end\nnext", {1, 0, 0}},
        {"a\b\x7F\x01", "a\xE2\x90\x88\xE2\x90\xA1\xE2\x90\x81", {3, 0, 0}},
        {"10%\r20%\r\n",
         "10%\xE2\x90\x8D"
         "20%\r\n",
         {1, 0, 0}},
        {"a\xC2\x85", "a<U+0085>", {1, 0, 0}},
        {"a\xE2\x80\xAE"
         "b\xE2\x81\xA6",
         "a<U+202E>b<U+2066>",
         {0, 2, 0}},
        {"\xE2\x80\x8E\xD8\x9C", "<U+200E><U+061C>", {0, 2, 0}},
        {"a\xE2\x80\x8B"
         "b",
         "a<U+200B>b",
         {0, 0, 1}},
        {"a\xE2\x80\x8D"
         "b\xE2\x80\x8C",
         "a<U+200D>b<U+200C>",
         {0, 0, 2}},
        {"a\xEF\xBB\xBF", "a<U+FEFF>", {0, 0, 1}},
        {"a\xF3\xA0\x81\x81", "a<U+E0041>", {0, 0, 1}},
        {"a\xF3\xA0\x84\x80", "a<U+E0100>", {0, 0, 1}},
        {"a\xEF\xB8\x80", "a<U+FE00>", {0, 0, 1}},
        {"\xE2\x9C\x94\xEF\xB8\x8F\xEF\xB8\x80", "\xE2\x9C\x94\xEF\xB8\x8F<U+FE00>", {0, 0, 1}},
        {"\xF0\x9F\x91\xA9\xE2\x80\x8D"
         "a",
         "\xF0\x9F\x91\xA9<U+200D>a",
         {0, 0, 1}},
        {"a\xFF"
         "b\xE2\x80",
         "a\xEF\xBF\xBD"
         "b\xEF\xBF\xBD",
         {0, 0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct neutralised counts;
        char *out = neutral(slice_str(cases[i].text), &counts);
        assert_string_equal(out, cases[i].expected);
        assert_memory_equal(&counts, &cases[i].counts, sizeof counts);
        free(out);
    }
}

static void honest_text_stays(void **state)
{
    static const char *const texts[] = {
        "",
        "plain\ttext\r\nand\n",
        "\xEF\xBB\xBFwith a mark of its order",
        "\xC3\xA4\xC3\xB6\xC3\xBC \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x98\x80",
        "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",         /* a coder */
        "\xE2\x9D\xA4\xEF\xB8\x8F\xE2\x80\x8D\xF0\x9F\x94\xA5", /* a heart on fire */
        "1\xEF\xB8\x8F\xE2\x83\xA3",                            /* a key cap */
        "\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xAE\xD9\x88\xD8\xA7\xD9\x87\xD9\x85", /* Persian */
        "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8D\xE0\xA4\xB7",                     /* Devanagari */
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct neutralised counts;
        char *out = neutral(slice_str(texts[i]), &counts);
        assert_string_equal(out, texts[i]);
        assert_int_equal(counts.escapes + counts.bidi + counts.invisible, 0);
        free(out);
    }
}

/* Every byte and every two bytes at every place of the steps of eight: what comes out has no
 * control but tabulator and line break, and is neutral when it is taken again. */
static void every_place_is_looked_at(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        uint8_t text[24];
        size_t at = pair % 19;
        memset(text, 'x', sizeof text);
        text[at] = (uint8_t)(pair >> 8);
        text[at + 1] = (uint8_t)pair;
        struct neutralised counts;
        char *once = neutral(slice_of(text, sizeof text), &counts);
        for (const char *c = once; *c; c++)
            assert_true((uint8_t)*c >= ' ' || *c == '\n' || *c == '\t' ||
                        (*c == '\r' && c[1] == '\n'));
        assert_null(strchr(once, 0x7F));
        char *twice = neutral(slice_str(once), &counts);
        assert_string_equal(once, twice);
        free(once);
        free(twice);
    }
}

static void a_sequence_has_a_bound(void **state)
{
    struct neutralised counts;
    char text[4096] = "\x1B]";
    (void)state;
    memset(text + 2, 'x', sizeof text - 4);
    text[sizeof text - 2] = 0x07;
    char *out = neutral(slice_str(text), &counts);
    assert_int_equal(strlen(out), sizeof text - 1 + 2 + 2); /* both controls are shown */
    assert_int_equal(counts.escapes, 2);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dangers_are_taken_out_or_shown),
        cmocka_unit_test(honest_text_stays),
        cmocka_unit_test(every_place_is_looked_at),
        cmocka_unit_test(a_sequence_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
