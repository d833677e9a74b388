/* The SFTP client against OpenSSH's own sftp-server: what is changed, the extensions, and what a
 * server that is read-only says to it. */
#include "sftp_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_FLAGS (SFTP_OPEN_WRITE | SFTP_OPEN_CREATE | SFTP_OPEN_TRUNCATE)

static void what_openssh_offers_is_seen(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), NULL);
    assert_true(sftp_offers(v.client, SFTP_EXT_POSIX_RENAME));
    assert_true(sftp_offers(v.client, SFTP_EXT_FSYNC));
    assert_true(sftp_offers(v.client, SFTP_EXT_LIMITS));
    assert_int_equal(sftp_read_max(v.client), SFTP_READ_MAX);
    assert_int_equal(sftp_write_max(v.client), SFTP_WRITE_MAX);
    stop_server(&v);
}

static void folders_are_made_and_removed(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), NULL);
    struct sftp_attrs mode = {.flags = SFTP_ATTR_PERMISSIONS, .permissions = 0700};
    struct call made = {0}, again = {0}, full = {0}, file = {0}, gone = {0}, removed = {0};
    struct stat st;
    const char *path = in_dir(&v, "d");
    assert_int_equal(finish(&v, sftp_mkdir(v.client, &made.request, path, &mode, on_reply), &made),
                     0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    assert_int_equal(finish(&v, sftp_mkdir(v.client, &again.request, path, NULL, on_reply), &again),
                     SCOUT_E_REMOTE);
    make_file(&v, "d/f", "x", 1);
    assert_int_equal(finish(&v, sftp_rmdir(v.client, &full.request, path, on_reply), &full),
                     SCOUT_E_REMOTE);
    const char *inner = in_dir(&v, "d/f");
    assert_int_equal(finish(&v, sftp_remove(v.client, &file.request, inner, on_reply), &file), 0);
    assert_int_equal(access(inner, F_OK), -1);
    struct call twice = {0};
    assert_int_equal(finish(&v, sftp_remove(v.client, &twice.request, inner, on_reply), &twice),
                     SCOUT_E_NOT_FOUND);
    assert_int_equal(finish(&v, sftp_rmdir(v.client, &removed.request, v.dir, on_reply), &removed),
                     SCOUT_E_REMOTE);
    path = in_dir(&v, "d");
    assert_int_equal(finish(&v, sftp_rmdir(v.client, &gone.request, path, on_reply), &gone), 0);
    assert_int_equal(access(path, F_OK), -1);
    stop_server(&v);
}

static void a_rename_replaces_only_when_asked_to(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), NULL);
    struct call plain = {0}, taken = {0}, replace = {0};
    size_t len;
    make_file(&v, "a", "new", 3);
    make_file(&v, "b", "old", 3);
    int error =
        sftp_rename(v.client, &taken.request, in_dir(&v, "a"), in_dir(&v, "b"), false, on_reply);
    assert_int_equal(finish(&v, error, &taken), SCOUT_E_REMOTE);
    assert_int_equal(access(in_dir(&v, "a"), F_OK), 0);
    error =
        sftp_rename(v.client, &replace.request, in_dir(&v, "a"), in_dir(&v, "b"), true, on_reply);
    assert_int_equal(finish(&v, error, &replace), 0);
    assert_int_equal(access(in_dir(&v, "a"), F_OK), -1);
    uint8_t *bytes = read_file(&v, "b", &len);
    assert_int_equal(len, 3);
    assert_memory_equal(bytes, "new", 3);
    free(bytes);
    error =
        sftp_rename(v.client, &plain.request, in_dir(&v, "b"), in_dir(&v, "c"), false, on_reply);
    assert_int_equal(finish(&v, error, &plain), 0);
    assert_int_equal(access(in_dir(&v, "c"), F_OK), 0);
    stop_server(&v);
}

