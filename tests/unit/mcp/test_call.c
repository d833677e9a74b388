/* tools/call: side by side, out of order, cancelled, failing, freed. */
#include "client.h"

#include "scout/base/error.h"
#include <stdio.h>

static void call(struct client *c, const char *id, const char *tool, const char *text)
{
    char line[256];
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
             "\"arguments\":{\"text\":\"%s\"}}}\n",
             id, tool, text);
    assert_int_equal(client_feed(c, line), 0);
}

static void cancel(struct client *c, const char *id)
{
    char line[256];
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
             "{\"requestId\":%s}}\n",
             id);
    assert_int_equal(client_feed(c, line), 0);
}

static void expect_text(struct client *c, const char *id, const char *text)
{
    char answer[512];
    snprintf(answer, sizeof answer,
             "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"content\":[{\"type\":\"text\","
             "\"text\":\"%s\"}],\"isError\":false}}\n",
             id, text);
    client_expect_out(c, answer);
}

static void calls_are_answered_as_they_finish(void **state)
{
    struct client c;
    char id[16], text[32];
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    for (int i = 0; i < 100; i++) {
        snprintf(id, sizeof id, "%d", i);
        snprintf(text, sizeof text, "call %d", i);
        call(&c, id, "wait", text);
    }
    client_expect_out(&c, NULL);
    assert_int_equal(mcp_session_in_flight(c.session), 100);
    call(&c, "\"5\"", "echo", "between");
    expect_text(&c, "\"5\"", "between");
    for (int i = 99; i >= 0; i--) {
        unsigned flushes = c.flushes;
        snprintf(id, sizeof id, "%d", i * 37 % 100);
        snprintf(text, sizeof text, "call %d", i * 37 % 100);
        client_finish(&c, text);
        assert_true(c.flushes > flushes);
        expect_text(&c, id, text);
    }
    assert_int_equal(mcp_session_in_flight(c.session), 0);
    assert_int_equal(c.stats.in_flight_max, 101);
    client_close(&c);
}

static void an_id_in_flight_is_not_taken_again(void **state)
{
    static const char again[] = "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32600,"
                                "\"message\":\"Invalid request: a request with this id is in "
                                "flight\"}}\n";
    struct client c;
    char answer[512];
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    call(&c, "\"A\"", "wait", "one");
    call(&c, "1", "wait", "two");
    call(&c, "-0", "wait", "three");
    call(&c, "\"\\u0041\"", "echo", "x");
    snprintf(answer, sizeof answer, again, "\"\\u0041\"");
    client_expect_out(&c, answer);
    call(&c, "0", "echo", "x");
    snprintf(answer, sizeof answer, again, "0");
    client_expect_out(&c, answer);
    call(&c, "\"1\"", "echo", "a string is no number");
    expect_text(&c, "\"1\"", "a string is no number");
    client_finish(&c, "two");
    expect_text(&c, "1", "two");
    call(&c, "1", "echo", "again");
    expect_text(&c, "1", "again");
    client_close(&c);
}

static void a_cancelled_call_gets_no_answer(void **state)
{
    struct client c;
    (void)state;
    for (int later = 0; later <= 1; later++) {
        client_open(&c, MCP_OUT_MAX);
        c.cancel_mode = later ? CANCEL_LATER : CANCEL_AT_ONCE;
        call(&c, "\"a\"", "wait", "one");
        call(&c, "2", "wait", "two");
        cancel(&c, "\"\\u0061\"");
        cancel(&c, "\"a\"");
        cancel(&c, "99");
        assert_int_equal(c.cancels, 1);
        client_expect_out(&c, NULL);
        assert_int_equal(mcp_session_in_flight(c.session), later ? 2 : 1);
        /* Its id is free at once. */
        call(&c, "\"a\"", "echo", "again");
        expect_text(&c, "\"a\"", "again");
        if (later)
            client_finish(&c, "one");
        client_expect_out(&c, NULL);
        client_finish(&c, "two");
        expect_text(&c, "2", "two");
        cancel(&c, "2");
        assert_int_equal(mcp_session_in_flight(c.session), 0);
        client_close(&c);
    }
}

/* Work that goes on at a host counts, cancelled or not: else a client could pile it up. */
static void cancelled_calls_hold_their_place_until_they_end(void **state)
{
    struct client c;
    char id[16], text[32];
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    c.cancel_mode = CANCEL_LATER;
    for (int i = 0; i < MCP_IN_FLIGHT_MAX; i++) {
        snprintf(id, sizeof id, "%d", i);
        snprintf(text, sizeof text, "call %d", i);
        call(&c, id, "wait", text);
        cancel(&c, id);
    }
    assert_int_equal(c.cancels, MCP_IN_FLIGHT_MAX);
    assert_int_equal(mcp_session_in_flight(c.session), MCP_IN_FLIGHT_MAX);
    call(&c, "7", "echo", "waits for room");
    client_expect_out(&c, NULL);
    client_finish(&c, "call 99");
    expect_text(&c, "7", "waits for room");
    client_close(&c);
}

static void wrong_calls_are_protocol_errors(void **state)
{
    static const char *const cases[][2] = {
        {"{\"name\":\"nope\"}", "Unknown tool: nope"},
        {"{\"name\":\"Echo\"}", "Unknown tool: Echo"},
        {"{\"arguments\":{}}", "Invalid params: \\\"name\\\" must be a string"},
        {"{\"name\":5}", "Invalid params: \\\"name\\\" must be a string"},
        {"{\"name\":\"echo\",\"arguments\":[]}",
         "Invalid params: \\\"arguments\\\" must be an object"},
        {"{\"name\":\"echo\",\"arguments\":\"x\"}",
         "Invalid params: \\\"arguments\\\" must be an object"},
    };
    struct client c;
    char line[512], answer[512];
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(line, sizeof line,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":%s}",
                 cases[i][0]);
        snprintf(answer, sizeof answer,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"%s\"}}\n",
                 cases[i][1]);
        client_expect(&c, line, answer);
    }
    assert_int_equal(c.stats.tool_calls, 0);
    client_close(&c);
}

