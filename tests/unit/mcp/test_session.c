/* Framing and room: lines in any pieces, over-long ones, ones that never end. */
#include "client.h"

#include "scout/base/error.h"
#include <stdio.h>
#include <stdlib.h>

#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define PONG(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{}}\n"
#define TOO_LONG                                                                                   \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid request: the line is "  \
    "too long\",\"data\":{\"reason\":\"line-too-long\"}}}\n"

/* Two halves, split at every byte, and one byte at a time: the answers are always the same. */
static void every_split_gives_the_same_answers(void **state)
{
    static const char input[] =
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"
        "{\"protocolVersion\":\"2025-03-26\"}}\r\n"
        "\n\r\n" PING(
            "1") "\n"
                 "not json\n"
                 "[" PING(
                     "2") ",{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":"
                          "{\"name\":\"echo\",\"arguments\":{\"text\":\"\\u00e4\xC3\xA4\"}}}]\n"
                          "{\"jsonrpc\":\"2.0\",\"id\":\"4\",\"method\":\"tools/"
                          "call\",\"params\":{\"name\":\"fail\","
                          "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                          "\"io.modelcontextprotocol/clientCapabilities\":{}}}}\r\n"
                          "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                          "cancelled\",\"params\":{\"requestId\":9}}\n" PING("5") "\n";
    struct client whole, parts;
    size_t len = sizeof input - 1;
    (void)state;
    client_open(&whole, MCP_OUT_MAX);
    assert_int_equal(client_feed(&whole, input), 0);
    assert_int_equal(whole.stats.messages, 7);
    for (size_t cut = 0; cut <= len + 1; cut++) {
        client_open(&parts, MCP_OUT_MAX);
        if (cut <= len) {
            assert_int_equal(mcp_session_feed(parts.session, slice_of(input, cut)), 0);
            assert_int_equal(mcp_session_feed(parts.session, slice_of(input + cut, len - cut)), 0);
        } else {
            for (size_t i = 0; i < len; i++)
                assert_int_equal(mcp_session_feed(parts.session, slice_of(input + i, 1)), 0);
        }
        assert_true(slice_equal(buf_peek(&parts.out), buf_peek(&whole.out)));
        client_close(&parts);
    }
    client_close(&whole);
}

static void half_a_line_waits_for_its_end(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    assert_int_equal(client_feed(&c, PING("1") "\n{\"jsonrpc\":\"2.0\",\"id\":2"), 0);
    client_expect_out(&c, PONG("1"));
    assert_true(mcp_session_wants_input(c.session));
    assert_int_equal(mcp_session_continue(c.session), 0);
    client_expect_out(&c, NULL);
    assert_int_equal(client_feed(&c, ",\"method\":\"ping\"}\n"), 0);
    client_expect_out(&c, PONG("2"));
    assert_int_equal(client_feed(&c, "{\"half"), 0);
    client_close(&c);
}

/* A ping padded with blanks to `len` bytes. */
static char *padded_ping(size_t len)
{
    char *line = malloc(len + 3);
    assert_non_null(line);
    memset(line, ' ', len);
    memcpy(line, PING("1"), sizeof PING("1") - 1);
    return line;
}

static void the_longest_line_passes(void **state)
{
    struct client c;
    char *line = padded_ping(MCP_LINE_MAX);
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    memcpy(line + MCP_LINE_MAX, "\r\n", 2);
    assert_int_equal(mcp_session_feed(c.session, slice_of(line, MCP_LINE_MAX + 2)), 0);
    client_expect_out(&c, PONG("1"));
    /* In pieces, the end alone. */
    for (size_t at = 0; at < MCP_LINE_MAX; at += 16384)
        assert_int_equal(mcp_session_feed(c.session, slice_of(line + at, 16384)), 0);
    assert_int_equal(client_feed(&c, "\r"), 0);
    assert_int_equal(client_feed(&c, "\n" PING("2") "\n"), 0);
    client_expect_out(&c, PONG("1") PONG("2"));
    free(line);
    client_close(&c);
}

/* Searching for the line's end from its start each time would take minutes here. */
static void the_longest_line_byte_by_byte_costs_no_more(void **state)
{
    struct client c;
    char *line = padded_ping(MCP_LINE_MAX);
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    for (size_t at = 0; at < MCP_LINE_MAX; at++)
        assert_int_equal(mcp_session_feed(c.session, slice_of(line + at, 1)), 0);
    assert_int_equal(client_feed(&c, "\n"), 0);
    client_expect_out(&c, PONG("1"));
    free(line);
    client_close(&c);
}

