/* The SFTP client against a scripted server in memory: what it writes, what it makes of every kind
 * of reply in any order and any pieces, and that a server which breaks the protocol gets no further
 * than an error. */
#include "scout/ssh/sftp.h"

#include "scout/base/error.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPLY_VERSION = 2, REPLY_STATUS = 101, REPLY_HANDLE, REPLY_DATA, REPLY_NAME, REPLY_ATTRS };

/* ---- writing the server's side */

struct script {
    uint8_t bytes[65536];
    size_t len;
    size_t packet; /* where the packet that is being written begins */
};

static void put_u8(struct script *s, uint8_t v)
{
    assert_true(s->len < sizeof s->bytes);
    s->bytes[s->len++] = v;
}

static void put_u32(struct script *s, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        put_u8(s, (uint8_t)(v >> shift));
}

static void put_text(struct script *s, const char *text)
{
    put_u32(s, (uint32_t)strlen(text));
    while (*text)
        put_u8(s, (uint8_t)*text++);
}

static void packet_end(struct script *s)
{
    uint32_t len = (uint32_t)(s->len - s->packet - 4);
    for (int i = 0; i < 4; i++)
        s->bytes[s->packet + (size_t)i] = (uint8_t)(len >> (24 - 8 * i));
    s->packet = s->len;
}

static void packet_begin(struct script *s, uint8_t type, uint64_t id)
{
    s->packet = s->len;
    put_u32(s, 0);
    put_u8(s, type);
    if (type != REPLY_VERSION)
        put_u32(s, (uint32_t)id);
}

static void put_version(struct script *s, uint32_t version)
{
    packet_begin(s, REPLY_VERSION, 0);
    put_u32(s, version);
    put_text(s, "posix-rename@openssh.com");
    put_text(s, "1");
    packet_end(s);
}

static void put_status(struct script *s, uint64_t id, uint32_t status, const char *message)
{
    packet_begin(s, REPLY_STATUS, id);
    put_u32(s, status);
    put_text(s, message);
    put_text(s, "en");
    packet_end(s);
}

static void put_handle(struct script *s, uint64_t id, const char *handle)
{
    packet_begin(s, REPLY_HANDLE, id);
    put_text(s, handle);
    packet_end(s);
}

static void put_data(struct script *s, uint64_t id, const char *data)
{
    packet_begin(s, REPLY_DATA, id);
    put_text(s, data);
    packet_end(s);
}

/* Every field of version 3, extended pairs included. */
static void put_full_attrs(struct script *s)
{
    put_u32(s, 0x8000000F);
    put_u32(s, 1); /* size 2^32 + 5 */
    put_u32(s, 5);
    put_u32(s, 1000);
    put_u32(s, 100);
    put_u32(s, 0100644);
    put_u32(s, 11);
    put_u32(s, 22);
    put_u32(s, 1);
    put_text(s, "acl@example.org");
    put_text(s, "rwx");
}

static void put_attrs(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_ATTRS, id);
    put_full_attrs(s);
    packet_end(s);
}

static void put_names(struct script *s, uint64_t id, uint32_t count)
{
    packet_begin(s, REPLY_NAME, id);
    put_u32(s, count);
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "file%u", (unsigned)i);
        put_text(s, name);
        put_text(s, "-rw-r--r-- long");
        if (i % 2)
            put_u32(s, 0);
        else
            put_full_attrs(s);
    }
    packet_end(s);
}

/* ---- the client and what it was told */

struct call {
    struct sftp_request request;
    unsigned replies;
    struct sftp_reply last;
    char text[2048]; /* what the reply said, borrowed parts included */
    void (*then)(struct call *c);
    struct sftp *client;
    struct call *other;
};

struct ready {
    unsigned calls;
    int error;
};

static void on_ready(void *context, int error)
{
    struct ready *r = context;
    r->calls++;
    r->error = error;
}

