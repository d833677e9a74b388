/* See sftp_script.h. */
#include "sftp_script.h"

#include <stdio.h>
#include <stdlib.h>

void put_u8(struct script *s, uint8_t v)
{
    assert_true(s->len < sizeof s->bytes);
    s->bytes[s->len++] = v;
}

void put_u32(struct script *s, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        put_u8(s, (uint8_t)(v >> shift));
}

void put_u64(struct script *s, uint64_t v)
{
    put_u32(s, (uint32_t)(v >> 32));
    put_u32(s, (uint32_t)v);
}

void put_text(struct script *s, const char *text)
{
    put_u32(s, (uint32_t)strlen(text));
    while (*text)
        put_u8(s, (uint8_t)*text++);
}

void packet_end(struct script *s)
{
    uint32_t len = (uint32_t)(s->len - s->packet - 4);
    for (int i = 0; i < 4; i++)
        s->bytes[s->packet + (size_t)i] = (uint8_t)(len >> (24 - 8 * i));
    s->packet = s->len;
}

void packet_begin(struct script *s, uint8_t type, uint64_t id)
{
    s->packet = s->len;
    put_u32(s, 0);
    put_u8(s, type);
    if (type != REPLY_VERSION)
        put_u32(s, (uint32_t)id);
}

void put_version_with(struct script *s, const char *const *names, size_t count)
{
    packet_begin(s, REPLY_VERSION, 0);
    put_u32(s, 3);
    for (size_t i = 0; i < count; i++) {
        put_text(s, names[i]);
        put_text(s, "1");
    }
    packet_end(s);
}

void put_version(struct script *s, uint32_t version)
{
    packet_begin(s, REPLY_VERSION, 0);
    put_u32(s, version);
    put_text(s, "posix-rename@openssh.com");
    put_text(s, "1");
    packet_end(s);
}

void put_status(struct script *s, uint64_t id, uint32_t status, const char *message)
{
    packet_begin(s, REPLY_STATUS, id);
    put_u32(s, status);
    put_text(s, message);
    put_text(s, "en");
    packet_end(s);
}

void put_handle(struct script *s, uint64_t id, const char *handle)
{
    packet_begin(s, REPLY_HANDLE, id);
    put_text(s, handle);
    packet_end(s);
}

void put_data(struct script *s, uint64_t id, const char *data)
{
    packet_begin(s, REPLY_DATA, id);
    put_text(s, data);
    packet_end(s);
}

/* Every field of version 3, extended pairs included. */
void put_full_attrs(struct script *s)
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

void put_attrs(struct script *s, uint64_t id)
{
    packet_begin(s, REPLY_ATTRS, id);
    put_full_attrs(s);
    packet_end(s);
}

void put_names(struct script *s, uint64_t id, uint32_t count)
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

void put_limits(struct script *s, uint64_t id, uint64_t packet, uint64_t read, uint64_t write,
                uint64_t handles)
{
    packet_begin(s, REPLY_EXTENDED, id);
    put_u64(s, packet);
    put_u64(s, read);
    put_u64(s, write);
    put_u64(s, handles);
    packet_end(s);
}

void on_ready(void *context, int error)
{
    struct ready *r = context;
    r->calls++;
    r->error = error;
}

void on_reply(struct sftp_request *request, const struct sftp_reply *reply)
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

struct sftp *new_client(struct ready *ready, size_t out_max)
{
    struct sftp *s;
    assert_int_equal(sftp_new(&s, out_max), 0);
    assert_int_equal(sftp_start(s, on_ready, ready), 0);
    return s;
}

/* A client that is past VERSION and has written everything. */
struct sftp *ready_client(void)
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

int feed(struct sftp *s, const struct script *script)
{
    return sftp_feed(s, slice_of(script->bytes, script->len));
}

void end(struct sftp *s)
{
    sftp_fail(s, SCOUT_E_CONNECTION_LOST);
    sftp_free(s);
}

/* Reads one CLOSE from the output: its handle into `handle`, its id back. */
uint32_t take_close(struct sftp *s, char *handle)
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

/* Opens `count` handles named by their number. */
void open_handles(struct sftp *s, struct sftp_handle *handles, unsigned count)
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

void expect_output(struct sftp *s, const struct script *expected)
{
    struct buf *out = sftp_output(s);
    assert_int_equal(buf_len(out), expected->len);
    assert_memory_equal(buf_peek(out).data, expected->bytes, expected->len);
    buf_clear(out);
}
