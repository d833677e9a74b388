/* Handles: each that the server gave is closed once, whatever becomes of its owner. */
#include "sftp_script.h"

#include <stdio.h>
#include <stdlib.h>

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

static void a_close_that_is_waited_for_tells_how_it_went(void **state)
{
    (void)state;
    struct sftp *s = ready_client();
    struct sftp_handle handles[3];
    struct call good = {0}, bad = {0}, gone = {0};
    struct script expected = {0}, script = {0};
    open_handles(s, handles, 3);
    assert_int_equal(sftp_close_wait(s, &good.request, &handles[0], on_reply), 0);
    assert_int_equal(sftp_close_wait(s, &bad.request, &handles[1], on_reply), 0);
    assert_int_equal(sftp_close_wait(s, &gone.request, &handles[2], on_reply), 0);
    uint64_t gone_id = gone.request.id;
    packet_begin(&expected, REQUEST_CLOSE, good.request.id);
    put_text(&expected, "0");
    packet_end(&expected);
    packet_begin(&expected, REQUEST_CLOSE, bad.request.id);
    put_text(&expected, "1");
    packet_end(&expected);
    packet_begin(&expected, REQUEST_CLOSE, gone_id);
    put_text(&expected, "2");
    packet_end(&expected);
    expect_output(s, &expected);
    sftp_forget(s, &gone.request);
    put_status(&script, bad.request.id, SFTP_FX_FAILURE, "disk full");
    put_status(&script, gone_id, SFTP_FX_OK, "");
    put_status(&script, good.request.id, SFTP_FX_OK, "");
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(good.replies, 1);
    assert_int_equal(good.last.error, 0);
    assert_int_equal(bad.replies, 1);
    assert_int_equal(bad.last.error, SCOUT_E_REMOTE);
    assert_non_null(strstr(bad.text, "message=disk full"));
    assert_int_equal(gone.replies, 0);
    assert_int_equal(buf_len(sftp_output(s)), 0); /* nothing is closed twice */
    assert_int_equal(sftp_in_flight(s), 0);
    end(s);
}

static void a_close_without_room_leaves_the_handle_to_its_owner(void **state)
{
    (void)state;
    struct ready ready = {0};
    struct script version = {0}, script = {0};
    struct sftp *s = new_client(&ready, 40);
    struct sftp_handle h;
    struct call stat = {0}, c = {0};
    put_version(&version, 3);
    assert_int_equal(feed(s, &version), 0);
    buf_clear(sftp_output(s));
    open_handles(s, &h, 1);
    assert_int_equal(sftp_stat(s, &stat.request, "/a-long-path-of-it", on_reply), 0);
    assert_int_equal(sftp_close_wait(s, &c.request, &h, on_reply), SCOUT_E_LIMIT);
    assert_int_equal(c.request.id, 0);
    buf_clear(sftp_output(s));
    assert_int_equal(sftp_close_wait(s, &c.request, &h, on_reply), 0);
    put_status(&script, c.request.id, SFTP_FX_OK, "");
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(c.replies, 1);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_handle_of_a_forgotten_open_is_closed),
        cmocka_unit_test(every_close_gets_out_although_the_output_is_full),
        cmocka_unit_test(open_handles_have_a_limit_and_closing_makes_room),
        cmocka_unit_test(a_close_that_is_waited_for_tells_how_it_went),
        cmocka_unit_test(a_close_without_room_leaves_the_handle_to_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
