/* Log records: one line each, whole or not at all, and no value can forge one. */
#include "scout/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>

#define HEAD "2026-11-23T03:13:45.120Z info  "

static void setup(struct log *l, size_t max)
{
    log_init(l, LOG_INFO, max);
    l->now_ms = 1795403625120ULL;
}

static void expect(struct log *l, const char *text)
{
    struct slice got = buf_peek(&l->out);
    if (!slice_is(got, text))
        fail_msg("got      %.*sexpected %s", (int)got.len, (const char *)got.data, text);
    buf_clear(&l->out);
}

static void a_record_is_one_line(void **state)
{
    (void)state;
    struct log l;
    setup(&l, 4096);
    log_event(&l, LOG_INFO, "connect", "host", "web-1", "port", "22", "why", NULL, "x", "a b",
              NULL);
    expect(&l, HEAD "connect host=web-1 port=22 x=\"a b\"\n");
    log_event(&l, LOG_DEBUG, "detail", NULL);
    expect(&l, "");
    log_fini(&l);
}

static void values_cannot_forge_a_line_or_drive_a_terminal(void **state)
{
    (void)state;
    struct log l;
    setup(&l, 65536);
    log_event(&l, LOG_INFO, "e", "v", "a\nb\x1b[2J", NULL);
    expect(&l, HEAD "e v=\"a\\x0ab\\x1b[2J\"\n");
    log_event(&l, LOG_INFO, "e", "v", "q\"b\\=", NULL);
    expect(&l, HEAD "e v=\"q\\\"b\\\\=\"\n");
    log_event(&l, LOG_INFO, "e", "v",
              "\xC2\x9B"
              "31m",
              NULL); /* the C1 form of ESC [ */
    expect(&l, HEAD "e v=\"\\xc2\\x9b31m\"\n");
    log_event(&l, LOG_INFO, "e", "v", "\xC3\xBC\xFF\xE2\x82", NULL);
    expect(&l, HEAD "e v=\"\xC3\xBC\\xff\\xe2\\x82\"\n");
    log_event(&l, LOG_INFO, "e", "v",
              "a\xE2\x80\xAE"
              "b\xE2\x80\x8B",
              NULL); /* bidi, zero width */
    expect(&l, HEAD "e v=\"a\\xe2\\x80\\xaeb\\xe2\\x80\\x8b\"\n");
    log_event(&l, LOG_INFO, "e", "v", "", NULL);
    expect(&l, HEAD "e v=\"\"\n");
    log_fini(&l);
}

static void a_long_value_is_cut_and_says_so(void **state)
{
    (void)state;
    struct log l;
    char text[3000], expected[3000];
    setup(&l, 65536);
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    log_event(&l, LOG_INFO, "e", "v", text, NULL);
    snprintf(expected, sizeof expected, HEAD "e v=%.1024s...\n", text);
    expect(&l, expected);
    text[0] = ' ';
    log_event(&l, LOG_INFO, "e", "v", text, NULL);
    snprintf(expected, sizeof expected, HEAD "e v=\"%.1024s...\"\n", text);
    expect(&l, expected);
    log_fini(&l);
}

static void what_does_not_fit_is_counted_and_reported(void **state)
{
    (void)state;
    struct log l;
    setup(&l, 100);
    log_event(&l, LOG_INFO, "first", NULL);
    for (int i = 0; i < 3; i++)
        log_event(&l, LOG_INFO, "second", "v", "a-value-that-is-too-long-for-the-rest-of-the-line",
                  NULL);
    assert_int_equal(l.dropped, 3);
    expect(&l, HEAD "first\n");
    log_event(&l, LOG_INFO, "third", NULL);
    expect(&l, HEAD "third records_lost=3\n");
    log_event(&l, LOG_INFO, "fourth", NULL);
    expect(&l, HEAD "fourth\n");
    log_fini(&l);
}

static void count_record(struct log *l)
{
    l->now_ms++;
}

static void the_drain_is_told_of_each_record(void **state)
{
    (void)state;
    struct log l;
    setup(&l, 4096);
    l.on_record = count_record;
    log_event(&l, LOG_ERROR, "e", NULL);
    log_event(&l, LOG_DEBUG, "e", NULL);
    assert_int_equal(l.now_ms, 1795403625121ULL);
    log_fini(&l);
}

static void levels_have_names(void **state)
{
    (void)state;
    assert_int_equal(log_level_parse("error"), LOG_ERROR);
    assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
    assert_int_equal(log_level_parse("verbose"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_one_line),
        cmocka_unit_test(values_cannot_forge_a_line_or_drive_a_terminal),
        cmocka_unit_test(a_long_value_is_cut_and_says_so),
        cmocka_unit_test(what_does_not_fit_is_counted_and_reported),
        cmocka_unit_test(the_drain_is_told_of_each_record),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
