/* A long text is cut so that nothing of it is lost: what is shown and what is told to be left out
 * are the whole. */
#include "text_cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define HANDLE "out_AAAAAAAAAAAAAAAAAAAAAA"

/* NUL-terminated, to be freed. */
static char *cut_text(const char *text, const size_t *blocks, size_t count, size_t budget)
{
    struct text_cut cut;
    struct buf out;
    buf_init(&out, 1u << 22);
    assert_int_equal(text_cut_init(&cut, slice_str(text), blocks, count, budget), 0);
    assert_int_equal(text_cut_write(&cut, HANDLE, 0, &out), 0);
    char *copy = strndup((const char *)buf_peek(&out).data, buf_len(&out));
    text_cut_fini(&cut);
    buf_fini(&out);
    return copy;
}

/* `count` lines "line N". */
static char *lines(int count)
{
    char *text = malloc((size_t)count * 16 + 1), *at = text;
    for (int i = 0; i < count; i++)
        at += sprintf(at, "line %d\n", i);
    return text;
}

static void a_short_text_stays(void **state)
{
    (void)state;
    char *out = cut_text("some text", NULL, 0, 9);
    assert_string_equal(out, "some text");
    free(out);
}

/* The pieces and the gaps that are told, put together, are the text. */
static void head_and_tail_are_kept_at_ends_of_lines(void **state)
{
    char *text = lines(5000), *out = cut_text(text, NULL, 0, 4000);
    (void)state;
    char *gap = strstr(out, "[\xE2\x80\xA6 "), *offset = strstr(out, "\"offset\":");
    assert_non_null(gap);
    size_t from = strtoul(offset + strlen("\"offset\":"), NULL, 10);
    const char *tail = strchr(gap, '\n') + 1;
    assert_int_equal(from, gap - out);
    assert_memory_equal(out, text, from);
    assert_int_equal(text[from - 1], '\n');
    size_t tail_len = strlen(tail), to = strlen(text) - tail_len;
    assert_string_equal(tail, text + to);
    assert_int_equal(text[to - 1], '\n');
    assert_true(from > 1800 && from <= 2400 && tail_len > 1200 && tail_len <= 1600);
    size_t left_out = 0;
    for (size_t i = from; i < to; i++)
        left_out += text[i] == '\n';
    char expected[256];
    snprintf(expected, sizeof expected,
             "[\xE2\x80\xA6 4,%03zu lines, %zu,%03zu characters left out; "
             "read them with output {\"handle\":\"" HANDLE "\",\"offset\":%zu} \xE2\x80\xA6]\n",
             left_out - 4000, (to - from) / 1000, (to - from) % 1000, from);
    assert_memory_equal(gap, expected, strlen(expected));
    free(text);
    free(out);
}

/* Characters count and not bytes, and none is cut in two; whatever the budget. */
static void characters_stay_whole(void **state)
{
    char text[3001];
    (void)state;
    for (int i = 0; i < 1000; i++)
        memcpy(text + 3 * (size_t)i, "\xE6\xBC\xA2", 4);
    for (size_t budget = 10; budget < 1000; budget += 7) {
        char *out = cut_text(text, NULL, 0, budget);
        size_t shown = 0;
        for (const char *c = out; *c; c++)
            shown += *c == '\xE6';
        assert_int_equal(shown, budget);
        for (const char *c = out; (c = strchr(c, '\xE6')); c++)
            assert_memory_equal(c, "\xE6\xBC\xA2", 3);
        free(out);
    }
}

static void markers_stay_whole(void **state)
{
    static const char marker[] = "[redacted:password:0123abcd]";
    char text[64 * sizeof marker + 1];
    (void)state;
    for (size_t i = 0; i < 64; i++)
        memcpy(text + i * (sizeof marker - 1), marker, sizeof marker);
    for (size_t budget = 100; budget < 1000; budget++) {
        char *out = cut_text(text, NULL, 0, budget);
        for (const char *c = out; (c = strstr(c, "[redacted")); c++)
            assert_memory_equal(c, marker, sizeof marker - 1);
        for (const char *c = out; (c = strstr(c, "abcd]")); c++)
            assert_memory_equal(c + 5 - (sizeof marker - 1), marker, sizeof marker - 1);
        free(out);
    }
}