static void attributes_are_set_by_path_and_by_handle(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), NULL);
    struct sftp_attrs mode = {.flags = SFTP_ATTR_PERMISSIONS, .permissions = 0604};
    struct sftp_attrs cut = {.flags = SFTP_ATTR_SIZE | SFTP_ATTR_ACMODTIME,
                             .size = 2,
                             .atime = 1000000000,
                             .mtime = 1000000001};
    struct call by_path = {0}, by_handle = {0}, seen = {0}, closed = {0};
    struct stat st;
    make_file(&v, "f", "12345", 5);
    const char *path = in_dir(&v, "f");
    int error = sftp_setstat(v.client, &by_path.request, path, &mode, on_reply);
    assert_int_equal(finish(&v, error, &by_path), 0);
    struct sftp_handle h = open_file(&v, "f", SFTP_OPEN_WRITE);
    error = sftp_fsetstat(v.client, &by_handle.request, &h, &cut, on_reply);
    assert_int_equal(finish(&v, error, &by_handle), 0);
    assert_int_equal(finish(&v, sftp_fstat(v.client, &seen.request, &h, on_reply), &seen), 0);
    assert_int_equal(seen.reply.attrs.size, 2);
    assert_int_equal(seen.reply.attrs.permissions, S_IFREG | 0604);
    assert_int_equal(seen.reply.attrs.mtime, 1000000001);
    assert_int_equal(seen.reply.attrs.atime, 1000000000);
    error = sftp_close_wait(v.client, &closed.request, &h, on_reply);
    assert_int_equal(finish(&v, error, &closed), 0);
    assert_int_equal(stat(in_dir(&v, "f"), &st), 0);
    assert_int_equal(st.st_size, 2);
    stop_server(&v);
}

static void an_exclusive_open_refuses_what_exists(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), NULL);
    struct call again = {0}, wrote = {0}, synced = {0}, closed = {0}, after = {0};
    struct stat st;
    size_t len;
    uint32_t flags = SFTP_OPEN_WRITE | SFTP_OPEN_CREATE | SFTP_OPEN_EXCLUSIVE;
    struct sftp_handle h = open_file(&v, "new", flags);
    assert_int_equal(stat(in_dir(&v, "new"), &st), 0);
    assert_int_equal(st.st_mode & 0777 & ~0640u, 0);
    int error = sftp_open(v.client, &again.request, in_dir(&v, "new"), flags, NULL, on_reply);
    assert_int_equal(finish(&v, error, &again), SCOUT_E_REMOTE);
    error = sftp_write(v.client, &wrote.request, &h, 3, slice_str("abc"), on_reply);
    assert_int_equal(finish(&v, error, &wrote), 0);
    assert_int_equal(finish(&v, sftp_fsync(v.client, &synced.request, &h, on_reply), &synced), 0);
    error = sftp_close_wait(v.client, &closed.request, &h, on_reply);
    assert_int_equal(finish(&v, error, &closed), 0);
    /* The handle is gone: its number is nobody's. */
    error = sftp_fsync(v.client, &after.request, &h, on_reply);
    assert_int_equal(finish(&v, error, &after), SCOUT_E_NOT_FOUND);
    uint8_t *bytes = read_file(&v, "new", &len);
    assert_int_equal(len, 6);
    assert_memory_equal(bytes, "\0\0\0abc", 6);
    free(bytes);
    stop_server(&v);
}

static void what_is_appended_goes_to_the_end(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), NULL);
    struct call wrote = {0}, closed = {0};
    size_t len;
    make_file(&v, "log", "one\n", 4);
    struct sftp_handle h = open_file(&v, "log", SFTP_OPEN_WRITE | SFTP_OPEN_APPEND);
    int error = sftp_write(v.client, &wrote.request, &h, 0, slice_str("two\n"), on_reply);
    assert_int_equal(finish(&v, error, &wrote), 0);
    error = sftp_close_wait(v.client, &closed.request, &h, on_reply);
    assert_int_equal(finish(&v, error, &closed), 0);
    uint8_t *bytes = read_file(&v, "log", &len);
    assert_int_equal(len, 8);
    assert_memory_equal(bytes, "one\ntwo\n", 8);
    free(bytes);
    stop_server(&v);
}

enum { WRITES = 256, WRITE_LEN = 15000 };

struct upload_piece {
    struct sftp_request request;
    struct upload *upload;
};

struct upload {
    struct upload_piece pieces[WRITES];
    unsigned left;
    bool done;
};

static void on_written(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct upload *u = ((struct upload_piece *)(void *)request)->upload;
    assert_int_equal(reply->error, 0);
    u->done = --u->left == 0;
}

static void many_writes_are_in_flight_at_once(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), NULL);
    struct upload upload = {.left = WRITES};
    struct call closed = {0};
    size_t len, total = (size_t)WRITES * WRITE_LEN;
    uint8_t *bytes = malloc(total);
    assert_non_null(bytes);
    for (size_t i = 0; i < total; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 11);
    struct sftp_handle h = open_file(&v, "large", WRITE_FLAGS);
    for (size_t i = 0; i < WRITES; i++) { /* not in order: each says where it goes */
        size_t piece = i * 37 % WRITES;
        upload.pieces[i].upload = &upload;
        struct slice data = slice_of(bytes + piece * WRITE_LEN, WRITE_LEN);
        assert_int_equal(sftp_write(v.client, &upload.pieces[i].request, &h, piece * WRITE_LEN,
                                    data, on_written),
                         0);
    }
    assert_int_equal(sftp_in_flight(v.client), WRITES);
    pump(&v, &upload.done);
    assert_true(v.requests_max >= WRITES - 1);
    int error = sftp_close_wait(v.client, &closed.request, &h, on_reply);
    assert_int_equal(finish(&v, error, &closed), 0);
    uint8_t *found = read_file(&v, "large", &len);
    assert_int_equal(len, total);
    assert_memory_equal(found, bytes, total);
    free(found);
    free(bytes);
    stop_server(&v);
}

