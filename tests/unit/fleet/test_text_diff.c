/* Differences against diff(1), which finds the shortest ones with -d, and patch(1). */
#include "scout/base/error.h"
#include "scout/fleet/text_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROOM (64u * 1024u * 1024u)

static const char *diff_text(const char *a, const char *b)
{
    static char text[4096];
    struct buf out;
    bool coarse;
    buf_init(&out, sizeof text - 1);
    assert_int_equal(text_diff(slice_str(a), slice_str(b), "/a", "/b\n", &out, &coarse), 0);
    assert_false(coarse);
    struct slice got = buf_peek(&out);
    if (got.len)
        memcpy(text, got.data, got.len);
    text[got.len] = '\0';
    buf_fini(&out);
    return text;
}

static void test_forms(void **state)
{
    (void)state;
    assert_string_equal(diff_text("a\n", "a\n"), "");
    assert_string_equal(diff_text("", "a\n"), "--- /a\n+++ /b?\n@@ -0,0 +1 @@\n+a\n");
    assert_string_equal(diff_text("a\n", ""), "--- /a\n+++ /b?\n@@ -1 +0,0 @@\n-a\n");
    assert_string_equal(diff_text("a", "a\n"), "--- /a\n+++ /b?\n@@ -1 +1 @@\n-a\n"
                                               "\\ No newline at end of file\n+a\n");
    assert_string_equal(diff_text("1\n2\n3\n4\n5\n6", "1\n2\n3\n4\nx\n6"),
                        "--- /a\n+++ /b?\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+x\n 6\n"
                        "\\ No newline at end of file\n");
}

/* Six equal lines between two changes are one hunk's, seven are not. */
static void test_hunks(void **state)
{
    (void)state;
    const char *six = diff_text("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n");
    assert_non_null(strstr(six, "@@ -1,8 +1,8 @@\n"));
    const char *seven = diff_text("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n");
    assert_non_null(strstr(seven, "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n"));
}

/* ---- against the programs ---- */

static char folder[] = "/tmp/text-diff-XXXXXX";

static void put_file(const char *name, struct slice text)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text.data, 1, text.len, f), text.len);
    fclose(f);
}

static void run(const char *command, int status)
{
    char line[256];
    snprintf(line, sizeof line, "cd %s && %s", folder, command);
    int got = system(line);
    assert_int_equal(got, status << 8);
}

static struct slice random_text(char *out, unsigned lines, unsigned kinds)
{
    size_t len = 0;
    for (unsigned i = 0; i < lines; i++)
        len += (size_t)sprintf(out + len, "line %d\n", rand() % (int)kinds);
    if (len && rand() % 3 == 0)
        len--;
    return slice_of(out, len);
}

/* `a` with some lines left out, doubled or changed. */
static struct slice edited(struct slice a, char *out, int one_in)
{
    size_t len = 0;
    while (a.len > 0) {
        const uint8_t *end = memchr(a.data, '\n', a.len);
        size_t line = end ? (size_t)(end - a.data) + 1 : a.len;
        int what = rand() % one_in;
        for (int i = 0; i < (what == 0 ? 0 : what == 1 ? 2 : 1); i++) {
            memcpy(out + len, a.data, line);
            len += line;
        }
        if (what == 2 && line > 1)
            out[len - line] = 'X';
        a = slice_skip(a, line);
    }
    return slice_of(out, len);
}

static size_t count_changes(struct slice diff)
{
    size_t count = 0;
    for (size_t i = 0; i < diff.len; i++)
        if ((i == 0 || diff.data[i - 1] == '\n') && (diff.data[i] == '-' || diff.data[i] == '+'))
            count++;
    return count;
}

static size_t count_of_program(void)
{
    char path[64], line[256];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/theirs", folder);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        count += line[0] == '-' || line[0] == '+';
    fclose(f);
    return count;
}

