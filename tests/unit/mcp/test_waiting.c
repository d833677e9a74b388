/* With MCP_IN_FLIGHT_MAX calls in flight: what waits, what does not, and how much may wait. */
#include "client.h"

#include "scout/base/error.h"
#include <stdio.h>
#include <stdlib.h>

#define CALL(id, tool, text)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"" tool    \
    "\",\"arguments\":{\"text\":\"" text "\"}}}"
#define TEXT(id, text)                                                                             \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                              \
    ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}],\"isError\":false}}"
#define CANCEL(id)                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":" id "}}"
#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define PONG(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{}}"
#define TAKEN(id)                                                                                  \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                              \
    ",\"error\":{\"code\":-32600,\"message\":\"Invalid request: "                                  \
    "a request with this id is in flight\"}}"
#define INITIALIZE(revision)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":\"i\",\"method\":\"initialize\",\"params\":"                      \
    "{\"protocolVersion\":\"" revision "\"}}"

/* As many calls of `wait` as may be in flight; their ids and texts are 0, 1, 2, … */
static void open_full(struct client *c)
{
    char line[256];
    client_open(c, MCP_OUT_MAX);
    assert_int_equal(client_feed(c, INITIALIZE("2025-03-26") "\n"), 0);
    buf_clear(&c->out);
    for (int i = 0; i < MCP_IN_FLIGHT_MAX; i++) {
        assert_true(mcp_session_wants_input(c->session));
        snprintf(line, sizeof line, CALL("%d", "wait", "%d") "\n", i, i);
        assert_int_equal(client_feed(c, line), 0);
    }
    assert_int_equal(mcp_session_in_flight(c->session), MCP_IN_FLIGHT_MAX);
}

static void a_call_is_cancelled_at_once(void **state)
{
    struct client c;
    (void)state;
    open_full(&c);
    c.cancel_mode = CANCEL_LATER;
    client_expect(&c, CANCEL("200"), NULL);
    assert_int_equal(c.cancels, 1);
    c.cancel_mode = CANCEL_AT_ONCE;
    client_expect(&c, CALL("\"a\"", "echo", "first"), NULL);
    client_expect(&c, CALL("\"b\"", "echo", "second"), NULL);
    /* Its place goes to those that wait, in order. */
    client_expect(&c, CANCEL("100"), TEXT("\"a\"", "first") "\n" TEXT("\"b\"", "second") "\n");
    assert_int_equal(c.cancels, 2);
    assert_int_equal(mcp_session_in_flight(c.session), MCP_IN_FLIGHT_MAX - 1);
    client_close(&c);
}

static void calls_wait_in_order(void **state)
{
    struct client c;
    (void)state;
    open_full(&c);
    client_expect(&c, CALL("\"a\"", "wait", "a"), NULL);
    client_expect(&c, CALL("\"b\"", "echo", "b"), NULL);
    client_expect(&c, CALL("\"c\"", "wait", "c"), NULL);
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":\"d\",\"method\":\"nope\"}", NULL);
    assert_int_equal(c.rooms, 0);
    assert_int_equal(c.waiting_count, MCP_IN_FLIGHT_MAX);
    client_finish(&c, "17");
    client_expect_out(&c, TEXT("17", "17") "\n");
    assert_int_equal(c.waiting_count, MCP_IN_FLIGHT_MAX);
    client_finish(&c, "a");
    client_expect_out(&c, TEXT("\"a\"", "a") "\n" TEXT("\"b\"", "b") "\n");
    client_finish(&c, "c");
    client_expect_out(
        &c, TEXT("\"c\"", "c") "\n"
                               "{\"jsonrpc\":\"2.0\",\"id\":\"d\",\"error\":{\"code\":-32601,"
                               "\"message\":\"Method not found: nope\"}}\n");
    client_close(&c);
}

static void a_waiting_call_that_is_cancelled_never_begins(void **state)
{
    struct client c;
    (void)state;
    open_full(&c);
    uint64_t begun = c.stats.tool_calls;
    client_expect(&c, CALL("\"a\"", "echo", "a"), NULL);
    client_expect(&c, CALL("\"b\"", "echo", "b"), NULL);
    client_expect(&c, CANCEL("\"\\u0061\""), NULL);
    client_expect(&c, CANCEL("\"a\""), NULL);
    client_finish(&c, "0");
    client_expect_out(&c, TEXT("0", "0") "\n" TEXT("\"b\"", "b") "\n");
    assert_int_equal(c.stats.tool_calls, begun + 1);
    assert_int_equal(c.cancels, 0);
    client_close(&c);
}

