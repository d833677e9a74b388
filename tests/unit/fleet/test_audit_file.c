/* The audit log as a file: its chain goes on whatever happened to its end. */
#include "audit_file.h"

#include "audit_place.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct place place;

static int set_up(void **state)
{
    (void)state;
    place_make(&place);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    place_limit_files(0);
    place_remove(&place);
    return 0;
}

static void open_log(struct audit_file *f)
{
    struct failure why = {0};
    if (audit_file_open(f, place.path, &why) != 0)
        fail_msg("%s", why.text);
}

#define TIME "2026-01-02T03:04:05.006Z"
#define BODY "\"time\":\"" TIME "\",\"event\":\"call\",\"call\":1}\n"

static void append(struct audit_file *f, unsigned count)
{
    uint32_t written;
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(audit_file_append(f, slice_str(BODY BODY), i % 2, TIME, &written), 0);
        assert_int_equal(written, 2);
    }
}

static void expect(uint64_t records, uint64_t torn)
{
    struct audit_check c;
    audit_check_init(&c);
    place_check(&place, place.path, &c);
    assert_int_equal(c.records, records);
    assert_int_equal(c.torn, torn);
    audit_check_fini(&c);
}

static void write_to(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
}

static void the_chain_goes_on_over_restarts(void **state)
{
    struct audit_file f;
    struct stat st;
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        open_log(&f);
        assert_false(f.tail_broken);
        append(&f, 200); /* more than is read back */
        audit_file_close(&f);
        expect(400 * (round + 1), 0);
    }
    for (unsigned round = 0; round < 10; round++) { /* more than is read back */
        open_log(&f);
        append(&f, 200);
        audit_file_close(&f);
    }
    expect(400 * 13, 0);
    assert_int_equal(stat(place.path, &st), 0);
    assert_true(st.st_size > AUDIT_TAIL_MAX);
    assert_int_equal(st.st_mode & 07777, 0600);
}

/* A record cut at any byte: what a kill in the middle of a write leaves. */
static void a_torn_record_is_told_of(void **state)
{
    struct audit_file f;
    (void)state;
    for (size_t cut = 1; cut < 140; cut += 7) {
        open_log(&f);
        append(&f, 2);
        off_t whole = (off_t)f.size;
        append(&f, 1);
        audit_file_close(&f);
        assert_int_equal(truncate(place.path, whole + (off_t)cut), 0);
        open_log(&f);
        assert_false(f.tail_broken);
        append(&f, 1);
        audit_file_close(&f);
        expect(4 + 1 + 2, 1);
        assert_int_equal(truncate(place.path, 0), 0);
    }
}

static void bytes_that_are_no_record_at_the_end_are_told_of(void **state)
{
    struct audit_file f;
    (void)state;
    open_log(&f);
    append(&f, 1);
    audit_file_close(&f);
    write_to(place.path, "\0\0\0\n\nx\n", 7);
    open_log(&f);
    append(&f, 1);
    audit_file_close(&f);
    expect(5, 1);
}

/* A full disk takes a part of a write, or nothing. */
static void a_write_cut_short_is_closed_by_the_next_one(void **state)
{
    struct audit_file f;
    uint32_t written = 9;
    (void)state;
    open_log(&f);
    append(&f, 2);
    uint64_t record = f.size / 4;
    place_limit_files(f.size + record + 40);
    assert_true(audit_file_append(&f, slice_str(BODY BODY), true, TIME, &written) < 0);
    assert_int_equal(written, 1);
    for (unsigned i = 0; i < 2; i++) { /* not even the line's end fits, then half of what follows */
        assert_true(audit_file_append(&f, slice_str(BODY), true, TIME, &written) < 0);
        assert_int_equal(written, 0);
        place_limit_files(f.size + 30);
    }
    assert_true(audit_file_append(&f, slice_str(BODY), true, TIME, &written) < 0);
    assert_int_equal(written, 0);
    place_limit_files(0);
    append(&f, 1);
    audit_file_close(&f);
    expect(4 + 1 + 1 + 2, 1);
    open_log(&f);
    assert_false(f.tail_broken);
    append(&f, 1);
    audit_file_close(&f);
    expect(4 + 1 + 1 + 2 + 2, 1);
}