static void a_line_over_the_limit_ends_the_session(void **state)
{
    struct client c;
    char *line = padded_ping(MCP_LINE_MAX + 1);
    (void)state;
    line[MCP_LINE_MAX + 1] = '\n';
    client_open(&c, MCP_OUT_MAX);
    assert_int_equal(mcp_session_feed(c.session, slice_of(line, MCP_LINE_MAX + 2)), SCOUT_E_LIMIT);
    client_expect_out(&c, TOO_LONG);
    assert_int_equal(client_feed(&c, PING("1") "\n"), SCOUT_E_LIMIT);
    assert_int_equal(mcp_session_continue(c.session), SCOUT_E_LIMIT);
    client_expect_out(&c, NULL);
    client_close(&c);

    /* One that never ends is refused as soon as it is known to be too long. */
    client_open(&c, MCP_OUT_MAX);
    size_t fed = 0;
    int result = 0;
    for (; result == 0 && fed < 2 * MCP_LINE_MAX; fed += 65536)
        result = mcp_session_feed(c.session, slice_of(line, 65536));
    assert_int_equal(result, SCOUT_E_LIMIT);
    assert_true(fed <= MCP_LINE_MAX + 2 * 65536);
    client_expect_out(&c, TOO_LONG);
    assert_true(c.flushes > 0);
    client_close(&c);
    free(line);
}

static void too_much_unsent_holds_the_rest_back(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    c.pending = MCP_OUT_HIGH;
    assert_false(mcp_session_wants_input(c.session));
    assert_int_equal(client_feed(&c, PING("1") "\n" PING("2") "\n"), 0);
    client_expect_out(&c, NULL);
    c.pending = 0;
    assert_true(mcp_session_wants_input(c.session));
    assert_int_equal(mcp_session_continue(c.session), 0);
    client_expect_out(&c, PONG("1") PONG("2"));
    /* An owner that goes on feeding meanwhile meets the cap. */
    c.pending = MCP_OUT_HIGH;
    int result = 0;
    char *blanks = padded_ping(65536);
    for (int i = 0; result == 0 && i < 200; i++)
        result = mcp_session_feed(c.session, slice_of(blanks, 65536));
    assert_int_equal(result, SCOUT_E_LIMIT);
    free(blanks);
    client_close(&c);
}

/* An answer over MCP_OUT_HIGH stops the next request until the client has read. */
static void answers_count_towards_what_is_unsent(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    assert_int_equal(client_feed(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
                                     "\"params\":{\"name\":\"big\",\"arguments\":{\"bytes\":1048576"
                                     "}}}\n" PING("2") "\n"),
                     0);
    assert_int_equal(c.stats.messages, 1);
    buf_clear(&c.out);
    assert_int_equal(mcp_session_continue(c.session), 0);
    client_expect_out(&c, PONG("2"));
    client_close(&c);
}

/* While too much waits for all clients, who would have more than MCP_OUT_HIGH gets an error. */
static void a_large_answer_is_refused_when_too_much_waits_for_all(void **state)
{
    static const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
                               "\"params\":{\"name\":\"big\",\"arguments\":{\"bytes\":1048576"
                               "}}}\n";
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    c.crowded = true;
    assert_int_equal(client_feed(&c, call), 0);
    assert_true(buf_len(&c.out) < 512);
    assert_non_null(memmem(c.out.data + c.out.start, buf_len(&c.out), "limit-exceeded", 14));
    buf_clear(&c.out);
    assert_int_equal(client_feed(&c, PING("2") "\n"), 0);
    client_expect_out(&c, PONG("2"));
    c.crowded = false;
    assert_int_equal(client_feed(&c, call), 0);
    assert_true(buf_len(&c.out) > 1048576);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_gives_the_same_answers),
        cmocka_unit_test(half_a_line_waits_for_its_end),
        cmocka_unit_test(the_longest_line_passes),
        cmocka_unit_test(the_longest_line_byte_by_byte_costs_no_more),
        cmocka_unit_test(a_line_over_the_limit_ends_the_session),
        cmocka_unit_test(too_much_unsent_holds_the_rest_back),
        cmocka_unit_test(answers_count_towards_what_is_unsent),
        cmocka_unit_test(a_large_answer_is_refused_when_too_much_waits_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
