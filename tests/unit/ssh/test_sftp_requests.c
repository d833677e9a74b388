/* Requests lie on the wire as the draft says, and what no server would take is not sent. */
#include "sftp_script.h"

#include <stdio.h>
#include <stdlib.h>

static void requests_lie_on_the_wire_as_the_draft_says(void **state)
{
    (void)state;
    struct ready ready = {0};
    struct sftp *s = new_client(&ready, 4096);
    struct script expected = {0};
    struct call stat = {0}, open = {0}, read = {0}, list = {0};
    struct sftp_handle h = {{'H', '1'}, 2};
    put_u32(&expected, 5);
    put_u8(&expected, REQUEST_INIT);
    put_u32(&expected, 3);
    assert_int_equal(sftp_stat(s, &stat.request, "/etc", on_reply), 0);
    packet_begin(&expected, REQUEST_STAT, stat.request.id);
    put_text(&expected, "/etc");
    packet_end(&expected);
    assert_int_equal(sftp_open_read(s, &open.request, "a b", on_reply), 0);
    packet_begin(&expected, REQUEST_OPEN, open.request.id);
    put_text(&expected, "a b");
    put_u32(&expected, 1);
    put_u32(&expected, 0);
    packet_end(&expected);
    assert_int_equal(sftp_read(s, &read.request, &h, 0x100000002ULL, 32768, on_reply), 0);
    packet_begin(&expected, REQUEST_READ, read.request.id);
    put_text(&expected, "H1");
    put_u32(&expected, 1);
    put_u32(&expected, 2);
    put_u32(&expected, 32768);
    packet_end(&expected);
    assert_int_equal(sftp_readdir(s, &list.request, &h, on_reply), 0);
    packet_begin(&expected, REQUEST_READDIR, list.request.id);
    put_text(&expected, "H1");
    packet_end(&expected);
    assert_true(slice_equal(buf_peek(sftp_output(s)), slice_of(expected.bytes, expected.len)));
    assert_int_equal(sftp_in_flight(s), 4);
    end(s);
    assert_int_equal(ready.calls, 1);
    assert_int_equal(ready.error, SCOUT_E_CONNECTION_LOST);
}