static void on_reply(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct call *c = (struct call *)(void *)request;
    c->replies++;
    c->last = *reply;
    assert_int_equal(request->id, 0);
    int len =
        snprintf(c->text, sizeof c->text,
                 "error=%d status=%u eof=%d message=%.*s size=%llu mode=%o ids=%u:%u "
                 "times=%u,%u handle=%.*s data=%.*s names=%u:",
                 reply->error, reply->status, reply->eof, (int)reply->message.len,
                 reply->message.len ? (const char *)reply->message.data : "",
                 (unsigned long long)reply->attrs.size, reply->attrs.permissions, reply->attrs.uid,
                 reply->attrs.gid, reply->attrs.atime, reply->attrs.mtime, (int)reply->handle.len,
                 (const char *)reply->handle.bytes, (int)reply->data.len,
                 reply->data.len ? (const char *)reply->data.data : "", reply->name_count);
    struct slice names = reply->names;
    struct sftp_name name;
    uint32_t count = 0;
    while (sftp_next_name(&names, &name)) {
        len += snprintf(c->text + len, sizeof c->text - (size_t)len, " %.*s(%.*s,%llu)",
                        (int)name.filename.len, (const char *)name.filename.data,
                        (int)name.longname.len, (const char *)name.longname.data,
                        (unsigned long long)name.attrs.size);
        count++;
    }
    assert_int_equal(count, reply->name_count);
    if (c->then)
        c->then(c);
}

static struct sftp *new_client(struct ready *ready, size_t out_max)
{
    struct sftp *s;
    assert_int_equal(sftp_new(&s, out_max), 0);
    assert_int_equal(sftp_start(s, on_ready, ready), 0);
    return s;
}

/* A client that is past VERSION and has written everything. */
static struct sftp *ready_client(void)
{
    static const size_t out_max = 1 << 20;
    struct ready ready = {0};
    struct script script = {0};
    struct sftp *s = new_client(&ready, out_max);
    put_version(&script, 3);
    assert_int_equal(sftp_feed(s, slice_of(script.bytes, script.len)), 0);
    assert_int_equal(ready.calls, 1);
    assert_int_equal(ready.error, 0);
    buf_clear(sftp_output(s));
    return s;
}

static int feed(struct sftp *s, const struct script *script)
{
    return sftp_feed(s, slice_of(script->bytes, script->len));
}

static void end(struct sftp *s)
{
    sftp_fail(s, SCOUT_E_CONNECTION_LOST);
    sftp_free(s);
}

/* ---- tests */

static void requests_lie_on_the_wire_as_the_draft_says(void **state)
{
    (void)state;
    struct ready ready = {0};
    struct sftp *s = new_client(&ready, 4096);
    struct script expected = {0};
    struct call stat = {0}, open = {0}, read = {0}, list = {0};
    struct sftp_handle h = {{'H', '1'}, 2};
    put_u32(&expected, 5);
    put_u8(&expected, 1); /* INIT */
    put_u32(&expected, 3);
    assert_int_equal(sftp_stat(s, &stat.request, "/etc", on_reply), 0);
    packet_begin(&expected, 17, stat.request.id);
    put_text(&expected, "/etc");
    packet_end(&expected);
    assert_int_equal(sftp_open_read(s, &open.request, "a b", on_reply), 0);
    packet_begin(&expected, 3, open.request.id);
    put_text(&expected, "a b");
    put_u32(&expected, 1);
    put_u32(&expected, 0);
    packet_end(&expected);
    assert_int_equal(sftp_read(s, &read.request, &h, 0x100000002ULL, 32768, on_reply), 0);
    packet_begin(&expected, 5, read.request.id);
    put_text(&expected, "H1");
    put_u32(&expected, 1);
    put_u32(&expected, 2);
    put_u32(&expected, 32768);
    packet_end(&expected);
    assert_int_equal(sftp_readdir(s, &list.request, &h, on_reply), 0);
    packet_begin(&expected, 12, list.request.id);
    put_text(&expected, "H1");
    packet_end(&expected);
    assert_true(slice_equal(buf_peek(sftp_output(s)), slice_of(expected.bytes, expected.len)));
    assert_int_equal(sftp_in_flight(s), 4);
    end(s);
    assert_int_equal(ready.calls, 1);
    assert_int_equal(ready.error, SCOUT_E_CONNECTION_LOST);
}

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

/* Starts one request of `type`, feeds `script` (written for its id), and expects the protocol to be
 * broken without a word to the owner before sftp_fail. */