static void the_largest_write_and_read_pass_whole(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), NULL);
    struct call asked = {0}, wrote = {0}, closed = {0}, got = {0};
    uint8_t *bytes = malloc(SFTP_WRITE_MAX);
    assert_non_null(bytes);
    memset(bytes, 'w', SFTP_WRITE_MAX);
    assert_int_equal(finish(&v, sftp_stat(v.client, &asked.request, v.dir, on_reply), &asked), 0);
    struct sftp_handle h = open_file(&v, "f", WRITE_FLAGS | SFTP_OPEN_READ);
    struct slice data = slice_of(bytes, SFTP_WRITE_MAX);
    assert_int_equal(
        finish(&v, sftp_write(v.client, &wrote.request, &h, 0, data, on_reply), &wrote), 0);
    int error = sftp_read(v.client, &got.request, &h, 0, SFTP_READ_MAX, on_reply);
    assert_int_equal(finish(&v, error, &got), 0);
    assert_int_equal(got.reply.data.len, SFTP_READ_MAX);
    error = sftp_close_wait(v.client, &closed.request, &h, on_reply);
    assert_int_equal(finish(&v, error, &closed), 0);
    free(bytes);
    stop_server(&v);
}

static void a_read_only_server_refuses_every_change(void **state)
{
    (void)state;
    struct server v;
    start_server(&v, getuid(), "-R");
    struct sftp_attrs mode = {.flags = SFTP_ATTR_PERMISSIONS, .permissions = 0600};
    struct call c[8] = {0};
    make_file(&v, "f", "text", 4);
    const char *path = in_dir(&v, "f"), *other = in_dir(&v, "g");
    struct sftp *s = v.client;
    assert_int_equal(sftp_open(s, &c[0].request, path, WRITE_FLAGS, NULL, on_reply), 0);
    assert_int_equal(sftp_remove(s, &c[1].request, path, on_reply), 0);
    assert_int_equal(sftp_rename(s, &c[2].request, path, other, false, on_reply), 0);
    assert_int_equal(sftp_mkdir(s, &c[3].request, other, NULL, on_reply), 0);
    assert_int_equal(sftp_rmdir(s, &c[4].request, v.dir, on_reply), 0);
    assert_int_equal(sftp_setstat(s, &c[5].request, path, &mode, on_reply), 0);
    if (sftp_offers(s, SFTP_EXT_POSIX_RENAME))
        assert_int_equal(sftp_rename(s, &c[6].request, path, other, true, on_reply), 0);
    else
        c[6].reply.error = SCOUT_E_PERMISSION;
    assert_int_equal(finish(&v, sftp_stat(s, &c[7].request, path, on_reply), &c[7]), 0);
    for (int i = 0; i < 7; i++)
        assert_int_equal(c[i].reply.error, SCOUT_E_PERMISSION);
    /* Reading goes on as ever; a write to a file that is open for reading is refused. */
    struct call read = {0}, wrote = {0}, closed = {0};
    struct sftp_handle h = open_file(&v, "f", SFTP_OPEN_READ);
    assert_int_equal(
        finish(&v, sftp_write(s, &wrote.request, &h, 0, slice_str("no"), on_reply), &wrote),
        SCOUT_E_PERMISSION);
    assert_int_equal(finish(&v, sftp_read(s, &read.request, &h, 0, 100, on_reply), &read), 0);
    assert_int_equal(read.reply.data.len, 4);
    assert_int_equal(finish(&v, sftp_close_wait(s, &closed.request, &h, on_reply), &closed), 0);
    stop_server(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_openssh_offers_is_seen),
        cmocka_unit_test(folders_are_made_and_removed),
        cmocka_unit_test(a_rename_replaces_only_when_asked_to),
        cmocka_unit_test(attributes_are_set_by_path_and_by_handle),
        cmocka_unit_test(an_exclusive_open_refuses_what_exists),
        cmocka_unit_test(what_is_appended_goes_to_the_end),
        cmocka_unit_test(many_writes_are_in_flight_at_once),
        cmocka_unit_test(the_largest_write_and_read_pass_whole),
        cmocka_unit_test(a_read_only_server_refuses_every_change),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
