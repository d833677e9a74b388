/* A read that goes out behind the open of its handle: only where the server's habit tells which
 * handle comes, and its answer counts only when that one came. */
#include "sftp_script.h"

static void open_brings(struct sftp *s, struct call *c, const char *handle)
{
    struct script script = {0};
    put_handle(&script, c->request.id, handle);
    assert_int_equal(feed(s, &script), 0);
}

static void start_open(struct sftp *s, struct call *c)
{
    assert_int_equal(sftp_open_read(s, &c->request, "/a", on_reply), 0);
}

static int start_ahead(struct sftp *s, struct call *read, const struct call *open)
{
    return sftp_read_ahead(s, &read->request, &open->request, 0, 100, on_reply);
}

/* Closes the handle that `c` got; the server answers. */
static void close_of(struct sftp *s, struct call *c)
{
    char handle[SFTP_HANDLE_MAX + 1];
    struct script closed = {0};
    buf_clear(sftp_output(s));
    sftp_close(s, &c->last.handle);
    put_status(&closed, take_close(s, handle), SFTP_FX_OK, "");
    assert_int_equal(feed(s, &closed), 0);
}

/* Two opens in a row that bring the handle "h". */
static void teach(struct sftp *s)
{
    for (unsigned i = 0; i < 2; i++) {
        struct call open = {0}, read = {0};
        start_open(s, &open);
        assert_int_equal(start_ahead(s, &read, &open), SCOUT_E_UNSUPPORTED);
        open_brings(s, &open, "h");
        close_of(s, &open);
    }
    assert_int_equal(sftp_in_flight(s), 0);
}

/* A client that knows "h", with an open and a read behind it in flight. */
static struct sftp *ahead(struct call *open, struct call *read)
{
    struct sftp *s = ready_client();
    teach(s);
    start_open(s, open);
    assert_int_equal(start_ahead(s, read, open), 0);
    return s;
}

static void feed_data(struct sftp *s, uint64_t id, const char *text)
{
    struct script script = {0};
    put_data(&script, id, text);
    assert_int_equal(feed(s, &script), 0);
}

static void both_go_out_together(void **state)
{
    (void)state;
    struct call open = {0}, read = {0};
    struct script expected = {0};
    struct sftp *s = ahead(&open, &read);
    packet_begin(&expected, REQUEST_OPEN, open.request.id);
    put_text(&expected, "/a");
    put_u32(&expected, SFTP_OPEN_READ);
    put_u32(&expected, 0);
    packet_end(&expected);
    packet_begin(&expected, REQUEST_READ, read.request.id);
    put_text(&expected, "h");
    put_u64(&expected, 0);
    put_u32(&expected, 100);
    packet_end(&expected);
    expect_output(s, &expected);
    uint64_t id = read.request.id;
    open_brings(s, &open, "h");
    assert_int_equal(open.replies, 1);
    assert_int_equal(read.request.id, id);
    feed_data(s, id, "text");
    assert_int_equal(read.replies, 1);
    assert_non_null(strstr(read.text, "data=text"));
    close_of(s, &open);
    assert_int_equal(sftp_in_flight(s), 0);
    end(s);
}

static void another_handle_than_the_expected_one_forgets_the_read(void **state)
{
    (void)state;
    struct call open = {0}, read = {0}, next = {0};
    struct sftp *s = ahead(&open, &read);
    uint64_t id = read.request.id;
    open_brings(s, &open, "other");
    assert_int_equal(open.replies, 1);
    assert_int_equal(read.request.id, 0);
    feed_data(s, id, "of whatever h is"); /* a server that has it all the same */
    assert_int_equal(read.replies, 0);
    close_of(s, &open);
    start_open(s, &next); /* the habit has to be learned anew */
    assert_int_equal(start_ahead(s, &read, &next), SCOUT_E_UNSUPPORTED);
    end(s);
}

static void an_answer_before_the_opens_does_not_count(void **state)
{
    (void)state;
    struct call open = {0}, read = {0};
    struct sftp *s = ahead(&open, &read);
    feed_data(s, read.request.id, "too early");
    assert_int_equal(read.request.id, 0);
    assert_int_equal(read.replies, 0);
    open_brings(s, &open, "h");
    assert_int_equal(open.replies, 1);
    end(s);
}

