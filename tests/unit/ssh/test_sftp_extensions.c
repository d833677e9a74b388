/* What servers offer beside the draft: posix-rename, fsync and limits, in the version known here.
 */
#include "sftp_script.h"

#include <stdio.h>

static struct sftp *client_of(const struct script *version)
{
    struct ready ready = {0};
    struct sftp *s = new_client(&ready, 1 << 16);
    buf_clear(sftp_output(s));
    assert_int_equal(feed(s, version), 0);
    assert_int_equal(ready.calls, 1);
    return s;
}

/* A client whose server offers limits; returns the id of its question. */
static uint32_t ask_limits(struct sftp **s)
{
    static const char *const offered[] = {"statvfs@openssh.com", "limits@openssh.com"};
    struct script version = {0}, expected = {0};
    put_version_with(&version, offered, 2);
    *s = client_of(&version);
    const uint8_t *p = buf_peek(sftp_output(*s)).data;
    uint32_t id = (uint32_t)p[5] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8];
    packet_begin(&expected, REQUEST_EXTENDED, id);
    put_text(&expected, "limits@openssh.com");
    packet_end(&expected);
    expect_output(*s, &expected);
    return id;
}

static void what_is_not_offered_is_refused_without_a_packet(void **state)
{
    (void)state;
    struct script version = {0};
    put_version_with(&version, NULL, 0);
    struct sftp *s = client_of(&version);
    struct call c = {0};
    struct sftp_handle h = {{'h'}, 1};
    assert_int_equal(sftp_rename(s, &c.request, "/a", "/b", true, on_reply), SCOUT_E_UNSUPPORTED);
    assert_int_equal(sftp_fsync(s, &c.request, &h, on_reply), SCOUT_E_UNSUPPORTED);
    assert_int_equal(buf_len(sftp_output(s)), 0);
    assert_false(sftp_offers(s, SFTP_EXT_POSIX_RENAME));
    assert_false(sftp_offers(s, SFTP_EXT_FSYNC));
    assert_false(sftp_offers(s, SFTP_EXT_LIMITS));
    assert_int_equal(sftp_read_max(s), SFTP_CHUNK);
    assert_int_equal(sftp_rename(s, &c.request, "/a", "/b", false, on_reply), 0);
    end(s);
    assert_int_equal(c.replies, 1);
}

static void each_offer_is_seen_alone_and_in_its_version(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum sftp_extension extension;
    } known[] = {
        {"posix-rename@openssh.com", SFTP_EXT_POSIX_RENAME},
        {"fsync@openssh.com", SFTP_EXT_FSYNC},
        {"limits@openssh.com", SFTP_EXT_LIMITS},
    };
    for (size_t i = 0; i < 3; i++) {
        struct script version = {0}, later = {0};
        put_version_with(&version, &known[i].name, 1);
        struct sftp *s = client_of(&version);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(sftp_offers(s, known[k].extension), k == i);
        end(s);
        packet_begin(&later, REPLY_VERSION, 0);
        put_u32(&later, 3);
        put_text(&later, known[i].name);
        put_text(&later, "2"); /* may mean something else */
        packet_end(&later);
        s = client_of(&later);
        assert_false(sftp_offers(s, known[i].extension));
        assert_int_equal(buf_len(sftp_output(s)), 0);
        end(s);
    }
}

static void a_version_with_half_a_pair_or_too_many_is_refused(void **state)
{
    (void)state;
    static const char *names[SFTP_EXTENSIONS_MAX + 1];
    for (size_t i = 0; i <= SFTP_EXTENSIONS_MAX; i++)
        names[i] = "some@example.org";
    for (unsigned kind = 0; kind < 3; kind++) {
        struct ready ready = {0};
        struct script version = {0};
        struct sftp *s = new_client(&ready, 4096);
        if (kind < 2) {
            put_version_with(&version, names, SFTP_EXTENSIONS_MAX + kind);
        } else {
            packet_begin(&version, REPLY_VERSION, 0);
            put_u32(&version, 3);
            put_text(&version, "limits@openssh.com");
            packet_end(&version);
        }
        assert_int_equal(feed(s, &version), kind == 0 ? 0 : SCOUT_E_SFTP_PROTOCOL);
        assert_int_equal(ready.calls, kind == 0 ? 1 : 0);
        end(s);
    }
}

