/* Lines of a file out of its blocks, against a plain way to find them, with blocks of every small
 * size. */
#include "line_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEP_ALL (1u << 20)

struct file {
    const uint8_t *data;
    size_t len;
    bool sized; /* else it says that it has no size, as files of /proc do */
};

/* Reads as a host would; returns line_range_take's last answer. */
static int run(struct line_range *r, const struct file *f, struct path_range want,
               uint64_t keep_max, uint64_t block)
{
    int error = 0;
    line_range_init(r, &want, keep_max, f->sized ? f->len : 0);
    line_range_head(r, slice_of(f->data, f->len < PATH_HEAD_MAX ? f->len : PATH_HEAD_MAX));
    r->block = block;
    for (unsigned steps = 0; !r->ended && !error; steps++) {
        uint64_t offset, len;
        assert_true(steps < 10000);
        line_range_next(r, &offset, &len);
        assert_true(len > 0);
        size_t there = offset < f->len ? f->len - offset : 0;
        there = there < len ? there : len;
        uint8_t *copy = malloc(there + 1); /* of its own, for the sanitizer */
        assert_non_null(copy);
        memcpy(copy, f->data + (there ? offset : 0), there);
        error = line_range_take(r, slice_of(copy, there));
        free(copy);
    }
    return error;
}

static struct file file_of(const char *text, bool sized)
{
    return (struct file){(const uint8_t *)text, strlen(text), sized};
}

static void expect(const struct line_range *r, const char *text, uint64_t at, uint64_t lines)
{
    if (r->kept_len != strlen(text) || (text[0] && memcmp(r->kept, text, r->kept_len) != 0))
        fail_msg("'%.*s' is not '%s'", (int)r->kept_len, (const char *)r->kept, text);
    assert_int_equal(r->kept_at, at);
    assert_int_equal(r->line_count, lines);
}

/* Where the line `n` (from 1) begins in the text; its length when there is none. */
static size_t begin_of(const char *text, uint64_t n)
{
    size_t at = 0;
    for (; n > 1 && text[at]; n--) {
        const char *lf = strchr(text + at, '\n');
        at = lf ? (size_t)(lf - text) + 1 : strlen(text);
    }
    return at;
}

static uint64_t count_of(const char *text)
{
    size_t len = strlen(text);
    uint64_t count = len > 0 && text[len - 1] != '\n';
    for (size_t i = 0; i < len; i++)
        count += text[i] == '\n';
    return count;
}

static void check(const char *text, bool sized, uint64_t block)
{
    uint64_t total = count_of(text);
    for (uint64_t first = 1; first <= total + 2; first++)
        for (uint64_t count = 1; count <= total + 1; count++) {
            struct file f = file_of(text, sized);
            struct line_range r;
            char wanted[256];
            size_t from = begin_of(text, first), to = begin_of(text, first + count);
            snprintf(wanted, sizeof wanted, "%.*s", (int)(to - from), text + from);
            assert_int_equal(
                run(&r, &f, (struct path_range){PATH_LINES, first, count}, KEEP_ALL, block), 0);
            expect(&r, wanted, from, count_of(wanted));
            assert_false(r.truncated);
            if (sized)
                assert_int_equal(r.at_end, to == strlen(text));
            if (r.at_end)
                assert_int_equal(r.lines, total);
            line_range_fini(&r);
            if (first > 1)
                continue;
            from = begin_of(text, total > count ? total - count + 1 : 1);
            assert_int_equal(run(&r, &f, (struct path_range){PATH_TAIL, 0, count}, KEEP_ALL, block),
                             0);
            expect(&r, text + from, from, total < count ? total : count);
            assert_true(r.at_end);
            assert_int_equal(r.lines, !sized || r.at == 0 ? total : 0);
            line_range_fini(&r);
        }
}

static void lines_are_found_whatever_the_blocks(void **state)
{
    static const char *const texts[] = {"a",        "\n",
                                        "a\n",      "a\nb",
                                        "a\nb\n",   "\n\n\n",
                                        "aa\n\nb",  "one\ntwo\nthree\nfour",
                                        "\na\n\n",  "long line without end",
                                        "x\ny\nz\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (uint64_t block = 2; block < 9; block++) {
            check(texts[i], true, block);
            check(texts[i], false, block);
        }
}

static void random_texts(void **state)
{
    (void)state;
    srand(7);
    for (unsigned round = 0; round < 2000; round++) {
        char text[40];
        size_t len = 1 + (size_t)rand() % (sizeof text - 2);
        for (size_t i = 0; i < len; i++)
            text[i] = "ab\n"[rand() % 3];
        text[len] = '\0';
        check(text, round & 1, 2 + (uint64_t)rand() % 12);
    }
}

static void an_empty_file_has_no_lines(void **state)
{
    (void)state;
    struct file f = file_of("", false);
    struct line_range r;
    assert_int_equal(run(&r, &f, (struct path_range){PATH_TAIL, 0, 5}, 100, 4), 0);
    expect(&r, "", 0, 0);
    line_range_fini(&r);
    assert_int_equal(run(&r, &f, (struct path_range){PATH_LINES, 1, 5}, 100, 4), 0);
    expect(&r, "", 0, 0);
    assert_true(r.at_end);
    line_range_fini(&r);
}

