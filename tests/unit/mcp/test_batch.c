/* Batches, which a client of 2025-03-26 may send. */
#include "client.h"

#include <stdio.h>

#define PING(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"ping\"}"
#define PONG(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{}}"
#define WAIT(id, text)                                                                             \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"wait\","  \
    "\"arguments\":{\"text\":\"" text "\"}}}"
#define TEXT(id, text)                                                                             \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                              \
    ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}],\"isError\":false}}"
#define CANCEL(id)                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":" id "}}"
#define REFUSED(why)                                                                               \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid request: " why "\"}}"

static void open_with_batches(struct client *c, size_t out_max)
{
    client_open(c, out_max);
    assert_int_equal(client_feed(c, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                                    "\"params\":{\"protocolVersion\":\"2025-03-26\"}}\n"),
                     0);
    buf_clear(&c->out);
}

static void a_batch_is_answered_by_one_array(void **state)
{
    struct client c;
    (void)state;
    open_with_batches(&c, MCP_OUT_MAX);
    client_expect(&c, "[" PING("1") "]", "[" PONG("1") "]\n");
    client_expect(
        &c,
        " [ " PING("1") " , {\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"},5,{}," PING(
            "\"2\"") " ] ",
        "[" PONG("1") "," REFUSED("not an object") "," REFUSED(
            "the member \\\"jsonrpc\\\" must be \\\"2.0\\\"") "," PONG("\"2\"") "]\n");
    client_expect(&c, "[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}]", NULL);
    client_close(&c);
}

static void the_array_comes_when_all_is_done(void **state)
{
    struct client c;
    (void)state;
    open_with_batches(&c, MCP_OUT_MAX);
    client_expect(&c, "[" WAIT("1", "one") "," PING("2") "," WAIT("3", "three") "]", NULL);
    client_expect(&c, PING("4"), PONG("4") "\n");
    client_finish(&c, "three");
    client_expect_out(&c, NULL);
    client_finish(&c, "one");
    client_expect_out(&c, "[" PONG("2") "," TEXT("3", "three") "," TEXT("1", "one") "]\n");
    client_close(&c);
}

static void cancelled_ones_are_left_out(void **state)
{
    struct client c;
    (void)state;
    for (int later = 0; later <= 1; later++) {
        open_with_batches(&c, MCP_OUT_MAX);
        c.cancel_mode = later ? CANCEL_LATER : CANCEL_AT_ONCE;
        client_expect(&c, "[" WAIT("1", "one") "," WAIT("2", "two") "]", NULL);
        client_expect(&c, CANCEL("1"), NULL);
        if (later)
            client_finish(&c, "one");
        client_finish(&c, "two");
        client_expect_out(&c, "[" TEXT("2", "two") "]\n");
        /* Nothing is left to answer; also when the batch cancels its own call. */
        client_expect(&c, "[" WAIT("1", "one") "," CANCEL("1") "]", NULL);
        if (later)
            client_finish(&c, "one");
        client_expect_out(&c, NULL);
        assert_int_equal(mcp_session_in_flight(c.session), 0);
        client_close(&c);
    }
}

static void what_a_batch_may_not_be(void **state)
{
    struct client c;
    char line[4096] = "[";
    (void)state;
    open_with_batches(&c, MCP_OUT_MAX);
    client_expect(&c, "[]", REFUSED("the batch is empty") "\n");
    client_expect(&c, "[[" PING("1") "]]", "[" REFUSED("not an object") "]\n");
    client_expect(&c,
                  "[{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"initialize\",\"params\":"
                  "{\"protocolVersion\":\"2025-11-25\"}}]",
                  "[{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32600,\"message\":"
                  "\"Invalid request: \\\"initialize\\\" cannot be part of a batch\"}}]\n");
    for (int i = 0; i < 65; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), "%s%d", i ? "," : "", i);
    strcat(line, "]");
    client_expect(&c, line, REFUSED("too many messages in a batch") "\n");
    /* A later handshake with another revision takes batches away again. */
    assert_int_equal(client_feed(&c, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                                     "\"params\":{\"protocolVersion\":\"2025-06-18\"}}\n"),
                     0);
    buf_clear(&c.out);
    client_expect(&c, "[" PING("1") "]",
                  REFUSED("batches are not part of this protocol revision") "\n");
    client_close(&c);
}

static void an_id_twice_in_a_batch_is_refused_once(void **state)
{
    struct client c;
    (void)state;
    open_with_batches(&c, MCP_OUT_MAX);
    client_expect(&c, "[" WAIT("1", "one") "," WAIT("1", "two") "]", NULL);
    client_finish(&c, "one");
    client_expect_out(
        &c, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32600,\"message\":"
            "\"Invalid request: a request with this id is in flight\"}}," TEXT("1", "one") "]\n");
    client_close(&c);
}

static void freeing_with_a_batch_half_done(void **state)
{
    struct client c;
    (void)state;
    for (int later = 0; later <= 1; later++) {
        open_with_batches(&c, MCP_OUT_MAX);
        c.cancel_mode = later ? CANCEL_LATER : CANCEL_AT_ONCE;
        client_expect(&c, "[" WAIT("1", "one") "," PING("2") "," WAIT("3", "three") "]", NULL);
        client_close(&c);
    }
}

/* One answer over the batch's cap becomes an error in the array; the others stay. */
static void an_answer_over_the_batch_cap_becomes_an_error(void **state)
{
    struct client c;
    (void)state;
    open_with_batches(&c, MCP_OUT_MAX);
    client_expect(
        &c,
        "[" PING("1") ",{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\","
                      "\"params\":{\"name\":\"big\",\"arguments\":{\"bytes\":17000000}}}," PING(
                          "3") "]",
        "[" PONG("1") ",{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32603,"
                      "\"message\":\"a limit was "
                      "reached\",\"data\":{\"code\":\"limit-exceeded\"}}}," PONG("3") "]\n");
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_answered_by_one_array),
        cmocka_unit_test(the_array_comes_when_all_is_done),
        cmocka_unit_test(cancelled_ones_are_left_out),
        cmocka_unit_test(what_a_batch_may_not_be),
        cmocka_unit_test(an_id_twice_in_a_batch_is_refused_once),
        cmocka_unit_test(freeing_with_a_batch_half_done),
        cmocka_unit_test(an_answer_over_the_batch_cap_becomes_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
