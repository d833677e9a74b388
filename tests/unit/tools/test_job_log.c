/* What a job has said: whole lines, clean, at offsets that stay. */
#include "job_log.h"

#include "scout/fleet/redact.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
    struct job_log log;
    struct redactor *redactor;
};

static int open_place(void **state)
{
    static const struct redactor_config config = {.defaults = true};
    struct failure why;
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    job_log_init(&p->log);
    assert_int_equal(redactor_new(&p->redactor, &config, &why), 0);
    *state = p;
    return 0;
}

static int close_place(void **state)
{
    struct place *p = *state;
    job_log_fini(&p->log);
    redactor_free(p->redactor);
    free(p);
    return 0;
}

static void add(struct place *p, bool is_stderr, const char *text)
{
    job_log_add(&p->log, is_stderr, slice_str(text));
}

static void settle(struct place *p)
{
    struct job_cleaning c = {.redactor = p->redactor};
    job_log_take(&p->log, &c);
    job_cleaning_run(&c);
    job_log_put(&p->log, &c);
}

static void assert_text(struct place *p, const char *text)
{
    struct slice is = buf_peek(&p->log.text);
    assert_int_equal(is.len, strlen(text));
    assert_memory_equal(is.data, text, is.len);
}

static void assert_line(struct place *p, const char *text)
{
    struct slice is = buf_peek(&p->log.line);
    assert_int_equal(is.len, strlen(text));
    assert_memory_equal(is.data, text, is.len);
}

static void whole_lines(void **state)
{
    struct place *p = *state;
    add(p, false, "one\ntw");
    settle(p);
    assert_text(p, "one\n");
    assert_line(p, "tw");
    add(p, true, "warned\n");
    add(p, false, "o\n");
    settle(p);
    assert_text(p, "one\nwarned\ntwo\n");
    assert_line(p, "");
    assert_int_equal(job_log_end_offset(&p->log), 15);
    assert_false(p->log.has_news);
}

static void its_end_ends_the_lines(void **state)
{
    struct place *p = *state;
    add(p, false, "a");
    add(p, true, "b");
    job_log_end(&p->log);
    settle(p);
    assert_text(p, "ab");
    assert_line(p, "");
}

static void progress_on_one_line(void **state)
{
    struct place *p = *state;
    add(p, false, "10%\r20%\r30%");
    settle(p);
    assert_true(job_log_end_offset(&p->log) > 0);
    assert_line(p, "30%");
}

static void a_secret_in_two_parts(void **state)
{
    struct place *p = *state;
    add(p, false, "x\nghp_a1B2a1B2a1B2a1");
    settle(p);
    add(p, false, "B2a1B2a1B2a1B2a1B2\n");
    settle(p);
    assert_null(memmem(buf_peek(&p->log.text).data, buf_len(&p->log.text), "a1B2", 4));
    assert_non_null(memmem(buf_peek(&p->log.text).data, buf_len(&p->log.text), "[redacted:", 10));
}

static void a_key_is_waited_for(void **state)
{
    struct place *p = *state;
    add(p, false,
        "before\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAA\n");
    settle(p);
    assert_text(p, "before\n");
    add(p, false, "QyNTUxOQAAACDuqQ3Tq2FG\n-----END OPENSSH PRIVATE KEY-----\nbehind\n");
    settle(p);
    struct slice text = buf_peek(&p->log.text);
    assert_null(memmem(text.data, text.len, "b3Blbn", 6));
    assert_null(memmem(text.data, text.len, "QyNTUx", 6));
    assert_non_null(memmem(text.data, text.len, "\nbehind\n", 8));
}

static void a_key_without_end_is_not_waited_for_for_ever(void **state)
{
    struct place *p = *state;
    add(p, false, "-----BEGIN PRIVATE KEY-----\n");
    for (size_t i = 0; i < JOB_LINE_MAX / 16 + 1; i++)
        add(p, false, "fifteen letters\n");
    settle(p);
    assert_true(job_log_end_offset(&p->log) > 0);
}

static void only_the_newest_is_kept(void **state)
{
    struct place *p = *state;
    char line[32];
    uint64_t written = 0;
    for (int i = 0; i < 200000; i++) {
        written += (uint64_t)snprintf(line, sizeof line, "line %07d\n", i);
        add(p, false, line);
        if (i % 10000 == 9999)
            settle(p);
    }
    settle(p);
    struct slice text = buf_peek(&p->log.text);
    assert_int_equal(job_log_end_offset(&p->log), written);
    assert_int_equal(p->log.base, written - text.len);
    assert_in_range(text.len, JOB_LOG_MAX - 8192, JOB_LOG_MAX);
    assert_memory_equal(text.data, "line ", 5); /* it begins with a line */
    assert_memory_equal(text.data + text.len - 13, "line 0199999\n", 13);
}

static void what_is_lost_is_told_in_its_place(void **state)
{
    struct place *p = *state;
    char *much = malloc(JOB_RAW_MAX + 1);
    assert_non_null(much);
    memset(much, 'x', JOB_RAW_MAX);
    much[JOB_RAW_MAX - 1] = '\n';
    much[JOB_RAW_MAX] = '\0';
    add(p, false, much);
    add(p, false, "lost\n");
    settle(p);
    settle(p);
    add(p, false, "behind\n");
    settle(p);
    struct slice text = buf_peek(&p->log.text);
    static const char told[] =
        "[5 bytes were lost here: they came faster than they could be kept]\nbehind\n";
    assert_memory_equal(text.data + text.len - (sizeof told - 1), told, sizeof told - 1);
    free(much);
}

static void bytes_that_are_no_text(void **state)
{
    struct place *p = *state;
    add(p, false, "a\xFF\x1B[31mb\n");
    settle(p);
    assert_text(p, "a\xEF\xBF\xBD"
                   "b\n");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, open_place, close_place)
    const struct CMUnitTest tests[] = {
        TEST(whole_lines),
        TEST(its_end_ends_the_lines),
        TEST(progress_on_one_line),
        TEST(a_secret_in_two_parts),
        TEST(a_key_is_waited_for),
        TEST(a_key_without_end_is_not_waited_for_for_ever),
        TEST(only_the_newest_is_kept),
        TEST(what_is_lost_is_told_in_its_place),
        TEST(bytes_that_are_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