static void the_servers_limits_become_the_clients(void **state)
{
    (void)state;
    static const struct {
        uint64_t packet, read, write;
        uint32_t read_max, write_max;
    } rows[] = {
        {262144, 261120, 261120, 261120, 261120},            /* OpenSSH */
        {262144, 1 << 30, UINT64_MAX, 261120, 261120},       /* ours at most */
        {0, 0, 0, SFTP_CHUNK, SFTP_CHUNK},                   /* nothing said */
        {0, 100000, 70000, 100000, 70000},                   /* no limit for packets */
        {65536, 261120, 261120, 65536 - 1024, 65536 - 1024}, /* a packet holds the data */
        {1, 261120, 261120, 34000 - 1024, 34000 - 1024},     /* less than the draft demands */
        {262144, 1, 2, 1, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct script script = {0};
        struct sftp *s;
        uint32_t id = ask_limits(&s);
        assert_int_equal(sftp_read_max(s), SFTP_CHUNK); /* until it is known */
        put_limits(&script, id, rows[i].packet, rows[i].read, rows[i].write, 0);
        assert_int_equal(feed(s, &script), 0);
        assert_int_equal(sftp_read_max(s), rows[i].read_max);
        assert_int_equal(sftp_write_max(s), rows[i].write_max);
        assert_int_equal(sftp_in_flight(s), 0);
        end(s);
    }
}

static void a_read_asks_for_no_more_than_the_server_gives(void **state)
{
    (void)state;
    struct script script = {0}, expected = {0};
    struct sftp *s;
    struct call c = {0};
    struct sftp_handle h = {{'h'}, 1};
    put_limits(&script, ask_limits(&s), 0, 50000, 0, 0);
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(sftp_read(s, &c.request, &h, 7, SFTP_READ_MAX, on_reply), 0);
    packet_begin(&expected, REQUEST_READ, c.request.id);
    put_text(&expected, "h");
    put_u64(&expected, 7);
    put_u32(&expected, 50000);
    packet_end(&expected);
    expect_output(s, &expected);
    end(s);
}

static void handles_are_capped_by_the_server(void **state)
{
    (void)state;
    struct script script = {0};
    struct sftp *s;
    struct sftp_handle handles[2];
    struct call c = {0};
    put_limits(&script, ask_limits(&s), 0, 0, 0, 2);
    assert_int_equal(feed(s, &script), 0);
    open_handles(s, handles, 2);
    assert_int_equal(sftp_opendir(s, &c.request, "/a", on_reply), SCOUT_E_LIMIT);
    sftp_close(s, &handles[1]);
    assert_int_equal(sftp_opendir(s, &c.request, "/a", on_reply), 0);
    end(s);
}

static void limits_that_are_refused_or_malformed(void **state)
{
    (void)state;
    struct script refused = {0}, ok = {0}, small = {0};
    struct sftp *s;
    put_status(&refused, ask_limits(&s), SFTP_FX_OP_UNSUPPORTED, "no");
    assert_int_equal(feed(s, &refused), 0);
    assert_int_equal(sftp_read_max(s), SFTP_CHUNK);
    assert_int_equal(sftp_in_flight(s), 0);
    end(s);
    put_status(&ok, ask_limits(&s), SFTP_FX_OK, "");
    assert_int_equal(feed(s, &ok), SCOUT_E_SFTP_PROTOCOL);
    end(s);
    packet_begin(&small, REPLY_EXTENDED, ask_limits(&s));
    put_u64(&small, 1);
    packet_end(&small);
    assert_int_equal(feed(s, &small), SCOUT_E_SFTP_PROTOCOL);
    end(s);
}

/* Requests that were started before VERSION came go first; the question waits for room. */
static void limits_are_asked_for_when_there_is_room(void **state)
{
    (void)state;
    static const char *const offered[] = {"limits@openssh.com"};
    struct ready ready = {0};
    struct script version = {0}, limits = {0};
    struct sftp *s = new_client(&ready, 40);
    struct call c = {0};
    buf_clear(sftp_output(s));
    assert_int_equal(sftp_stat(s, &c.request, "/some/path", on_reply), 0);
    put_version_with(&version, offered, 1);
    assert_int_equal(feed(s, &version), 0);
    assert_int_equal(sftp_in_flight(s), 1);
    buf_clear(sftp_output(s));
    struct slice out = buf_peek(sftp_output(s));
    assert_int_equal(out.len, 9 + 4 + strlen("limits@openssh.com"));
    uint32_t id = (uint32_t)out.data[7] << 8 | out.data[8] | (uint32_t)out.data[6] << 16;
    buf_clear(sftp_output(s));
    assert_int_equal(buf_len(sftp_output(s)), 0); /* asked once */
    put_limits(&limits, id, 0, 44444, 0, 0);
    assert_int_equal(feed(s, &limits), 0);
    assert_int_equal(sftp_read_max(s), 44444);
    end(s);
    assert_int_equal(c.replies, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_offered_is_refused_without_a_packet),
        cmocka_unit_test(each_offer_is_seen_alone_and_in_its_version),
        cmocka_unit_test(a_version_with_half_a_pair_or_too_many_is_refused),
        cmocka_unit_test(the_servers_limits_become_the_clients),
        cmocka_unit_test(a_read_asks_for_no_more_than_the_server_gives),
        cmocka_unit_test(handles_are_capped_by_the_server),
        cmocka_unit_test(limits_that_are_refused_or_malformed),
        cmocka_unit_test(limits_are_asked_for_when_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
