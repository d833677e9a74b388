/* Writing a file to a host, with OpenSSH's own SFTP server behind it: what is there afterwards, and
 * what is refused. */
#include "put_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* ---- what is there afterwards ---- */

static void a_new_file_takes_four_round_trips(void **state)
{
    struct rig *r = *state;
    r->w.pool.rounds = 0;
    put(r, world_path(&r->w, "f"), "hello\n", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    assert_int_equal(r->w.pool.rounds, 4);
    expect_text(r, "f", "hello\n");
    assert_int_equal(mode_of(r, "f"), FILE_PUT_MODE);
    assert_int_equal(file_count(r), 1);
    assert_true(r->result.created && r->result.synced && r->result.owner_kept);
    assert_int_equal(r->result.attrs.size, 6);
    char etag[ETAG_SIZE];
    struct stat st;
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    snprintf(etag, sizeof etag, "\"%llx-6\"", (unsigned long long)st.st_mtime);
    assert_string_equal(r->result.etag, etag);
    assert_string_equal(r->real_path, world_path(&r->w, "f"));
}

static void an_empty_file_is_written(void **state)
{
    struct rig *r = *state;
    put(r, world_path(&r->w, "f"), "", (struct file_put_request){.has_mode = true, .mode = 04750});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "");
    assert_int_equal(mode_of(r, "f"), 0750); /* no setuid */
}