typedef void write_fn(struct script *script, uint64_t id);

static void expect_broken(uint8_t type, write_fn *write)
{
    struct sftp *s = ready_client();
    struct call c = {0};
    struct script script = {0};
    struct sftp_handle h = {{'h'}, 1};
    int error = type == 17   ? sftp_stat(s, &c.request, "/a", on_reply)
                : type == 3  ? sftp_open_read(s, &c.request, "/a", on_reply)
                : type == 5  ? sftp_read(s, &c.request, &h, 0, 8, on_reply)
                : type == 12 ? sftp_readdir(s, &c.request, &h, on_reply)
                             : sftp_realpath(s, &c.request, ".", on_reply);
    assert_int_equal(error, 0);
    write(&script, c.request.id);
    assert_int_equal(feed(s, &script), SCOUT_E_SFTP_PROTOCOL);
    assert_int_equal(c.replies, 0);
    /* It sticks: even a right answer is not looked at any more. */
    struct script good = {0};
    put_status(&good, c.request.id, SFTP_FX_FAILURE, "");
    assert_int_equal(feed(s, &good), SCOUT_E_SFTP_PROTOCOL);
    assert_int_equal(c.replies, 0);
    sftp_fail(s, SCOUT_E_SFTP_PROTOCOL);
    assert_int_equal(c.replies, 1);
    assert_int_equal(c.last.error, SCOUT_E_SFTP_PROTOCOL);
    sftp_free(s);
}

static void write_unknown_id(struct script *s, uint64_t id)
{
    put_attrs(s, id + 1);
}
static void write_id_zero(struct script *s, uint64_t id)
{
    (void)id;
    put_attrs(s, 0);
}
static void write_old_generation(struct script *s, uint64_t id)
{
    put_attrs(s, id + SFTP_IN_FLIGHT_MAX);
}
static void write_status_ok(struct script *s, uint64_t id)
{
    put_status(s, id, SFTP_FX_OK, "");
}
static void write_data(struct script *s, uint64_t id)
{
    put_data(s, id, "123456789");
}
static void write_empty_data(struct script *s, uint64_t id)
{
    put_data(s, id, "");
}
static void write_handle(struct script *s, uint64_t id)
{
    put_handle(s, id, "h");
}
static void write_large_handle(struct script *s, uint64_t id)
{
    char handle[SFTP_HANDLE_MAX + 2];
    memset(handle, 'h', sizeof handle - 1);
    handle[sizeof handle - 1] = '\0';
    put_handle(s, id, handle);
}
static void write_version_again(struct script *s, uint64_t id)
{
    (void)id;
    put_version(s, 3);
}
static void write_two_names(struct script *s, uint64_t id)
{
    put_names(s, id, 2);
}
static void write_count_too_high(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_NAME, id);
    put_u32(s, 3);
    put_text(s, "only");
    put_text(s, "one");
    put_u32(s, 0);
    packet_end(s);
}
static void write_count_too_low(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_NAME, id);
    put_u32(s, 1);
    for (int i = 0; i < 2; i++) {
        put_text(s, "name");
        put_text(s, "long");
        put_u32(s, 0);
    }
    packet_end(s);
}
static void write_count_absurd(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_NAME, id);
    put_u32(s, UINT32_MAX);
    packet_end(s);
}
static void write_string_past_end(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_NAME, id);
    put_u32(s, 1);
    put_u32(s, UINT32_MAX);
    packet_end(s);
}
static void write_unknown_attr(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_ATTRS, id);
    put_u32(s, 0x10);
    put_u32(s, 0);
    packet_end(s);
}
static void write_many_extended(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_ATTRS, id);
    put_u32(s, 0x80000000);
    put_u32(s, UINT32_MAX);
    packet_end(s);
}
static void write_attrs_with_tail(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_ATTRS, id);
    put_u32(s, 0);
    put_u8(s, 0);
    packet_end(s);
}
static void write_short_status(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_STATUS, id);
    put_u8(s, 0);
    packet_end(s);
}
static void write_no_id(struct script *s, uint64_t id)
{
    (void)id;
    put_u32(s, 3);
    put_u8(s, REPLY_ATTRS);
    put_u8(s, 0);
    put_u8(s, 0);
}
static void write_length_zero(struct script *s, uint64_t id)
{
    (void)id;
    put_u32(s, 0);
}
static void write_length_too_large(struct script *s, uint64_t id)
{
    (void)id;
    put_u32(s, SFTP_PACKET_MAX + 1); /* refused before the rest comes */
}
static void write_request_type(struct script *s, uint64_t id)
{
    packet_begin(s, 17, id);
    put_text(s, "/etc/shadow");
    packet_end(s);
}