static void a_broken_end_is_seen_at_the_start(void **state)
{
    struct audit_file f;
    (void)state;
    open_log(&f);
    append(&f, 3);
    audit_file_close(&f);
    int fd = open(place.path, O_WRONLY);
    assert_int_equal(pwrite(fd, "9", 1, (off_t)f.size - 4), 1);
    close(fd);
    open_log(&f); /* the last record names nothing that could contradict */
    assert_false(f.tail_broken);
    append(&f, 1);
    audit_file_close(&f);
    fd = open(place.path, O_WRONLY);
    assert_int_equal(pwrite(fd, "8", 1, 100), 1);
    close(fd);
    open_log(&f);
    assert_true(f.tail_broken);
    audit_file_close(&f);
}

static void a_large_file_is_set_aside(void **state)
{
    struct audit_file f;
    struct audit_check c;
    char aside[160];
    (void)state;
    open_log(&f);
    f.size_max = 1000;
    append(&f, 10);
    audit_file_close(&f);
    audit_check_init(&c);
    for (unsigned seq = 1; seq <= 20; seq++) {
        snprintf(aside, sizeof aside, "%s.%012u", place.path, seq);
        if (access(aside, F_OK) == 0)
            place_check(&place, aside, &c);
    }
    assert_true(c.records > 0);
    place_check(&place, place.path, &c);
    assert_int_equal(c.records, 20);
    audit_check_fini(&c);
    open_log(&f);
    append(&f, 1);
    assert_int_equal(f.seq, 22);
    audit_file_close(&f);
}

/* Started again just after it was set aside, the daemon finds the file of the path empty. */
static void what_is_no_log_of_ours_is_refused(void **state)
{
    struct audit_file f;
    struct failure why = {0};
    char other[160];
    (void)state;
    snprintf(other, sizeof other, "%s/other", place.folder);
    write_to(other, "x", 1);
    assert_int_equal(symlink(other, place.path), 0);
    assert_true(audit_file_open(&f, place.path, &why) < 0);
    assert_non_null(strstr(why.text, "no audit log of ours"));
    audit_file_close(&f);
    assert_int_equal(unlink(place.path), 0);
    assert_int_equal(link(other, place.path), 0);
    assert_true(audit_file_open(&f, place.path, &why) < 0);
    audit_file_close(&f);
    assert_int_equal(unlink(place.path), 0);
    assert_int_equal(mkfifo(place.path, 0600), 0);
    assert_true(audit_file_open(&f, place.path, &why) < 0);
    audit_file_close(&f);
    assert_int_equal(unlink(place.path), 0);
    static char much[CHAIN_LINE_MAX * 2];
    memset(much, 'x', sizeof much);
    write_to(place.path, much, sizeof much);
    assert_true(audit_file_open(&f, place.path, &why) < 0);
    audit_file_close(&f);
}

static void a_file_that_was_moved_or_changed_is_noticed(void **state)
{
    struct audit_file f;
    struct audit_check c;
    char moved[160];
    (void)state;
    open_log(&f);
    append(&f, 1);
    assert_false(f.changed);
    assert_int_equal(unlink(place.path), 0);
    append(&f, 1);
    assert_true(f.changed);
    audit_check_init(&c);
    place_check(&place, place.path, &c);
    assert_int_equal(c.first_seq, 3);
    audit_check_fini(&c);
    f.changed = false;
    snprintf(moved, sizeof moved, "%s/moved", place.folder);
    assert_int_equal(rename(place.path, moved), 0);
    append(&f, 1);
    assert_true(f.changed);
    audit_check_init(&c);
    place_check(&place, place.path, &c);
    assert_int_equal(c.first_seq, 5);
    audit_check_fini(&c);
    f.changed = false;
    append(&f, 1);
    assert_false(f.changed);
    write_to(place.path, "x\n", 2);
    append(&f, 1);
    assert_true(f.changed);
    audit_file_close(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_chain_goes_on_over_restarts),
        TEST(a_torn_record_is_told_of),
        TEST(bytes_that_are_no_record_at_the_end_are_told_of),
        TEST(a_write_cut_short_is_closed_by_the_next_one),
        TEST(a_broken_end_is_seen_at_the_start),
        TEST(a_large_file_is_set_aside),
        TEST(what_is_no_log_of_ours_is_refused),
        TEST(a_file_that_was_moved_or_changed_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
