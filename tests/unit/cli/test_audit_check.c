/* A chain of records as somebody may have tampered with it. */
#include "audit_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>

#define LINES 8

struct log {
    char lines[LINES + 2][512];
    size_t count;
    char last[CHAIN_HEX_LEN + 1];
};

static void hash(const char *text, size_t len, char *out)
{
    struct sha256 s;
    uint8_t bytes[SHA256_LEN];
    sha256_init(&s);
    sha256_add(&s, slice_of(text, len));
    sha256_end(&s, bytes);
    chain_hex(bytes, out);
}

static void add(struct log *l, uint64_t seq, const char *body)
{
    char *line = l->lines[l->count++];
    size_t len = chain_head_write(seq, l->last, (uint8_t *)line);
    snprintf(line + len, 512 - len, "\"time\":\"2026-01-02T03:04:0%llu.000Z\",%s}",
             (unsigned long long)(seq % 10), body);
    hash(line, strlen(line), l->last);
}

static void make(struct log *l)
{
    *l = (struct log){.last = CHAIN_NO_LINE};
    add(l, 1, "\"event\":\"start\",\"pid\":7");
    add(l, 2, "\"event\":\"call\",\"call\":1,\"code\":\"ok\"");
    add(l, 3, "\"event\":\"begin\",\"call\":2");
    add(l, 4, "\"event\":\"call\",\"call\":3,\"code\":\"ok\"");
    add(l, 5, "\"event\":\"end\",\"call\":2,\"code\":\"ok\"");
    add(l, 6, "\"event\":\"gap\",\"lost\":12");
    add(l, 7, "\"event\":\"begin\",\"call\":4");
    add(l, 8, "\"event\":\"stop\",\"pid\":7");
}

/* The number of the line that breaks it, from 1; 0: none does. */
static size_t first_broken(const struct log *l, struct audit_check *c)
{
    size_t broken = 0;
    audit_check_init(c);
    for (size_t i = 0; i < l->count && !broken; i++)
        if (!audit_check_line(c, slice_str(l->lines[i])))
            broken = i + 1;
    audit_check_end(c);
    audit_check_fini(c);
    return broken;
}

static void a_whole_chain_is_counted(void **state)
{
    struct log l;
    struct audit_check c;
    (void)state;
    make(&l);
    assert_int_equal(first_broken(&l, &c), 0);
    assert_int_equal(c.records, LINES);
    assert_int_equal(c.last_seq, LINES);
    assert_int_equal(c.lost, 12);
    assert_int_equal(c.unfinished, 1);
    assert_string_equal(c.first_time, "2026-01-02T03:04:01.000Z");
    assert_string_equal(c.last_time, "2026-01-02T03:04:08.000Z");
    assert_string_equal(c.last, l.last);
}

static void every_changed_byte_is_found(void **state)
{
    struct log l;
    struct audit_check c;
    (void)state;
    for (size_t i = 0; i + 1 < LINES; i++) {
        make(&l);
        for (size_t at = 0; l.lines[i][at]; at++) {
            l.lines[i][at] ^= 1;
            size_t broken = first_broken(&l, &c);
            assert_true(broken == i + 1 || broken == i + 2);
            l.lines[i][at] ^= 1;
        }
    }
}

static void a_removed_line_is_found(void **state)
{
    struct log l;
    struct audit_check c;
    (void)state;
    for (size_t i = 1; i + 1 < LINES; i++) {
        make(&l);
        memmove(l.lines[i], l.lines[i + 1], (LINES - i - 1) * sizeof l.lines[0]);
        l.count--;
        assert_int_equal(first_broken(&l, &c), i + 1);
        assert_non_null(strstr(c.why, "missing"));
    }
}

static void an_inserted_line_is_found(void **state)
{
    struct log l;
    struct audit_check c;
    (void)state;
    for (size_t i = 0; i < LINES; i++) {
        make(&l);
        memmove(l.lines[i + 1], l.lines[i], (LINES - i) * sizeof l.lines[0]);
        l.count++;
        if (i > 0)
            memcpy(l.lines[i], l.lines[i - 1], sizeof l.lines[0]); /* a copy of a true one */
        else
            snprintf(l.lines[0], sizeof l.lines[0], "{}");
        assert_true(first_broken(&l, &c) > 0);
    }
}

static void moved_lines_are_found(void **state)
{
    struct log l;
    struct audit_check c;
    char kept[512];
    (void)state;
    for (size_t i = 0; i + 1 < LINES; i++) {
        make(&l);
        memcpy(kept, l.lines[i], sizeof kept);
        memcpy(l.lines[i], l.lines[i + 1], sizeof kept);
        memcpy(l.lines[i + 1], kept, sizeof kept);
        assert_true(first_broken(&l, &c) > 0);
    }
}

/* A file that goes on from one that was set aside begins where it says. */
static void a_later_file_may_begin_in_the_middle(void **state)
{
    struct log l;
    struct audit_check c;
    (void)state;
    make(&l);
    memmove(l.lines[0], l.lines[4], 4 * sizeof l.lines[0]);
    l.count = 4;
    assert_int_equal(first_broken(&l, &c), 0);
    assert_int_equal(c.first_seq, 5);
    assert_int_equal(c.records, 4);
}

static void a_torn_line_passes_when_a_record_tells_of_it(void **state)
{
    struct log l;
    struct audit_check c;
    char body[256], part[CHAIN_HEX_LEN + 1];
    (void)state;
    for (int told = 0; told <= 2; told++) {
        l = (struct log){.last = CHAIN_NO_LINE};
        add(&l, 1, "\"event\":\"start\",\"pid\":7");
        snprintf(l.lines[l.count++], 512, "{\"seq\":2,\"prev\":\"0000");
        hash(l.lines[1], strlen(l.lines[1]), part);
        snprintf(body, sizeof body, "\"event\":\"%s\",\"bytes\":%zu,\"sha256\":\"%s\"",
                 told ? "torn" : "call", strlen(l.lines[1]), part);
        add(&l, 2, body);
        if (told == 2)
            l.lines[1][3] ^= 1;
        assert_int_equal(first_broken(&l, &c), told == 1 ? 0 : 3);
        assert_int_equal(c.torn, 1);
    }
}

static void an_end_needs_a_begin(void **state)
{
    struct log l = {.last = CHAIN_NO_LINE};
    struct audit_check c;
    (void)state;
    add(&l, 1, "\"event\":\"start\",\"pid\":7");
    add(&l, 2, "\"event\":\"end\",\"call\":2,\"code\":\"ok\"");
    assert_int_equal(first_broken(&l, &c), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_chain_is_counted),
        cmocka_unit_test(every_changed_byte_is_found),
        cmocka_unit_test(a_removed_line_is_found),
        cmocka_unit_test(an_inserted_line_is_found),
        cmocka_unit_test(moved_lines_are_found),
        cmocka_unit_test(a_later_file_may_begin_in_the_middle),
        cmocka_unit_test(a_torn_line_passes_when_a_record_tells_of_it),
        cmocka_unit_test(an_end_needs_a_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
