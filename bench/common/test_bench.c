/* The harness must not flatter: wrong answers are seen, and figures are what they are called. */
#include "bench.h"
#include "content.h"
#include "load_answer.h"
#include "scout/base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES 1024

static struct slice answer_with(char *line, size_t size, const char *text)
{
    int len = snprintf(line, size,
                       "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"type\":\"text\","
                       "\"text\":\"x\"}],\"structuredContent\":{\"kind\":\"file\",\"text\":\"%s\"},"
                       "\"isError\":false}}",
                       text);
    return slice_of(line, (size_t)len);
}

static void only_the_right_content_is_an_answer(void **state)
{
    (void)state;
    uint8_t plain[BYTES], escaped[BYTES * 6 + 1];
    char line[BYTES * 7];
    content_fill(7, plain, BYTES);
    size_t len = load_escape(slice_of(plain, BYTES), escaped);
    escaped[len] = '\0';
    struct slice p = slice_of(plain, BYTES), e = slice_of(escaped, len);
    assert_true(load_answer_is(answer_with(line, sizeof line, (char *)escaped), p, e));
    assert_int_equal(load_answer_id(slice_str(line)), 7);
    for (size_t i = 0; i < len; i++) {
        uint8_t kept = escaped[i];
        escaped[i] = kept == 'x' ? 'y' : 'x';
        struct slice wrong = answer_with(line, sizeof line, (char *)escaped);
        escaped[i] = kept;
        assert_false(load_answer_is(wrong, p, e));
    }
    escaped[len - 2] = '\0'; /* cut: the escaped newline at the end is missing */
    assert_false(load_answer_is(answer_with(line, sizeof line, (char *)escaped), p, e));
    assert_false(load_answer_is(answer_with(line, sizeof line, ""), p, e));
    assert_false(load_answer_is(slice_str("{\"id\":7,\"result\":{\"isError\":true}}"), p, e));
}

static void another_spelling_of_the_same_content_is_an_answer(void **state)
{
    (void)state;
    char line[512];
    struct slice plain = slice_str("a\"b\xc3\xa9\xe2\x82\xac/\n");
    uint8_t escaped[64];
    struct slice e = slice_of(escaped, load_escape(plain, escaped));
    const char *other = "\\u0061\\u0022b\\u00e9\\u20AC\\/\\u000a";
    assert_true(load_answer_is(answer_with(line, sizeof line, other), plain, e));
    assert_false(
        load_answer_is(answer_with(line, sizeof line, "\\u0061\\u0022b\\u00e9"), plain, e));
}

static void files_differ(void **state)
{
    (void)state;
    uint8_t a[BYTES], b[BYTES];
    for (uint32_t i = 1; i < 1000; i++) {
        content_fill(i - 1, a, BYTES);
        content_fill(i, b, BYTES);
        assert_memory_not_equal(a, b, BYTES);
    }
}

static void figures_are_what_they_are_called(void **state)
{
    (void)state;
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, sorted[100];
    struct bench_stats s = bench_stats_of(odd, 3);
    assert_true(s.median == 3 && s.min == 1 && s.max == 5);
    assert_true(s.spread_percent > 133.3 && s.spread_percent < 133.4);
    assert_true(bench_stats_of(even, 4).median == 2.5);
    for (int i = 0; i < 100; i++)
        sorted[i] = i + 1;
    assert_true(bench_percentile(sorted, 100, 0.5) == 50);
    assert_true(bench_percentile(sorted, 100, 0.99) == 99);
    assert_true(bench_percentile(sorted, 1, 0.99) == 1);
}

struct turn {
    char *order;
    char letter;
};

static int take_turn(void *context, struct bench_sample *out)
{
    struct turn *t = context;
    size_t len = strlen(t->order);
    t->order[len] = t->letter;
    t->order[len + 1] = '\0';
    *out = (struct bench_sample){.ops = t->letter == 'a' ? 30 : 10, .seconds = 1};
    return bench_sample_put(out, "len", (double)len);
}

static void contestants_run_in_turns_and_are_compared(void **state)
{
    (void)state;
    char order[16] = "";
    struct turn a = {order, 'a'}, b = {order, 'b'};
    struct bench bench;
    bench_init(&bench, "turns", 3);
    assert_int_equal(bench_add(&bench, "a", take_turn, &a), 0);
    assert_int_equal(bench_add(&bench, "b", take_turn, &b), 0);
    assert_int_equal(bench_run(&bench, NULL), 0);
    assert_string_equal(order, "abbaab");
    assert_int_equal(bench_ratio(&bench, "a", "b", 3), 0);
    assert_true(bench_goals_met(&bench));
    assert_int_equal(bench_ratio(&bench, "b", "a", 1), 0);
    assert_false(bench_goals_met(&bench));
    bench_fini(&bench);
}

static void a_limit_holds_for_the_median_of_a_value(void **state)
{
    (void)state;
    char order[16] = "";
    struct turn a = {order, 'a'};
    struct bench bench;
    bench_init(&bench, "limits", 3);
    assert_int_equal(bench_add(&bench, "a", take_turn, &a), 0);
    assert_int_equal(bench_run(&bench, NULL), 0);
    assert_int_equal(bench_limit(&bench, "a", "len", 1), 0);
    assert_true(bench_goals_met(&bench));
    assert_int_equal(bench_limit(&bench, "a", "len", 0.5), 0);
    assert_false(bench_goals_met(&bench));
    assert_int_equal(bench_limit(&bench, "a", "size", 1), SCOUT_E_NOT_FOUND);
    assert_int_equal(bench_limit(&bench, "b", "len", 1), SCOUT_E_NOT_FOUND);
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_right_content_is_an_answer),
        cmocka_unit_test(another_spelling_of_the_same_content_is_an_answer),
        cmocka_unit_test(files_differ),
        cmocka_unit_test(figures_are_what_they_are_called),
        cmocka_unit_test(contestants_run_in_turns_and_are_compared),
        cmocka_unit_test(a_limit_holds_for_the_median_of_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