static void paths_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct call c = {0};
    char path[SFTP_PATH_MAX + 2];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(sftp_stat(s, &c.request, "", on_reply), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(sftp_stat(s, &c.request, path, on_reply), SCOUT_E_INVALID_ARGUMENT);
    path[SFTP_PATH_MAX] = '\0';
    assert_int_equal(sftp_stat(s, &c.request, path, on_reply), 0);
    path[SFTP_PATH_MAX] = 'a';
    struct call other = {0};
    assert_int_equal(sftp_rename(s, &other.request, "/a", path, false, on_reply),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(sftp_rename(s, &other.request, "", "/a", true, on_reply),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(sftp_mkdir(s, &other.request, "", NULL, on_reply), SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(sftp_open(s, &other.request, path, SFTP_OPEN_WRITE, NULL, on_reply),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(sftp_in_flight(s), 1);
    end(s);
    assert_int_equal(c.replies, 1);
}

static void two_questions_about_one_path_lie_side_by_side(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct script expected = {0};
    struct call stat = {0}, real = {0};
    assert_int_equal(sftp_stat(s, &stat.request, "/etc", on_reply), 0);
    assert_int_equal(sftp_realpath(s, &real.request, "/etc", on_reply), 0);
    packet_begin(&expected, REQUEST_STAT, stat.request.id);
    put_text(&expected, "/etc");
    packet_end(&expected);
    packet_begin(&expected, REQUEST_REALPATH, real.request.id);
    put_text(&expected, "/etc");
    packet_end(&expected);
    expect_output(s, &expected); /* one write of the channel */
    end(s);
}

static const struct sftp_attrs all_attrs = {
    .flags = SFTP_ATTR_SIZE | SFTP_ATTR_UIDGID | SFTP_ATTR_PERMISSIONS | SFTP_ATTR_ACMODTIME |
             SFTP_ATTR_EXTENDED,
    .size = 0x100000005ULL,
    .uid = 1000,
    .gid = 100,
    .permissions = 0100644,
    .atime = 11,
    .mtime = 22,
};

static void put_all_attrs(struct script *s)
{
    put_u32(s, 0xF); /* a reply's extended pairs are not sent back */
    put_u64(s, 0x100000005ULL);
    put_u32(s, 1000);
    put_u32(s, 100);
    put_u32(s, 0100644);
    put_u32(s, 11);
    put_u32(s, 22);
}

static void changes_of_paths_lie_on_the_wire_as_the_draft_says(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct script e = {0};
    struct call c[7] = {0};
    struct sftp_attrs mode = {.flags = SFTP_ATTR_PERMISSIONS, .permissions = 0750};
    assert_int_equal(sftp_setstat(s, &c[0].request, "/s", &all_attrs, on_reply), 0);
    packet_begin(&e, REQUEST_SETSTAT, c[0].request.id);
    put_text(&e, "/s");
    put_all_attrs(&e);
    packet_end(&e);
    assert_int_equal(sftp_mkdir(s, &c[1].request, "/d", &mode, on_reply), 0);
    packet_begin(&e, REQUEST_MKDIR, c[1].request.id);
    put_text(&e, "/d");
    put_u32(&e, 4);
    put_u32(&e, 0750);
    packet_end(&e);
    assert_int_equal(sftp_rmdir(s, &c[2].request, "/d", on_reply), 0);
    packet_begin(&e, REQUEST_RMDIR, c[2].request.id);
    put_text(&e, "/d");
    packet_end(&e);
    assert_int_equal(sftp_remove(s, &c[3].request, "/f", on_reply), 0);
    packet_begin(&e, REQUEST_REMOVE, c[3].request.id);
    put_text(&e, "/f");
    packet_end(&e);
    assert_int_equal(sftp_rename(s, &c[4].request, "/a", "/b b", false, on_reply), 0);
    packet_begin(&e, REQUEST_RENAME, c[4].request.id);
    put_text(&e, "/a");
    put_text(&e, "/b b");
    packet_end(&e);
    assert_int_equal(sftp_rename(s, &c[5].request, "/a", "/b", true, on_reply), 0);
    packet_begin(&e, REQUEST_EXTENDED, c[5].request.id);
    put_text(&e, "posix-rename@openssh.com");
    put_text(&e, "/a");
    put_text(&e, "/b");
    packet_end(&e);
    assert_int_equal(sftp_open(s, &c[6].request, "/n",
                               SFTP_OPEN_WRITE | SFTP_OPEN_CREATE | SFTP_OPEN_EXCLUSIVE, &all_attrs,
                               on_reply),
                     0);
    packet_begin(&e, REQUEST_OPEN, c[6].request.id);
    put_text(&e, "/n");
    put_u32(&e, 2 + 8 + 32);
    put_all_attrs(&e);
    packet_end(&e);
    expect_output(s, &e);
    end(s);
}

static void requests_of_a_handle_lie_on_the_wire_as_the_draft_says(void **state)
{
    (void)state;
    static const char *const offered[] = {"fsync@openssh.com"};
    struct ready ready = {0};
    struct sftp *s = new_client(&ready, 1 << 16);
    struct script e = {0}, version = {0};
    struct call c[5] = {0};
    struct sftp_handle h = {{'H', '1'}, 2};
    put_version_with(&version, offered, 1);
    assert_int_equal(feed(s, &version), 0);
    buf_clear(sftp_output(s));
    char text[] = "content";
    assert_int_equal(sftp_write(s, &c[0].request, &h, 0x200000003ULL, slice_of(text, 7), on_reply),
                     0);
    memset(text, '-', 7); /* it was copied */
    packet_begin(&e, REQUEST_WRITE, c[0].request.id);
    put_text(&e, "H1");
    put_u64(&e, 0x200000003ULL);
    put_text(&e, "content");
    packet_end(&e);
    assert_int_equal(sftp_fstat(s, &c[1].request, &h, on_reply), 0);
    packet_begin(&e, REQUEST_FSTAT, c[1].request.id);
    put_text(&e, "H1");
    packet_end(&e);
    assert_int_equal(sftp_fsetstat(s, &c[2].request, &h, &all_attrs, on_reply), 0);
    packet_begin(&e, REQUEST_FSETSTAT, c[2].request.id);
    put_text(&e, "H1");
    put_all_attrs(&e);
    packet_end(&e);
    assert_int_equal(sftp_fsetstat(s, &c[3].request, &h, NULL, on_reply), 0);
    packet_begin(&e, REQUEST_FSETSTAT, c[3].request.id);
    put_text(&e, "H1");
    put_u32(&e, 0);
    packet_end(&e);
    assert_int_equal(sftp_fsync(s, &c[4].request, &h, on_reply), 0);
    packet_begin(&e, REQUEST_EXTENDED, c[4].request.id);
    put_text(&e, "fsync@openssh.com");
    put_text(&e, "H1");
    packet_end(&e);
    expect_output(s, &e);
    end(s);
}

static void a_write_that_no_server_need_take_is_refused(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct call c = {0};
    struct sftp_handle h = {{'h'}, 1};
    uint8_t *bytes = calloc(1, SFTP_CHUNK + 1);
    assert_non_null(bytes);
    assert_int_equal(sftp_write_max(s), SFTP_CHUNK);
    assert_int_equal(sftp_write(s, &c.request, &h, 0, slice_of(bytes, 0), on_reply),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(sftp_write(s, &c.request, &h, 0, slice_of(bytes, SFTP_CHUNK + 1), on_reply),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(buf_len(sftp_output(s)), 0);
    assert_int_equal(sftp_write(s, &c.request, &h, 0, slice_of(bytes, SFTP_CHUNK), on_reply), 0);
    free(bytes);
    end(s);
    assert_int_equal(c.replies, 1);
    assert_int_equal(c.last.error, SCOUT_E_CONNECTION_LOST);
}

/* The window of writes is the output: what has no room is told at once and not half sent. */
static void writes_stop_when_the_output_is_full_and_go_on_after_it(void **state)
{
    (void)state;
    struct ready ready = {0};
    struct script version = {0};
    struct sftp *s = new_client(&ready, 1000);
    struct call calls[8] = {0};
    struct sftp_handle h = {{'h'}, 1};
    uint8_t bytes[300] = {0};
    put_version(&version, 3);
    assert_int_equal(feed(s, &version), 0);
    buf_clear(sftp_output(s));
    unsigned count = 0;
    while (sftp_write(s, &calls[count].request, &h, 0, slice_of(bytes, 300), on_reply) == 0)
        count++;
    assert_int_equal(count, 3);
    assert_int_equal(calls[3].request.id, 0);
    assert_int_equal(buf_len(sftp_output(s)), 3 * (9 + 5 + 8 + 4 + 300));
    buf_clear(sftp_output(s));
    assert_int_equal(sftp_write(s, &calls[3].request, &h, 0, slice_of(bytes, 300), on_reply), 0);
    end(s);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(calls[i].replies, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_lie_on_the_wire_as_the_draft_says),
        cmocka_unit_test(paths_that_cannot_be_are_refused),
        cmocka_unit_test(two_questions_about_one_path_lie_side_by_side),
        cmocka_unit_test(changes_of_paths_lie_on_the_wire_as_the_draft_says),
        cmocka_unit_test(requests_of_a_handle_lie_on_the_wire_as_the_draft_says),
        cmocka_unit_test(a_write_that_no_server_need_take_is_refused),
        cmocka_unit_test(writes_stop_when_the_output_is_full_and_go_on_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