static void a_server_that_breaks_the_protocol_is_cut_off(void **state)
{
    (void)state;
    expect_broken(17, write_unknown_id);
    expect_broken(17, write_id_zero);
    expect_broken(17, write_old_generation);
    expect_broken(17, write_status_ok);
    expect_broken(17, write_data);
    expect_broken(17, write_handle);
    expect_broken(17, write_version_again);
    expect_broken(17, write_unknown_attr);
    expect_broken(17, write_many_extended);
    expect_broken(17, write_attrs_with_tail);
    expect_broken(17, write_short_status);
    expect_broken(17, write_no_id);
    expect_broken(17, write_length_zero);
    expect_broken(17, write_length_too_large);
    expect_broken(17, write_request_type);
    expect_broken(5, write_data); /* longer than asked for */
    expect_broken(5, write_empty_data);
    expect_broken(3, write_large_handle);
    expect_broken(3, write_status_ok);
    expect_broken(16, write_two_names);
    expect_broken(12, write_count_too_high);
    expect_broken(12, write_count_too_low);
    expect_broken(12, write_count_absurd);
    expect_broken(12, write_string_past_end);
}

static void a_version_below_3_or_another_first_packet_is_refused(void **state)
{
    (void)state;
    for (uint32_t version = 0; version <= 4; version++) {
        struct ready ready = {0};
        struct script script = {0};
        struct sftp *s = new_client(&ready, 4096);
        put_version(&script, version);
        assert_int_equal(feed(s, &script), version >= 3 ? 0 : SCOUT_E_SFTP_PROTOCOL);
        assert_int_equal(ready.calls, version >= 3 ? 1 : 0);
        end(s);
        assert_int_equal(ready.calls, 1);
    }
    struct ready ready = {0};
    struct script script = {0};
    struct sftp *s = new_client(&ready, 4096);
    struct call c = {0};
    assert_int_equal(sftp_stat(s, &c.request, "/a", on_reply), 0);
    put_attrs(&script, c.request.id);
    assert_int_equal(feed(s, &script), SCOUT_E_SFTP_PROTOCOL);
    assert_int_equal(c.replies, 0);
    end(s);
    assert_int_equal(c.replies, 1);
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
    assert_int_equal(c.last.error, SCOUT_E_REMOTE);
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

static void a_forgotten_request_is_answered_to_nobody(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct script script = {0};
    struct call *gone = calloc(1, sizeof *gone);
    assert_non_null(gone);
    assert_int_equal(sftp_stat(s, &gone->request, "/a", on_reply), 0);
    uint64_t id = gone->request.id;
    sftp_forget(s, &gone->request);
    assert_int_equal(gone->request.id, 0);
    sftp_forget(s, &gone->request); /* not in flight any more: nothing happens */
    free(gone);                     /* a write to it would be seen */
    put_attrs(&script, id);
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(sftp_in_flight(s), 0);
    end(s);
}

/* Reads one CLOSE from the output: its handle into `handle`, its id back. */
static uint32_t take_close(struct sftp *s, char *handle)
{
    struct buf *out = sftp_output(s);
    const uint8_t *p = buf_peek(out).data;
    assert_true(buf_len(out) >= 13);
    assert_int_equal(p[4], 4);
    uint32_t id = (uint32_t)p[5] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8];
    memcpy(handle, p + 13, p[12]);
    handle[p[12]] = '\0';
    buf_consume(out, 13u + p[12]);
    return id;
}