static void a_replaced_file_keeps_its_mode_but_not_setuid(void **state)
{
    struct rig *r = *state;
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(chmod(world_path(&r->w, "f"), 04751), 0);
    put(r, world_path(&r->w, "f"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "after");
    assert_int_equal(mode_of(r, "f"), 0751);
    assert_false(r->result.created);
    assert_int_equal(file_count(r), 1);
}

/* Four writes within a second, in the round trips of one that is not. */
static void no_etag_comes_twice(void **state)
{
    struct rig *r = *state;
    char seen[4][ETAG_SIZE];
    struct stat st;
    world_put(&r->w, "f", "0", 1);
    for (unsigned i = 0; i < 4; i++) {
        r->w.pool.rounds = 0;
        put(r, world_path(&r->w, "f"), i % 2 ? "a" : "b", (struct file_put_request){0});
        assert_int_equal(r->result.failure.error, 0);
        assert_int_equal(r->w.pool.rounds, 5);
        strcpy(seen[i], r->result.etag);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
    }
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_in_range(st.st_mtime, time(NULL), time(NULL) + 4);
    /* The time of a wrong clock is not gone on from. */
    const struct timespec far[2] = {{.tv_sec = time(NULL) + 10000}, {.tv_sec = time(NULL) + 10000}};
    assert_int_equal(utimensat(AT_FDCWD, world_path(&r->w, "f"), far, 0), 0);
    put(r, world_path(&r->w, "f"), "c", (struct file_put_request){0});
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_in_range(st.st_mtime, time(NULL) - 5, time(NULL));
}

static void the_owner_is_kept_where_that_may_be(void **state)
{
    struct rig *r = *state;
    struct stat st;
    if (getuid() != 0)
        skip();
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(chown(world_path(&r->w, "f"), 12345, 23456), 0);
    assert_int_equal(chmod(world_path(&r->w, "f"), 0664), 0);
    put(r, world_path(&r->w, "f"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    assert_true(r->result.owner_kept);
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_int_equal(st.st_uid, 12345);
    assert_int_equal(st.st_gid, 23456);
    assert_int_equal(st.st_mode & 07777, 0664);
}

/* Who is in the writer's group must not get what the old group had. */
static void a_group_that_cannot_be_kept_gets_no_more_than_others(void **state)
{
    struct rig *r = *state;
    struct stat st;
    if (getuid() != 0)
        skip();
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(chown(world_path(&r->w, "f"), 12345, 23456), 0);
    assert_int_equal(chmod(world_path(&r->w, "f"), 0664), 0);
    assert_int_equal(chmod(r->w.place.dir, 0777), 0);
    r->w.pool.uid = 65534;
    r->w.pool.lose_at = 1; /* the next connection is that user's */
    r->w.pool.lose_count = 1;
    r->w.pool.rounds = 0;
    put(r, world_path(&r->w, "f"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    assert_false(r->result.owner_kept);
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_int_equal(st.st_uid, 65534);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_links_target_is_written_and_the_link_stays(void **state)
{
    struct rig *r = *state;
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(symlink("f", world_path(&r->w, "link")), 0);
    put(r, world_path(&r->w, "link"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "after");
    assert_string_equal(r->real_path, world_path(&r->w, "f")); /* what was permitted */
    struct stat st;
    assert_int_equal(lstat(world_path(&r->w, "link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void a_link_to_nothing_makes_its_target(void **state)
{
    struct rig *r = *state;
    assert_int_equal(symlink("new", world_path(&r->w, "link")), 0);
    put(r, world_path(&r->w, "link"), "text", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "new", "text");
    assert_int_equal(file_count(r), 2);
}

static void large_contents_are_asked_for_as_there_is_room(void **state)
{
    struct rig *r = *state;
    r->len = 10 * 1024 * 1024 + 1;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    put_begin(r, world_path(&r->w, "f"), (struct file_put_request){0}, &at_once);
    put_end(r);
    assert_int_equal(r->result.failure.error, 0);
    expect_file(r, "f", bytes, r->len);
    assert_int_equal(r->told, r->len);
    assert_int_equal(r->result.attrs.size, r->len);
    free(bytes);
}

/* ---- what is refused ---- */

static void a_file_that_must_not_be_there_is_not_overwritten(void **state)
{
    struct rig *r = *state;
    const struct file_put_request absent = {.condition = FILE_PUT_ABSENT};
    put(r, world_path(&r->w, "f"), "one", absent);
    assert_int_equal(r->result.failure.error, 0);
    put(r, world_path(&r->w, "f"), "two", absent);
    expect_error(r, SCOUT_E_EXISTS, "is there already");
    expect_text(r, "f", "one");
    assert_int_equal(r->permits, 1); /* nobody is asked about what cannot be */
}

static void an_etag_has_to_fit(void **state)
{
    struct rig *r = *state;
    put(r, world_path(&r->w, "f"), "one", (struct file_put_request){0});
    char etag[ETAG_SIZE];
    memcpy(etag, r->result.etag, sizeof etag);
    put(r, world_path(&r->w, "f"), "two and more",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = etag});
    assert_int_equal(r->result.failure.error, 0);
    put(r, world_path(&r->w, "f"), "three",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = etag});
    expect_error(r, SCOUT_E_CHANGED, "read it again");
    put(r, world_path(&r->w, "g"), "three",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = etag});
    expect_error(r, SCOUT_E_CHANGED, "is not there any more");
    expect_text(r, "f", "two and more");
    assert_int_equal(file_count(r), 1);
}

/* What happens between the begin and the rename counts, too. */
static void what_changes_meanwhile_is_not_overwritten(void **state)
{
    struct rig *r = *state;
    const struct {
        struct file_put_request request;
        bool before;
        int error;
    } cases[] = {
        {{.condition = FILE_PUT_ABSENT}, false, SCOUT_E_EXISTS},
        {{.condition = FILE_PUT_ETAG}, true, SCOUT_E_CHANGED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file_put_request request = cases[i].request;
        char etag[ETAG_SIZE];
        unlink(world_path(&r->w, "f"));
        if (cases[i].before) {
            put(r, world_path(&r->w, "f"), "one", (struct file_put_request){0});
            memcpy(etag, r->result.etag, sizeof etag);
            request.etag = etag;
        }
        request.has_contents = true;
        request.contents = slice_str("two");
        r->settled = r->written = 0;
        put_begin(r, world_path(&r->w, "f"), request, &waiting);
        while (!r->settled)
            world_step(&r->w);
        assert_int_equal(r->settled_exists, cases[i].before);
        for (unsigned step = 0; step < 3; step++)
            world_step(&r->w);
        assert_int_equal(file_count(r), cases[i].before); /* nothing before it may go on */
        file_put_go(r->put);
        while (!r->written)
            world_step(&r->w);
        assert_int_equal(file_count(r), 1 + cases[i].before);
        world_put(&r->w, "f", "of others", 9);
        file_put_place(r->put);
        put_end(r);
        expect_error(r, cases[i].error, "");
        expect_text(r, "f", "of others");
        assert_int_equal(file_count(r), 1);
    }
}

static void only_regular_files_are_written(void **state)
{
    struct rig *r = *state;
    assert_int_equal(mkdir(world_path(&r->w, "d"), 0700), 0);
    put(r, world_path(&r->w, "d"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a directory");
    assert_int_equal(rmdir(world_path(&r->w, "d")), 0);
    assert_int_equal(mkfifo(world_path(&r->w, "p"), 0600), 0);
    put(r, world_path(&r->w, "p"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a FIFO");
    put(r, "/dev/null", "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a character device");
    put(r, world_path(&r->w, "no/f"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_FOUND, "Path not found");
    put(r, world_path(&r->w, "new/"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_INVALID_ARGUMENT, "does not end in the name of a file");
    assert_int_equal(r->permits, 0);
    assert_int_equal(file_count(r), 1);
}

static void what_is_forbidden_is_not_begun(void **state)
{
    struct rig *r = *state;
    r->forbid = true;
    put(r, world_path(&r->w, "f"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_POLICY, "forbidden by the test");
    assert_int_equal(r->permits, 1);
    assert_int_equal(r->w.pool.asked[TYPE_OPEN], 0);
    assert_int_equal(file_count(r), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_file_takes_four_round_trips),
        TEST(an_empty_file_is_written),
        TEST(a_replaced_file_keeps_its_mode_but_not_setuid),
        TEST(no_etag_comes_twice),
        TEST(the_owner_is_kept_where_that_may_be),
        TEST(a_group_that_cannot_be_kept_gets_no_more_than_others),
        TEST(a_links_target_is_written_and_the_link_stays),
        TEST(a_link_to_nothing_makes_its_target),
        TEST(large_contents_are_asked_for_as_there_is_room),
        TEST(a_file_that_must_not_be_there_is_not_overwritten),
        TEST(an_etag_has_to_fit),
        TEST(what_changes_meanwhile_is_not_overwritten),
        TEST(only_regular_files_are_written),
        TEST(what_is_forbidden_is_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
