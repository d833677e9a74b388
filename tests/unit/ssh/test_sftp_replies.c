/* What the SFTP client makes of every kind of reply, in any order and any pieces. */
#include "sftp_script.h"

#include <stdio.h>
#include <stdlib.h>

enum { CALLS = 9 };

/* Starts one request of each kind and scripts an answer to each, last asked first answered. */
static void start_conversation(struct sftp *s, struct call *c, struct script *script)
{
    struct sftp_handle h = {{'h'}, 1};
    assert_int_equal(sftp_stat(s, &c[0].request, "/a", on_reply), 0);
    assert_int_equal(sftp_lstat(s, &c[1].request, "/gone", on_reply), 0);
    assert_int_equal(sftp_realpath(s, &c[2].request, ".", on_reply), 0);
    assert_int_equal(sftp_open_read(s, &c[3].request, "/a", on_reply), 0);
    assert_int_equal(sftp_opendir(s, &c[4].request, "/root", on_reply), 0);
    assert_int_equal(sftp_read(s, &c[5].request, &h, 0, 4096, on_reply), 0);
    assert_int_equal(sftp_read(s, &c[6].request, &h, 4096, 4096, on_reply), 0);
    assert_int_equal(sftp_readdir(s, &c[7].request, &h, on_reply), 0);
    assert_int_equal(sftp_readlink(s, &c[8].request, "/link", on_reply), 0);
    put_version(script, 3);
    put_names(script, c[8].request.id, 1);
    put_names(script, c[7].request.id, 3);
    put_status(script, c[6].request.id, SFTP_FX_EOF, "End of file");
    put_data(script, c[5].request.id, "content");
    put_status(script, c[4].request.id, SFTP_FX_PERMISSION_DENIED, "Permission denied");
    put_handle(script, c[3].request.id, "HANDLE");
    put_names(script, c[2].request.id, 1);
    put_status(script, c[1].request.id, SFTP_FX_NO_SUCH_FILE, "No such file");
    put_attrs(script, c[0].request.id);
}

static void check_conversation(const struct call *c)
{
    static const char *const expected[CALLS] = {
        "error=0 status=0 eof=0 message= size=4294967301 mode=100644 ids=1000:100 times=11,22 "
        "handle= data= names=0:",
        "error=-40 status=2 eof=0 message=No such file size=0 mode=0 ids=0:0 times=0,0 handle= "
        "data= names=0:",
        "error=0 status=0 eof=0 message= size=0 mode=0 ids=0:0 times=0,0 handle= data= names=1: "
        "file0(-rw-r--r-- long,4294967301)",
        "error=0 status=0 eof=0 message= size=0 mode=0 ids=0:0 times=0,0 handle=HANDLE data= "
        "names=0:",
        "error=-41 status=3 eof=0 message=Permission denied size=0 mode=0 ids=0:0 times=0,0 "
        "handle= data= names=0:",
        "error=0 status=0 eof=0 message= size=0 mode=0 ids=0:0 times=0,0 handle= data=content "
        "names=0:",
        "error=0 status=1 eof=1 message=End of file size=0 mode=0 ids=0:0 times=0,0 handle= "
        "data= names=0:",
        "error=0 status=0 eof=0 message= size=0 mode=0 ids=0:0 times=0,0 handle= data= names=3: "
        "file0(-rw-r--r-- long,4294967301) file1(-rw-r--r-- long,0) "
        "file2(-rw-r--r-- long,4294967301)",
        "error=0 status=0 eof=0 message= size=0 mode=0 ids=0:0 times=0,0 handle= data= names=1: "
        "file0(-rw-r--r-- long,4294967301)",
    };
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(c[i].replies, 1);
        assert_string_equal(c[i].text, expected[i]);
    }
}

/* Feeds the conversation in pieces: up to `cut`, then `step` bytes at a time. Each piece is a copy
 * of its own, so that a sanitizer sees a read past its end. */
static void converse(size_t cut, size_t step)
{
    struct ready ready = {0};
    struct script script = {0};
    struct call calls[CALLS] = {0};
    struct sftp *s = new_client(&ready, 1 << 16);
    start_conversation(s, calls, &script);
    size_t pos = 0;
    while (pos < script.len) {
        size_t len = pos == 0 && cut > 0 ? cut : step;
        len = len < script.len - pos ? len : script.len - pos;
        uint8_t *piece = malloc(len);
        assert_non_null(piece);
        memcpy(piece, script.bytes + pos, len);
        assert_int_equal(sftp_feed(s, slice_of(piece, len)), 0);
        free(piece);
        pos += len;
    }
    assert_int_equal(ready.calls, 1);
    assert_int_equal(sftp_in_flight(s), 0);
    check_conversation(calls);
    end(s);
    assert_int_equal(ready.calls, 1);
    check_conversation(calls);
}

static void replies_are_the_same_however_the_stream_is_cut(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < 900; cut++)
        converse(cut, SIZE_MAX);
    for (size_t step = 1; step < 40; step++)
        converse(0, step);
}