static void the_handle_of_a_forgotten_open_is_closed(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct script script = {0}, closed = {0};
    struct call c = {0};
    char handle[SFTP_HANDLE_MAX + 1];
    assert_int_equal(sftp_open_read(s, &c.request, "/a", on_reply), 0);
    put_handle(&script, c.request.id, "orphan");
    sftp_forget(s, &c.request);
    buf_clear(sftp_output(s));
    assert_int_equal(feed(s, &script), 0);
    uint32_t id = take_close(s, handle);
    assert_string_equal(handle, "orphan");
    assert_int_equal(sftp_in_flight(s), 1);
    put_status(&closed, id, SFTP_FX_OK, "");
    assert_int_equal(feed(s, &closed), 0);
    assert_int_equal(sftp_in_flight(s), 0);
    assert_int_equal(c.replies, 0);
    end(s);
}

/* Opens `count` handles named by their number. */
static void open_handles(struct sftp *s, struct sftp_handle *handles, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct script script = {0};
        struct call c = {0};
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        assert_int_equal(sftp_opendir(s, &c.request, "/d", on_reply), 0);
        put_handle(&script, c.request.id, name);
        assert_int_equal(feed(s, &script), 0);
        handles[i] = c.last.handle;
        buf_clear(sftp_output(s));
    }
}

static void every_close_gets_out_although_the_output_is_full(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    struct ready ready = {0};
    struct script script = {0};
    struct sftp *s = new_client(&ready, 64); /* room for about four */
    struct sftp_handle handles[COUNT];
    bool seen[COUNT] = {false};
    put_version(&script, 3);
    assert_int_equal(feed(s, &script), 0);
    buf_clear(sftp_output(s));
    open_handles(s, handles, COUNT);
    for (unsigned i = 0; i < COUNT; i++)
        sftp_close(s, &handles[i]);
    struct call late = {0};
    assert_int_equal(sftp_stat(s, &late.request, "/a", on_reply), SCOUT_E_LIMIT);
    for (unsigned i = 0; i < COUNT; i++) {
        char handle[SFTP_HANDLE_MAX + 1];
        struct script closed = {0};
        put_status(&closed, take_close(s, handle), SFTP_FX_OK, "");
        assert_int_equal(feed(s, &closed), 0);
        unsigned number = (unsigned)strtoul(handle, NULL, 10);
        assert_true(number < COUNT && !seen[number]);
        seen[number] = true;
    }
    assert_int_equal(buf_len(sftp_output(s)), 0);
    assert_int_equal(sftp_in_flight(s), 0);
    end(s);
}

static void open_handles_have_a_limit_and_closing_makes_room(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct sftp_handle *handles = calloc(SFTP_HANDLES_MAX, sizeof *handles);
    struct call c = {0};
    assert_non_null(handles);
    open_handles(s, handles, SFTP_HANDLES_MAX);
    assert_int_equal(sftp_open_read(s, &c.request, "/a", on_reply), SCOUT_E_LIMIT);
    assert_int_equal(sftp_stat(s, &c.request, "/a", on_reply), 0); /* needs no handle */
    sftp_forget(s, &c.request);
    sftp_close(s, &handles[0]);
    assert_int_equal(sftp_open_read(s, &c.request, "/a", on_reply), 0);
    end(s);
    assert_int_equal(c.replies, 1);
    free(handles);
}

static void requests_in_flight_have_a_limit_and_ids_are_not_reused_at_once(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct call *calls = calloc(SFTP_IN_FLIGHT_MAX, sizeof *calls);
    struct call one_more = {0};
    struct script script = {0};
    assert_non_null(calls);
    for (unsigned i = 0; i < SFTP_IN_FLIGHT_MAX; i++)
        assert_int_equal(sftp_stat(s, &calls[i].request, "/a", on_reply), 0);
    assert_int_equal(sftp_in_flight(s), SFTP_IN_FLIGHT_MAX);
    assert_int_equal(sftp_stat(s, &one_more.request, "/a", on_reply), SCOUT_E_LIMIT);
    assert_int_equal(one_more.request.id, 0);
    uint64_t old = calls[77].request.id;
    put_attrs(&script, old);
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(calls[77].replies, 1);
    assert_int_equal(sftp_stat(s, &one_more.request, "/a", on_reply), 0);
    assert_true(one_more.request.id != old);
    assert_int_equal(feed(s, &script), SCOUT_E_SFTP_PROTOCOL); /* the same answer again */
    assert_int_equal(one_more.replies, 0);
    sftp_fail(s, SCOUT_E_SFTP_PROTOCOL);
    for (unsigned i = 0; i < SFTP_IN_FLIGHT_MAX; i++)
        assert_int_equal(calls[i].replies, 1);
    assert_int_equal(one_more.replies, 1);
    sftp_free(s);
    free(calls);
}