static void check(struct slice a, struct slice b)
{
    struct buf out;
    bool coarse;
    if (slice_equal(a, b))
        return;
    buf_init(&out, ROOM);
    assert_int_equal(text_diff(a, b, "a", "b", &out, &coarse), 0);
    put_file("a", a);
    put_file("b", b);
    put_file("diff", buf_peek(&out));
    run("patch -s -o patched a diff && cmp patched b", 0);
    if (!coarse) {
        run("diff -d -u a b >theirs", 1);
        assert_int_equal(count_changes(buf_peek(&out)), count_of_program());
    }
    buf_fini(&out);
}

static void test_as_the_programs_do(void **state)
{
    static char a[65536], b[65536];
    (void)state;
    srand(7);
    for (unsigned i = 0; i < 60; i++) {
        struct slice text = random_text(a, (unsigned)rand() % 200, 1 + (unsigned)rand() % 40);
        check(text, i % 2 ? edited(text, b, 4 + rand() % 30)
                          : random_text(b, (unsigned)rand() % 200, 1 + (unsigned)rand() % 40));
    }
}

/* ---- limits ---- */

static struct slice lines_of(char *out, unsigned count, unsigned kinds, unsigned seed)
{
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        seed = seed * 1103515245u + 12345u;
        len += (size_t)sprintf(out + len, "%u\n", (seed >> 8) % kinds);
    }
    return slice_of(out, len);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Texts that have the same lines in another order are the worst there is: what is told is still
 * right, and comes in bounded time. */
static void test_the_worst(void **state)
{
    enum { LINES = 150000 };
    char *a = malloc(LINES * 8), *b = malloc(LINES * 8);
    struct buf out;
    bool coarse;
    (void)state;
    assert_true(a && b);
    struct slice sa = lines_of(a, LINES, 1000, 1), sb = lines_of(b, LINES, 1000, 2);
    buf_init(&out, ROOM);
    double begun = now_s();
    assert_int_equal(text_diff(sa, sb, "a", "b", &out, &coarse), 0);
    double took = now_s() - begun;
    printf("the worst: %.3f s, %zu bytes\n", took, buf_len(&out));
    assert_true(coarse);
    assert_true(took < 5); /* without the limit it takes minutes */
    buf_fini(&out);
    check(sa, sb);
    free(a);
    free(b);
}

/* Beyond so many lines only what both begin and end with is told apart. */
static void test_many_lines(void **state)
{
    size_t half = TEXT_DIFF_LINES_MAX + 10;
    char *a = malloc(2 * half + 8), *b = malloc(2 * half + 8);
    struct buf out;
    bool coarse;
    (void)state;
    assert_true(a && b);
    for (size_t i = 0; i < half; i++) {
        memcpy(a + 2 * i, i % 2 ? "p\n" : "q\n", 2);
        memcpy(b + 2 * i, i % 2 ? "p\n" : "r\n", 2);
    }
    buf_init(&out, ROOM);
    assert_int_equal(
        text_diff(slice_of(a, 2 * half), slice_of(b, 2 * half), "a", "b", &out, &coarse), 0);
    assert_true(coarse);
    buf_fini(&out);
    b[1000] = 'x';
    memcpy(b, a, 2 * half);
    b[half & ~(size_t)1] = 'x';
    buf_init(&out, ROOM);
    assert_int_equal(
        text_diff(slice_of(a, 2 * half), slice_of(b, 2 * half), "a", "b", &out, &coarse), 0);
    assert_false(coarse);
    assert_true(buf_len(&out) < 100);
    buf_fini(&out);
    free(a);
    free(b);
}

static void test_a_full_buffer(void **state)
{
    struct buf out;
    bool coarse;
    (void)state;
    buf_init(&out, 40);
    assert_int_equal(text_diff(slice_str("a\nb\nc\nd\ne\nf\ng\n"), slice_str("1\n2\n3\n4\n5\n6\n"),
                               "a", "b", &out, &coarse),
                     SCOUT_E_LIMIT);
    assert_int_equal(buf_peek(&out).data[buf_len(&out) - 1], '\n');
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),      cmocka_unit_test(test_hunks),
        cmocka_unit_test(test_the_worst),  cmocka_unit_test(test_as_the_programs_do),
        cmocka_unit_test(test_many_lines), cmocka_unit_test(test_a_full_buffer),
    };
    if (!mkdtemp(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char line[64];
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line) ? 1 : failed;
}