/* What is too long is cut between lines, where there is more than one. */
static void what_is_too_long_is_cut(void **state)
{
    (void)state;
    struct line_range r;
    for (unsigned sized = 0; sized < 2; sized++) {
        struct file f = file_of("one\ntwo\nthree\n", sized);
        assert_int_equal(run(&r, &f, (struct path_range){PATH_LINES, 1, 9}, 9, 4), 0);
        expect(&r, "one\ntwo\n", 0, 2);
        assert_true(r.truncated);
        assert_false(r.at_end);
        line_range_fini(&r);
        assert_int_equal(run(&r, &f, (struct path_range){PATH_LINES, 3, 9}, 2, 4), 0);
        expect(&r, "th", 8, 1);
        assert_true(r.truncated);
        line_range_fini(&r);
        assert_int_equal(run(&r, &f, (struct path_range){PATH_TAIL, 0, 9}, 11, 4), 0);
        expect(&r, "two\nthree\n", 4, 2);
        assert_true(r.truncated);
        assert_true(r.at_end);
        assert_int_equal(r.lines, sized ? 0 : 3); /* the begin was not read */
        line_range_fini(&r);
        assert_int_equal(run(&r, &f, (struct path_range){PATH_TAIL, 0, 1}, 3, 4), 0);
        expect(&r, "ee\n", 11, 1);
        assert_true(r.truncated);
        line_range_fini(&r);
    }
}

/* A block that is shorter than was asked for: the file is shorter than it said. */
static void a_file_that_shrank(void **state)
{
    (void)state;
    struct line_range r;
    const struct path_range want = {PATH_TAIL, 0, 2};
    line_range_init(&r, &want, 100, 1000);
    r.block = 16;
    assert_int_equal(line_range_take(&r, slice_of("no end of a line", 16)), 0);
    assert_false(r.ended);
    uint64_t offset, len;
    line_range_next(&r, &offset, &len);
    assert_int_equal(offset + len, 984);
    assert_int_equal(line_range_take(&r, slice_of("", 0)), 0);
    while (!r.ended) {
        line_range_next(&r, &offset, &len);
        const char *text = "1\n2\n3\n";
        assert_int_equal(line_range_take(&r, slice_of(text, offset == 0 ? 6 : 0)), 0);
    }
    expect(&r, "2\n3\n", 2, 2);
    line_range_fini(&r);
}

static void utf16_has_lines_of_its_own(void **state)
{
    /* U+0A0D has the byte of LF in it, and U+0D0A, too. */
    static const uint8_t little[] = {0xFF, 0xFE, 'a', 0,    '\n', 0,   0x0D,
                                     0x0A, 'b',  0,   '\n', 0,    'c', 0};
    static const uint8_t big[] = {0xFE, 0xFF, 0, 'a', 0, '\n', 0x0A, 0x0D, 0, 'b', 0, '\n', 0, 'c'};
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        for (uint64_t block = 2; block < 20; block += 2) {
            struct file f = {i ? big : little, sizeof little, true};
            struct line_range r;
            assert_int_equal(run(&r, &f, (struct path_range){PATH_LINES, 2, 1}, 100, block), 0);
            assert_int_equal(r.kept_at, 6);
            assert_int_equal(r.kept_len, 6);
            assert_int_equal(r.line_count, 1);
            line_range_fini(&r);
            assert_int_equal(run(&r, &f, (struct path_range){PATH_TAIL, 0, 2}, 100, block), 0);
            assert_int_equal(r.kept_at, 6);
            assert_int_equal(r.kept_len, 8);
            assert_int_equal(r.line_count, 2);
            line_range_fini(&r);
        }
}

/* The search for a line's number has an end; so few bytes are asked for as the blocks say. */
static void the_search_is_bounded(void **state)
{
    static uint8_t block[LINE_BLOCK_MAX];
    (void)state;
    struct line_range r;
    uint64_t offset, len, asked = 0;
    memset(block, 'x', sizeof block);
    const struct path_range want = {PATH_LINES, 2, 1};
    line_range_init(&r, &want, 100, UINT64_C(1) << 40);
    int error = 0;
    while (!error) {
        line_range_next(&r, &offset, &len);
        assert_int_equal(offset, asked);
        asked += len;
        error = line_range_take(&r, slice_of(block, len));
    }
    assert_int_equal(error, SCOUT_E_LIMIT);
    assert_true(asked >= PATH_SCAN_MAX && asked < PATH_SCAN_MAX + 2 * LINE_BLOCK_MAX);
    assert_int_equal(r.kept_len, 0);
    line_range_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_found_whatever_the_blocks),
        cmocka_unit_test(random_texts),
        cmocka_unit_test(an_empty_file_has_no_lines),
        cmocka_unit_test(what_is_too_long_is_cut),
        cmocka_unit_test(a_file_that_shrank),
        cmocka_unit_test(utf16_has_lines_of_its_own),
        cmocka_unit_test(the_search_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