static void a_large_read_comes_whole_in_one_piece_or_many(void **state)
{
    (void)state;
    size_t len = SFTP_READ_MAX, total = 4 + 1 + 4 + 4 + len;
    uint8_t *packet = malloc(total);
    assert_non_null(packet);
    for (size_t step = 4096; step <= total; step = step < total ? total : total + 1) {
        struct sftp *s = ready_client();
        struct call c = {0};
        struct sftp_handle h = {{'h'}, 1};
        struct script head = {0};
        assert_int_equal(sftp_read(s, &c.request, &h, 0, SFTP_READ_MAX, on_reply), 0);
        put_u32(&head, (uint32_t)(total - 4));
        put_u8(&head, REPLY_DATA);
        put_u32(&head, (uint32_t)c.request.id);
        put_u32(&head, (uint32_t)len);
        memcpy(packet, head.bytes, head.len);
        memset(packet + head.len, 'x', len);
        for (size_t pos = 0; pos < total; pos += step)
            assert_int_equal(
                sftp_feed(s, slice_of(packet + pos, step < total - pos ? step : total - pos)), 0);
        assert_int_equal(c.replies, 1);
        assert_int_equal(c.last.data.len, len);
        end(s);
    }
    free(packet);
}

static void an_old_servers_status_without_texts_is_taken(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct script script = {0};
    struct call c = {0};
    assert_int_equal(sftp_stat(s, &c.request, "/a", on_reply), 0);
    packet_begin(&script, REPLY_STATUS, c.request.id);
    put_u32(&script, SFTP_FX_OP_UNSUPPORTED);
    packet_end(&script);
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(c.last.error, SCOUT_E_UNSUPPORTED);
    assert_int_equal(c.last.status, SFTP_FX_OP_UNSUPPORTED);
    end(s);
}

static void end_of_file_is_an_error_where_nothing_is_read(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct script script = {0};
    struct call stat = {0}, list = {0}, empty = {0};
    struct sftp_handle h = {{'h'}, 1};
    assert_int_equal(sftp_stat(s, &stat.request, "/a", on_reply), 0);
    assert_int_equal(sftp_readdir(s, &list.request, &h, on_reply), 0);
    assert_int_equal(sftp_readdir(s, &empty.request, &h, on_reply), 0);
    put_status(&script, stat.request.id, SFTP_FX_EOF, "");
    put_status(&script, list.request.id, SFTP_FX_EOF, "");
    put_names(&script, empty.request.id, 0); /* ends a directory too: no endless reading */
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(stat.last.error, SCOUT_E_REMOTE);
    assert_false(stat.last.eof);
    assert_int_equal(list.last.error, 0);
    assert_true(list.last.eof);
    assert_int_equal(empty.last.error, 0);
    assert_true(empty.last.eof);
    end(s);
}

enum { CHANGES = 8 };

/* One of each kind of request that a status answers. */
static void start_changes(struct sftp *s, struct call *c)
{
    static const struct sftp_handle h = {{'h'}, 1};
    static const struct sftp_attrs mode = {.flags = SFTP_ATTR_PERMISSIONS, .permissions = 0600};
    assert_int_equal(sftp_write(s, &c[0].request, &h, 0, slice_str("x"), on_reply), 0);
    assert_int_equal(sftp_setstat(s, &c[1].request, "/a", &mode, on_reply), 0);
    assert_int_equal(sftp_fsetstat(s, &c[2].request, &h, &mode, on_reply), 0);
    assert_int_equal(sftp_mkdir(s, &c[3].request, "/d", NULL, on_reply), 0);
    assert_int_equal(sftp_rmdir(s, &c[4].request, "/d", on_reply), 0);
    assert_int_equal(sftp_remove(s, &c[5].request, "/a", on_reply), 0);
    assert_int_equal(sftp_rename(s, &c[6].request, "/a", "/b", false, on_reply), 0);
    assert_int_equal(sftp_rename(s, &c[7].request, "/a", "/b", true, on_reply), 0);
}

static void a_status_answers_what_changes_something(void **state)
{
    (void)state;
    static const struct {
        uint32_t status;
        int error;
    } expected[] = {
        {SFTP_FX_OK, 0},
        {SFTP_FX_EOF, SCOUT_E_REMOTE},
        {SFTP_FX_NO_SUCH_FILE, SCOUT_E_NOT_FOUND},
        {SFTP_FX_PERMISSION_DENIED, SCOUT_E_PERMISSION},
        {SFTP_FX_FAILURE, SCOUT_E_REMOTE},
        {SFTP_FX_BAD_MESSAGE, SCOUT_E_REMOTE},
        {SFTP_FX_OP_UNSUPPORTED, SCOUT_E_UNSUPPORTED},
        {4711, SCOUT_E_REMOTE},
    };
    for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++) {
        struct sftp *s = ready_client();
        struct call calls[CHANGES] = {0};
        struct script script = {0};
        start_changes(s, calls);
        for (int i = 0; i < CHANGES; i++)
            put_status(&script, calls[i].request.id, expected[k].status, "why");
        assert_int_equal(feed(s, &script), 0);
        for (int i = 0; i < CHANGES; i++) {
            assert_int_equal(calls[i].replies, 1);
            assert_int_equal(calls[i].last.error, expected[k].error);
            assert_int_equal(calls[i].last.status, expected[k].status);
            assert_false(calls[i].last.eof);
        }
        end(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_the_same_however_the_stream_is_cut),
        cmocka_unit_test(a_large_read_comes_whole_in_one_piece_or_many),
        cmocka_unit_test(an_old_servers_status_without_texts_is_taken),
        cmocka_unit_test(end_of_file_is_an_error_where_nothing_is_read),
        cmocka_unit_test(a_status_answers_what_changes_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