static void start_again(struct call *c)
{
    if (c->replies < 3)
        assert_int_equal(sftp_stat(c->client, &c->request, "/again", on_reply), 0);
}

static void forget_other(struct call *c)
{
    sftp_forget(c->client, &c->other->request);
}

static void fail_all(struct call *c)
{
    sftp_fail(c->client, SCOUT_E_CANCELLED);
}

static void a_callback_may_start_forget_and_fail(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct call again = {.client = s, .then = start_again};
    assert_int_equal(sftp_stat(s, &again.request, "/a", on_reply), 0);
    for (unsigned round = 1; round <= 3; round++) {
        struct script script = {0};
        put_attrs(&script, again.request.id);
        assert_int_equal(feed(s, &script), 0);
        assert_int_equal(again.replies, round);
    }
    struct call victim = {0}, killer = {.client = s, .then = forget_other, .other = &victim};
    struct call late = {0}, ender = {.client = s, .then = fail_all};
    struct script script = {0};
    assert_int_equal(sftp_stat(s, &killer.request, "/a", on_reply), 0);
    assert_int_equal(sftp_stat(s, &victim.request, "/a", on_reply), 0);
    assert_int_equal(sftp_stat(s, &ender.request, "/a", on_reply), 0);
    assert_int_equal(sftp_stat(s, &late.request, "/a", on_reply), 0);
    put_attrs(&script, killer.request.id);
    put_attrs(&script, victim.request.id);
    put_attrs(&script, ender.request.id);
    put_attrs(&script, late.request.id); /* comes after the end: nobody looks at it */
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(killer.replies, 1);
    assert_int_equal(victim.replies, 0);
    assert_int_equal(ender.replies, 1);
    assert_int_equal(late.replies, 1);
    assert_int_equal(late.last.error, SCOUT_E_CANCELLED);
    assert_int_equal(sftp_stat(s, &late.request, "/a", on_reply), SCOUT_E_CONNECTION_LOST);
    sftp_free(s);
}

static void forgetting_others_while_all_fail_is_safe(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct call b = {0}, a = {.client = s, .then = forget_other, .other = &b};
    assert_int_equal(sftp_stat(s, &a.request, "/a", on_reply), 0);
    assert_int_equal(sftp_stat(s, &b.request, "/b", on_reply), 0);
    sftp_fail(s, SCOUT_E_CONNECTION_LOST);
    assert_int_equal(a.replies, 1);
    assert_int_equal(b.replies, 0);
    assert_int_equal(sftp_in_flight(s), 0);
    sftp_free(s);
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
    end(s);
    assert_int_equal(c.replies, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_lie_on_the_wire_as_the_draft_says),
        cmocka_unit_test(replies_are_the_same_however_the_stream_is_cut),
        cmocka_unit_test(a_large_read_comes_whole_in_one_piece_or_many),
        cmocka_unit_test(a_server_that_breaks_the_protocol_is_cut_off),
        cmocka_unit_test(a_version_below_3_or_another_first_packet_is_refused),
        cmocka_unit_test(an_old_servers_status_without_texts_is_taken),
        cmocka_unit_test(end_of_file_is_an_error_where_nothing_is_read),
        cmocka_unit_test(a_forgotten_request_is_answered_to_nobody),
        cmocka_unit_test(the_handle_of_a_forgotten_open_is_closed),
        cmocka_unit_test(every_close_gets_out_although_the_output_is_full),
        cmocka_unit_test(open_handles_have_a_limit_and_closing_makes_room),
        cmocka_unit_test(requests_in_flight_have_a_limit_and_ids_are_not_reused_at_once),
        cmocka_unit_test(a_callback_may_start_forget_and_fail),
        cmocka_unit_test(forgetting_others_while_all_fail_is_safe),
        cmocka_unit_test(paths_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
