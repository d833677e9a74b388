/* A server that breaks the protocol gets no further than an error, and nobody is told half a reply.
 */
#include "sftp_script.h"

#include <stdio.h>
#include <stdlib.h>

typedef void write_fn(struct script *script, uint64_t id);

static int start(struct sftp *s, struct call *c, uint8_t type)
{
    static const struct sftp_handle h = {{'h'}, 1};
    struct sftp_request *r = &c->request;
    switch (type) {
    case REQUEST_STAT:
        return sftp_stat(s, r, "/a", on_reply);
    case REQUEST_OPEN:
        return sftp_open_read(s, r, "/a", on_reply);
    case REQUEST_READ:
        return sftp_read(s, r, &h, 0, 8, on_reply);
    case REQUEST_WRITE:
        return sftp_write(s, r, &h, 0, slice_str("text"), on_reply);
    case REQUEST_FSTAT:
        return sftp_fstat(s, r, &h, on_reply);
    case REQUEST_READDIR:
        return sftp_readdir(s, r, &h, on_reply);
    case REQUEST_EXTENDED:
        return sftp_rename(s, r, "/a", "/b", true, on_reply);
    case REQUEST_REALPATH:
        return sftp_realpath(s, r, ".", on_reply);
    default:
        fail();
        return SCOUT_E_INTERNAL;
    }
}

/* Starts one request of `type`, feeds what `write` makes of its id, and expects the protocol to be
 * broken without a word to the owner before sftp_fail. */
static void expect_broken(uint8_t type, write_fn *write)
{
    struct sftp *s = ready_client();
    struct call c = {0};
    struct script script = {0};
    assert_int_equal(start(s, &c, type), 0);
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
    packet_begin(s, REQUEST_STAT, id);
    put_text(s, "/etc/shadow");
    packet_end(s);
}

static void write_limits(struct script *s, uint64_t id)
{
    put_limits(s, id, 0, 0, 0, 0);
}

static void a_server_that_breaks_the_protocol_is_cut_off(void **state)
{
    (void)state;
    expect_broken(REQUEST_STAT, write_unknown_id);
    expect_broken(REQUEST_STAT, write_id_zero);
    expect_broken(REQUEST_STAT, write_old_generation);
    expect_broken(REQUEST_STAT, write_status_ok);
    expect_broken(REQUEST_STAT, write_data);
    expect_broken(REQUEST_STAT, write_handle);
    expect_broken(REQUEST_STAT, write_version_again);
    expect_broken(REQUEST_STAT, write_unknown_attr);
    expect_broken(REQUEST_STAT, write_many_extended);
    expect_broken(REQUEST_STAT, write_attrs_with_tail);
    expect_broken(REQUEST_STAT, write_short_status);
    expect_broken(REQUEST_STAT, write_no_id);
    expect_broken(REQUEST_STAT, write_length_zero);
    expect_broken(REQUEST_STAT, write_length_too_large);
    expect_broken(REQUEST_STAT, write_request_type);
    expect_broken(REQUEST_STAT, write_limits);
    expect_broken(REQUEST_FSTAT, write_status_ok);
    expect_broken(REQUEST_FSTAT, write_data);
    expect_broken(REQUEST_WRITE, write_data); /* only a status answers it */
    expect_broken(REQUEST_WRITE, write_handle);
    expect_broken(REQUEST_EXTENDED, write_limits);
    expect_broken(REQUEST_EXTENDED, write_attrs_with_tail);
    expect_broken(REQUEST_READ, write_data); /* longer than asked for */
    expect_broken(REQUEST_READ, write_empty_data);
    expect_broken(REQUEST_OPEN, write_large_handle);
    expect_broken(REQUEST_OPEN, write_status_ok);
    expect_broken(REQUEST_REALPATH, write_two_names);
    expect_broken(REQUEST_READDIR, write_count_too_high);
    expect_broken(REQUEST_READDIR, write_count_too_low);
    expect_broken(REQUEST_READDIR, write_count_absurd);
    expect_broken(REQUEST_READDIR, write_string_past_end);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_breaks_the_protocol_is_cut_off),
        cmocka_unit_test(a_version_below_3_or_another_first_packet_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
