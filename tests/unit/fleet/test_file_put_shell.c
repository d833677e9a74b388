/* The same without SFTP, by the shell. */
#include "put_rig.h"

#include <stdlib.h>
#include <sys/stat.h>

/* ---- without SFTP ---- */

static void a_shell_writes_a_new_file(void **state)
{
    struct rig *r = *state;
    r->w.pool.no_sftp = true;
    r->len = 1024 * 1024 + 7;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    put_begin(r, world_path(&r->w, "a b'c\n"), (struct file_put_request){0}, &at_once);
    put_end(r);
    assert_int_equal(r->result.failure.error, 0);
    expect_file(r, "a b'c\n", bytes, r->len);
    assert_int_equal(mode_of(r, "a b'c\n"), FILE_PUT_MODE);
    assert_int_equal(file_count(r), 1);
    assert_true(r->result.created && r->result.owner_kept);
    assert_int_equal(r->result.attrs.size, r->len);
    assert_int_equal(r->told, r->len);
    free(bytes);
}

static void a_shell_keeps_what_sftp_keeps(void **state)
{
    struct rig *r = *state;
    struct stat st;
    r->w.pool.no_sftp = true;
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(chmod(world_path(&r->w, "f"), 04751), 0);
    if (getuid() == 0)
        assert_int_equal(chown(world_path(&r->w, "f"), 12345, 23456), 0);
    assert_int_equal(symlink("f", world_path(&r->w, "link")), 0);
    put(r, world_path(&r->w, "link"), "after", (struct file_put_request){0});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "after");
    assert_string_equal(r->real_path, world_path(&r->w, "f"));
    assert_int_equal(stat(world_path(&r->w, "f"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0751);
    assert_int_equal(st.st_uid, getuid() == 0 ? 12345 : getuid());
    assert_int_equal(file_count(r), 2);
    char etag[ETAG_SIZE];
    memcpy(etag, r->result.etag, sizeof etag);
    put(r, world_path(&r->w, "f"), "more of it",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = etag});
    assert_int_equal(r->result.failure.error, 0);
    expect_text(r, "f", "more of it");
}

static void a_shell_refuses_what_sftp_refuses(void **state)
{
    struct rig *r = *state;
    r->w.pool.no_sftp = true;
    world_put(&r->w, "f", "before", 6);
    assert_int_equal(mkfifo(world_path(&r->w, "p"), 0600), 0);
    put(r, world_path(&r->w, "f"), "x", (struct file_put_request){.condition = FILE_PUT_ABSENT});
    expect_error(r, SCOUT_E_EXISTS, "is there already");
    put(r, world_path(&r->w, "f"), "x",
        (struct file_put_request){.condition = FILE_PUT_ETAG, .etag = "\"1-6\""});
    expect_error(r, SCOUT_E_CHANGED, "read it again");
    put(r, world_path(&r->w, "p"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a FIFO");
    put(r, r->w.place.dir, "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_A_FILE, "is a directory");
    put(r, world_path(&r->w, "no/f"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_NOT_FOUND, "Path not found");
    r->forbid = true;
    put(r, world_path(&r->w, "g"), "x", (struct file_put_request){0});
    expect_error(r, SCOUT_E_POLICY, "forbidden by the test");
    expect_text(r, "f", "before");
    assert_int_equal(file_count(r), 2);
}

static void a_shell_sees_what_changes_meanwhile(void **state)
{
    struct rig *r = *state;
    const enum file_put_condition conditions[] = {FILE_PUT_ABSENT, FILE_PUT_ETAG, FILE_PUT_ANY};
    const int errors[] = {SCOUT_E_EXISTS, SCOUT_E_CHANGED, SCOUT_E_NOT_A_FILE};
    r->w.pool.no_sftp = true;
    for (unsigned i = 0; i < 3; i++) {
        char etag[ETAG_SIZE] = "";
        struct file_put_request request = {.condition = conditions[i],
                                           .etag = etag,
                                           .has_contents = true,
                                           .contents = slice_str("two")};
        if (i == 1) {
            put(r, world_path(&r->w, "f"), "one", (struct file_put_request){0});
            memcpy(etag, r->result.etag, sizeof etag);
        }
        r->settled = r->written = 0;
        put_begin(r, world_path(&r->w, "f"), request, &waiting);
        while (!r->settled)
            world_step(&r->w);
        file_put_go(r->put);
        while (!r->written)
            world_step(&r->w);
        if (i < 2)
            world_put(&r->w, "f", "of others", 9);
        else
            assert_int_equal(mkdir(world_path(&r->w, "f"), 0700), 0);
        file_put_place(r->put);
        put_end(r);
        expect_error(r, errors[i], "");
        assert_int_equal(file_count(r), 1);
        remove(world_path(&r->w, "f"));
    }
}

static void a_stopped_shell_leaves_nothing(void **state)
{
    struct rig *r = *state;
    r->w.pool.no_sftp = true;
    r->len = 1024 * 1024;
    uint8_t *bytes = pattern(r->len);
    r->bytes = bytes;
    for (unsigned steps = 0; steps <= 6; steps++) {
        r->given = 0;
        put_begin(r, world_path(&r->w, "f"), (struct file_put_request){0}, &at_once);
        for (unsigned i = 0; i < steps && r->put; i++)
            world_step(&r->w);
        if (r->put)
            file_put_stop(r->put);
        put_end(r);
        assert_int_equal(file_count(r), r->result.failure.error ? 0 : 1);
        unlink(world_path(&r->w, "f"));
    }
    free(bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_shell_writes_a_new_file),         TEST(a_shell_keeps_what_sftp_keeps),
        TEST(a_shell_refuses_what_sftp_refuses), TEST(a_shell_sees_what_changes_meanwhile),
        TEST(a_stopped_shell_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