static void what_takes_no_place_does_not_wait(void **state)
{
    struct client c;
    (void)state;
    open_full(&c);
    client_expect(&c, CALL("\"a\"", "echo", "a"), NULL);
    client_expect(&c, PING("\"p\""), PONG("\"p\"") "\n");
    client_expect(&c, CALL("5", "echo", "x"), TAKEN("5") "\n");
    client_expect(&c, CALL("\"a\"", "echo", "x"), TAKEN("\"a\"") "\n");
    client_expect(&c, "{}",
                  "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid request: "
                  "the member \\\"jsonrpc\\\" must be \\\"2.0\\\"\"}}\n");
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", NULL);
    client_finish(&c, "0");
    client_expect_out(&c, TEXT("0", "0") "\n" TEXT("\"a\"", "a") "\n");
    client_close(&c);
}

/* A cancellation that overtook the batch it is about would be lost. */
static void a_batch_waits_and_may_be_cancelled_in_part(void **state)
{
    struct client c;
    (void)state;
    open_full(&c);
    client_expect(&c, "[" CALL("\"a\"", "wait", "a") "," PING("\"p\"") "]", NULL);
    client_expect(&c, CANCEL("\"a\""), NULL);
    client_expect(&c, CANCEL("3"), "[" PONG("\"p\"") "]\n");
    assert_int_equal(c.cancels, 2);
    assert_int_equal(mcp_session_in_flight(c.session), MCP_IN_FLIGHT_MAX - 1);
    client_close(&c);
    /* The revision is that of the batch's own place in the order. */
    open_full(&c);
    client_expect(&c, "[" PING("\"p\"") "]", NULL);
    client_expect(&c, INITIALIZE("2025-11-25"), NULL);
    client_finish(&c, "0");
    size_t first = sizeof(TEXT("0", "0") "\n") - 1;
    assert_true(buf_len(&c.out) > first);
    buf_consume(&c.out, first);
    assert_memory_equal(buf_peek(&c.out).data, "[" PONG("\"p\"") "]\n",
                        sizeof("[" PONG("\"p\"") "]\n") - 1);
    client_close(&c);
}

static const char *const mixed[] = {
    CALL("\"a\"", "echo", "a"),
    CALL("\"b\"", "wait", "b"),
    PING("\"p\""),
    CALL("\"c\"", "echo", "c"),
    CANCEL("\"a\""),
    "not json",
    CALL("7", "echo", "x"),
    "[" CALL("\"d\"", "wait", "d") "," CALL("\"e\"", "echo", "e") "]",
    CANCEL("\"d\""),
    "",
    CANCEL("9"),
    CANCEL("10"),
    CALL("\"f\"", "echo", "f"),
};

static size_t join_mixed(char *out, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < sizeof mixed / sizeof mixed[0]; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", mixed[i], i % 2 ? "\n" : "\r\n");
    assert_true(len < size);
    return len;
}

/* However the bytes are cut, the same happens in the same order. */
static void every_split_gives_the_same_answers(void **state)
{
    struct client whole, parts;
    char input[4096];
    size_t len = join_mixed(input, sizeof input);
    (void)state;
    open_full(&whole);
    assert_int_equal(client_feed(&whole, input), 0);
    for (size_t cut = 0; cut <= len; cut++) {
        open_full(&parts);
        assert_int_equal(mcp_session_feed(parts.session, slice_of(input, cut)), 0);
        /* With one byte at a time, once. */
        size_t piece = cut == 0 ? 1 : len;
        for (size_t at = cut; at < len; at += piece) {
            size_t left = len - at < piece ? len - at : piece;
            assert_int_equal(mcp_session_feed(parts.session, slice_of(input + at, left)), 0);
        }
        assert_true(slice_equal(buf_peek(&parts.out), buf_peek(&whole.out)));
        assert_int_equal(parts.cancels, 3);
        client_close(&parts);
    }
    static const char refused[] = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":"
                                  "\"Parse error: not valid JSON\","
                                  "\"data\":{\"reason\":\"syntax\",\"offset\":1}}}\n";
    char expected[2048];
    snprintf(expected, sizeof expected, "%s\n%s%s\n%s\n%s\n%s\n", PONG("\"p\""), refused,
             TAKEN("7"), TEXT("\"c\"", "c"), "[" TEXT("\"e\"", "e") "]", TEXT("\"f\"", "f"));
    client_expect_out(&whole, expected);
    client_close(&whole);
}

static void so_many_may_wait(void **state)
{
    struct client c;
    char line[256];
    (void)state;
    open_full(&c);
    for (int i = 0; i < MCP_WAITING_MAX; i++) {
        assert_true(mcp_session_wants_input(c.session));
        snprintf(line, sizeof line, CALL("\"w%d\"", "echo", "%d") "\n", i, i);
        assert_int_equal(client_feed(&c, line), 0);
    }
    assert_false(mcp_session_wants_input(c.session));
    /* Not looked at any more, but kept. */
    client_expect(&c, CANCEL("3"), NULL);
    client_expect(&c, PING("\"p\""), NULL);
    assert_int_equal(c.cancels, 0);
    assert_int_equal(c.rooms, 0);
    client_finish(&c, "0");
    assert_int_equal(c.rooms, 1);
    assert_true(mcp_session_wants_input(c.session));
    assert_int_equal(c.cancels, 1);
    assert_int_equal(c.stats.tool_calls, MCP_IN_FLIGHT_MAX + MCP_WAITING_MAX);
    client_close(&c);
}