/* Small blocks stay whole; the large ones lose, all the same. */
static void blocks_share_the_budget(void **state)
{
    char text[16384];
    size_t blocks[5] = {100, 5000, 100, 5000, 100};
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t i = 0, at = 0; i < 5; i++) {
        text[at] = (char)('A' + i);
        at += blocks[i];
        text[at - 1] = '\n';
    }
    text[10300] = '\0';
    char *out = cut_text(text, blocks, 5, 4000);
    int gaps = 0;
    for (const char *c = out; (c = strstr(c, "left out; read")); c++)
        gaps++;
    assert_int_equal(gaps, 2);
    for (char c = 'A'; c <= 'E'; c++)
        assert_non_null(strchr(out, c));
    assert_true(strlen(out) <= 4000 + 2 * 160 && strlen(out) > 3500);
    free(out);
}

/* So many blocks that not even their beginnings fit: those in the middle go, as a whole. */
static void blocks_are_left_out_where_they_are_too_many(void **state)
{
    char *text = lines(10000);
    size_t *blocks = malloc(10000 * sizeof *blocks), count = 0;
    (void)state;
    for (const char *c = text, *end; (end = strchr(c, '\n')); c = end + 1)
        blocks[count++] = (size_t)(end - c) + 1;
    char *out = cut_text(text, blocks, count, 2000);
    assert_memory_equal(out, "line 0\nline 1\n", 14);
    assert_non_null(strstr(out, "line 9999\n"));
    char *gap = strstr(out, "left out");
    assert_non_null(gap);
    assert_null(strstr(gap + 1, "left out"));
    assert_true(strlen(out) < 2000 + TEXT_BLOCK_MIN + 200);
    free(blocks);
    free(text);
    free(out);
}

/* Page by page one gets the whole, each once, whatever their size and whatever the text. */
static void pages_are_the_whole(void **state)
{
    char *text = lines(300);
    (void)state;
    memcpy(text + 500, "[redacted:key:01234567]", 23);
    memcpy(text + 700, "\xF0\x9F\x98\x80\xE6\xBC\xA2", 7);
    struct slice whole = slice_str(text);
    for (size_t size = 1; size < 200; size++) {
        size_t at = 0;
        while (at < whole.len) {
            size_t end = text_page_end(whole, at, size);
            assert_true(end > at && end <= whole.len);
            assert_true(text_characters(slice_of(text + at, end - at)) <= (size > 23 ? size : 23));
            assert_true(end == whole.len || (text[end] & 0xC0) != 0x80);
            assert_false(end > 500 && end < 523);
            assert_int_equal(text_border(whole, end), end);
            at = end;
        }
    }
    free(text);
}

static void shares_are_fair(void **state)
{
    size_t a[] = {10, 1000, 20, 1000}, b[] = {5, 5}, c[] = {100};
    (void)state;
    assert_int_equal(text_fair_share(a, 4, 430), 200);
    assert_true(text_fair_share(b, 2, 10) >= 5);
    assert_int_equal(text_fair_share(c, 1, 30), 30);
    assert_int_equal(text_fair_share(NULL, 0, 30), SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_text_stays),
        cmocka_unit_test(head_and_tail_are_kept_at_ends_of_lines),
        cmocka_unit_test(characters_stay_whole),
        cmocka_unit_test(markers_stay_whole),
        cmocka_unit_test(blocks_share_the_budget),
        cmocka_unit_test(blocks_are_left_out_where_they_are_too_many),
        cmocka_unit_test(pages_are_the_whole),
        cmocka_unit_test(shares_are_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