static void wrong_arguments_and_failures_are_results(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
                  "{\"name\":\"echo\",\"arguments\":null}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\","
                  "\"text\":\"Error: the argument \\\"text\\\" is missing; it must be a string "
                  "(Any text)\"}],\"structuredContent\":{\"error\":{\"code\":\"invalid-argument\","
                  "\"message\":\"the argument \\\"text\\\" is missing; it must be a string "
                  "(Any text)\"}},\"isError\":true}}\n");
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":"
                  "{\"name\":\"fail\"}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[{\"type\":\"text\","
                  "\"text\":\"Error: No way to web1\"}],\"structuredContent\":{\"error\":"
                  "{\"code\":\"connect-failed\",\"message\":\"No way to web1\"}},"
                  "\"isError\":true}}\n");
    assert_int_equal(c.stats.tool_calls, 2);
    assert_int_equal(c.stats.tool_errors, 2);
    client_close(&c);
}

static void freeing_cancels_and_waits_for_all(void **state)
{
    struct client c;
    char id[16], text[32];
    (void)state;
    for (int later = 0; later <= 1; later++) {
        client_open(&c, MCP_OUT_MAX);
        c.cancel_mode = later ? CANCEL_LATER : CANCEL_AT_ONCE;
        for (int i = 0; i < 150; i++) {
            snprintf(id, sizeof id, "%d", i);
            snprintf(text, sizeof text, "call %d", i);
            call(&c, id, "wait", text);
        }
        cancel(&c, "3");
        unsigned flushes = c.flushes;
        client_close(&c);
        assert_int_equal(c.cancels, 150);
        assert_int_equal(c.flushes, flushes);
        assert_int_equal(c.rooms, 0);
    }
}

/* The owner learns of a broken stream in flush and frees the session there: while lines are being
 * taken up, and when a tool ended its call. */
static void freeing_from_within_flush_is_safe(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    call(&c, "1", "wait", "one");
    c.free_on_flush = true;
    assert_int_equal(client_feed(&c, "{}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n"),
                     0);
    assert_int_equal(c.freed, 1);
    client_close(&c);

    client_open(&c, MCP_OUT_MAX);
    call(&c, "1", "wait", "one");
    call(&c, "2", "wait", "two");
    c.free_on_flush = true;
    client_finish(&c, "one");
    assert_int_equal(c.freed, 1);
    assert_int_equal(c.rooms, 0);
    client_close(&c);
}

/* An answer that the sink does not hold is taken back whole, and the request gets an error. */
static void an_answer_too_large_becomes_an_error(void **state)
{
    static const char refused[] = "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32603,"
                                  "\"message\":\"a limit was reached\",\"data\":{"
                                  "\"code\":\"limit-exceeded\"}}}\n";
    struct client c;
    char answer[512];
    (void)state;
    client_open(&c, 1000);
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
                  "{\"name\":\"big\",\"arguments\":{\"bytes\":1000}}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32603,"
                  "\"message\":\"a limit was reached\",\"data\":{\"code\":\"limit-exceeded\"}}}\n");
    /* Also when something stands before it. */
    call(&c, "2", "echo", "x");
    size_t before = buf_len(&c.out);
    assert_int_equal(client_feed(&c, "{\"jsonrpc\":\"2.0\",\"id\":\"b\",\"method\":\"tools/call\","
                                     "\"params\":{\"name\":\"big\",\"arguments\":{\"bytes\":850}}}"
                                     "\n"),
                     0);
    buf_consume(&c.out, before);
    snprintf(answer, sizeof answer, refused, "\"b\"");
    client_expect_out(&c, answer);
    client_close(&c);
}

static void a_sink_without_any_room_ends_the_session(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, 150);
    call(&c, "1", "wait", "one");
    call(&c, "2", "wait", "two");
    call(&c, "3", "wait", "three");
    client_finish(&c, "one");
    size_t before = buf_len(&c.out);
    assert_true(before > 0);
    client_finish(&c, "two");
    assert_int_equal(buf_len(&c.out), before);
    assert_int_equal(c.room_result, SCOUT_E_LIMIT);
    assert_int_equal(c.rooms, 1);
    assert_false(mcp_session_wants_input(c.session));
    assert_int_equal(client_feed(&c, "{}\n"), SCOUT_E_LIMIT);
    buf_clear(&c.out);
    client_finish(&c, "three");
    client_expect_out(&c, NULL);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_answered_as_they_finish),
        cmocka_unit_test(an_id_in_flight_is_not_taken_again),
        cmocka_unit_test(a_cancelled_call_gets_no_answer),
        cmocka_unit_test(cancelled_calls_hold_their_place_until_they_end),
        cmocka_unit_test(wrong_calls_are_protocol_errors),
        cmocka_unit_test(wrong_arguments_and_failures_are_results),
        cmocka_unit_test(freeing_cancels_and_waits_for_all),
        cmocka_unit_test(freeing_from_within_flush_is_safe),
        cmocka_unit_test(an_answer_too_large_becomes_an_error),
        cmocka_unit_test(a_sink_without_any_room_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