static void a_handle_that_another_open_got_meanwhile_does_not_count(void **state)
{
    (void)state;
    struct call open = {0}, read = {0}, other = {0};
    struct sftp *s = ahead(&open, &read);
    uint64_t id = read.request.id;
    start_open(s, &other);
    open_brings(s, &other, "h");
    assert_int_equal(read.request.id, 0);
    close_of(s, &other);
    open_brings(s, &open, "h");
    feed_data(s, id, "of the other file, maybe");
    assert_int_equal(read.replies, 0);
    end(s);
}

static void an_open_that_fails_or_is_lost_takes_the_read_along(void **state)
{
    (void)state;
    struct call open = {0}, read = {0}, lost = {0}, late = {0};
    struct script script = {0};
    struct sftp *s = ahead(&open, &read);
    uint64_t id = read.request.id;
    put_status(&script, open.request.id, SFTP_FX_PERMISSION_DENIED, "");
    put_status(&script, id, SFTP_FX_FAILURE, "Invalid handle");
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(open.last.error, SCOUT_E_PERMISSION);
    assert_int_equal(read.replies, 0);
    assert_int_equal(sftp_in_flight(s), 0);
    start_open(s, &lost);
    assert_int_equal(start_ahead(s, &late, &lost), 0);
    sftp_fail(s, SCOUT_E_CONNECTION_LOST);
    assert_int_equal(lost.last.error, SCOUT_E_CONNECTION_LOST);
    assert_int_equal(late.request.id, 0);
    assert_int_equal(late.replies, 0);
    sftp_free(s);
}

static void forgotten_ones_leave_nothing_behind(void **state)
{
    (void)state;
    struct call open = {0}, read = {0};
    char handle[SFTP_HANDLE_MAX + 1];
    struct sftp *s = ahead(&open, &read);
    uint64_t open_id = open.request.id, read_id = read.request.id;
    sftp_forget(s, &read.request);
    sftp_forget(s, &open.request);
    buf_clear(sftp_output(s));
    struct script script = {0};
    put_handle(&script, open_id, "h");
    put_data(&script, read_id, "text");
    assert_int_equal(feed(s, &script), 0);
    assert_int_equal(open.replies + read.replies, 0);
    take_close(s, handle);
    assert_string_equal(handle, "h");
    end(s);
}

static void no_guess_beside_other_handles_or_an_unanswered_close(void **state)
{
    (void)state;
    struct call first = {0}, second = {0}, third = {0}, read = {0};
    struct sftp *s = ready_client();
    teach(s);
    start_open(s, &first);
    start_open(s, &second);
    assert_int_equal(start_ahead(s, &read, &first), SCOUT_E_UNSUPPORTED);
    assert_int_equal(start_ahead(s, &read, &second), SCOUT_E_UNSUPPORTED);
    open_brings(s, &first, "h");
    open_brings(s, &second, "i");
    start_open(s, &third);
    assert_int_equal(start_ahead(s, &read, &third), SCOUT_E_UNSUPPORTED);
    open_brings(s, &third, "j");
    close_of(s, &first);
    close_of(s, &second);
    sftp_close(s, &third.last.handle); /* not answered yet */
    struct call fourth = {0};
    start_open(s, &fourth);
    assert_int_equal(start_ahead(s, &read, &fourth), SCOUT_E_UNSUPPORTED);
    assert_int_equal(start_ahead(s, &read, &first), SCOUT_E_UNSUPPORTED); /* not in flight */
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_go_out_together),
        cmocka_unit_test(another_handle_than_the_expected_one_forgets_the_read),
        cmocka_unit_test(an_answer_before_the_opens_does_not_count),
        cmocka_unit_test(a_handle_that_another_open_got_meanwhile_does_not_count),
        cmocka_unit_test(an_open_that_fails_or_is_lost_takes_the_read_along),
        cmocka_unit_test(forgotten_ones_leave_nothing_behind),
        cmocka_unit_test(no_guess_beside_other_handles_or_an_unanswered_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