/* A call of `echo` whose line, its end included, has `len` bytes. */
static char *padded_call(size_t len, int id)
{
    char *line = malloc(len + 1);
    assert_non_null(line);
    memset(line, ' ', len);
    int head = snprintf(line, len, CALL("\"%d\"", "echo", "x"), id);
    line[head] = ' ';
    line[len - 1] = '\n';
    line[len] = '\0';
    return line;
}

static void so_much_may_wait(void **state)
{
    const size_t piece = 1024 * 1024;
    struct client c;
    (void)state;
    open_full(&c);
    size_t fed = 0;
    for (int i = 0; mcp_session_wants_input(c.session); i++) {
        char *line = padded_call(piece, i);
        assert_int_equal(client_feed(&c, line), 0);
        free(line);
        fed += piece;
    }
    assert_true(fed >= MCP_INPUT_HIGH - 4096 && fed <= MCP_INPUT_HIGH);
    client_expect(&c, CANCEL("3"), NULL);
    assert_int_equal(c.cancels, 0);
    client_finish(&c, "0");
    assert_int_equal(c.cancels, 1);
    client_close(&c);

    /* An owner that goes on feeding meets the cap. */
    open_full(&c);
    int result = 0;
    for (int i = 0; result == 0 && i < 20; i++) {
        char *line = padded_call(piece, i);
        result = client_feed(&c, line);
        free(line);
        fed = (size_t)i * piece;
    }
    assert_int_equal(result, SCOUT_E_LIMIT);
    assert_int_equal(fed, 7 * piece);
    client_close(&c);
}

/* What is waited for must not be read again for each byte, or line, that comes. */
static void much_that_waits_costs_no_more(void **state)
{
    struct client c;
    char line[256];
    (void)state;
    open_full(&c);
    char *large = padded_call(MCP_LINE_MAX, 0);
    for (size_t at = 0; at < MCP_LINE_MAX; at++)
        assert_int_equal(mcp_session_feed(c.session, slice_of(large + at, 1)), 0);
    for (int i = 1; i < MCP_WAITING_MAX - 1; i++) {
        snprintf(line, sizeof line, CALL("\"%d\"", "echo", "x") "\n", i);
        assert_int_equal(client_feed(&c, line), 0);
    }
    for (int i = 0; i < 100000; i++)
        assert_int_equal(client_feed(&c, CANCEL("\"nothing\"") "\n"), 0);
    client_expect(&c, PING("\"p\""), PONG("\"p\"") "\n");
    for (int i = 0; i < MCP_WAITING_MAX - 1; i++) {
        snprintf(line, sizeof line, CANCEL("\"%d\"") "\n", i);
        assert_int_equal(client_feed(&c, line), 0);
    }
    client_finish(&c, "0");
    client_expect_out(&c, TEXT("0", "0") "\n");
    free(large);
    client_close(&c);
}

/* Unsent output holds back what waits, too. */
static void nothing_is_looked_at_while_much_is_unsent(void **state)
{
    struct client c;
    (void)state;
    open_full(&c);
    client_expect(&c, CALL("\"a\"", "echo", "a"), NULL);
    c.pending = MCP_OUT_HIGH;
    assert_false(mcp_session_wants_input(c.session));
    client_expect(&c, CANCEL("3"), NULL);
    client_expect(&c, PING("\"p\""), NULL);
    client_finish(&c, "0");
    client_expect_out(&c, TEXT("0", "0") "\n");
    assert_int_equal(c.cancels, 0);
    c.pending = 0;
    assert_int_equal(mcp_session_continue(c.session), 0);
    client_expect_out(&c, TEXT("\"a\"", "a") "\n" PONG("\"p\"") "\n");
    assert_int_equal(c.cancels, 1);
    client_close(&c);
}

static void freeing_forgets_what_waits(void **state)
{
    struct client c;
    (void)state;
    open_full(&c);
    client_expect(&c, CALL("\"a\"", "echo", "a"), NULL);
    client_expect(&c, "[" PING("\"p\"") "]", NULL);
    c.cancel_mode = CANCEL_LATER;
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_cancelled_at_once),
        cmocka_unit_test(calls_wait_in_order),
        cmocka_unit_test(a_waiting_call_that_is_cancelled_never_begins),
        cmocka_unit_test(what_takes_no_place_does_not_wait),
        cmocka_unit_test(a_batch_waits_and_may_be_cancelled_in_part),
        cmocka_unit_test(every_split_gives_the_same_answers),
        cmocka_unit_test(so_many_may_wait),
        cmocka_unit_test(so_much_may_wait),
        cmocka_unit_test(much_that_waits_costs_no_more),
        cmocka_unit_test(nothing_is_looked_at_while_much_is_unsent),
        cmocka_unit_test(freeing_forgets_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
