/* Envelopes: what is a message, and what is refused with which code. */
#include "client.h"

#include <stdio.h>

#define NO_ID(code, message)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" code ",\"message\":\"" message "\"}}\n"
#define WITH_ID(id, code, message)                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" message       \
    "\"}}\n"
#define BAD_JSON(text, reason, offset)                                                             \
    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse error: " text             \
    "\",\"data\":{\"reason\":\"" reason "\",\"offset\":" offset "}}}\n"

static void text_that_is_no_good_json_is_refused_with_its_reason(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    client_expect(&c, "{", BAD_JSON("not valid JSON", "syntax", "1"));
    client_expect(&c, "hello", BAD_JSON("not valid JSON", "syntax", "0"));
    client_expect(&c, "{\"id\":\"\xFF\"}", BAD_JSON("invalid UTF-8", "invalid-utf8", "7"));
    client_expect(&c, "{\"method\":\"ping\\u0000\"}",
                  BAD_JSON("a null byte (U+0000) is not allowed", "nul", "15"));
    client_expect(&c, "{\"id\":1,\"\\u0069d\":2}",
                  BAD_JSON("the key appears twice in one object", "duplicate-key", "8"));
    client_expect(&c, "[\"\\ud800\"]",
                  BAD_JSON("an escape is half of a surrogate pair", "lone-surrogate", "2"));
    char deep[80];
    memset(deep, '[', 65);
    deep[65] = '\0';
    client_expect(&c, deep, BAD_JSON("nested too deeply", "too-deep", "64"));
    assert_int_equal(mcp_session_feed(c.session, slice_of("[\0]\n", 4)), 0);
    client_expect_out(&c, BAD_JSON("a null byte (U+0000) is not allowed", "nul", "1"));
    /* The session goes on. */
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    assert_int_equal(c.stats.malformed, 8);
    client_close(&c);
}

#define BAD_REQUEST(id, text, reason, offset)                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                              \
    ",\"error\":{\"code\":-32700,\"message\":\"Parse error: " text                                 \
    "\",\"data\":{\"reason\":\"" reason "\",\"offset\":" offset "}}}\n"
#define NUL_TEXT  "a null byte (U+0000) is not allowed"
#define HALF_TEXT "an escape is half of a surrogate pair"
#define PING      "{\"jsonrpc\":\"2.0\",\"method\":\"ping\","

/* A client that is told nothing under its id waits until its own deadline. */
static void a_request_that_readers_would_differ_about_is_refused_under_its_id(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    client_expect(&c, PING "\"id\":7,\"params\":{\"a\":\"x\\u0000y\"}}",
                  BAD_REQUEST("7", NUL_TEXT, "nul", "56"));
    client_expect(&c, PING "\"params\":{\"a\":\"\\ud83d\"},\"id\":\"é\"}",
                  BAD_REQUEST("\"é\"", HALF_TEXT, "lone-surrogate", "48"));
    client_expect(&c, PING "\"id\":7,\"params\":{\"a\":1,\"\\u0061\":2}}",
                  BAD_REQUEST("7", "the key appears twice in one object", "duplicate-key", "56"));
    client_expect(&c, PING "\"id\":7,\"params\":{\"\\udc00\\ud800\":\"\\ud800\\u0000\"}}",
                  BAD_REQUEST("7", HALF_TEXT, "lone-surrogate", "51"));
    client_expect(&c, "{\"jsonrpc\":\"2.0\\u0000\",\"id\":7,\"method\":\"ping\"}",
                  BAD_JSON(NUL_TEXT, "nul", "15"));
    /* Which id it is cannot be told, or whether it is a request at all. */
    client_expect(&c, PING "\"id\":7,\"id\":8}",
                  BAD_JSON("the key appears twice in one object", "duplicate-key", "40"));
    client_expect(&c, PING "\"id\":\"\\u0000\"}", BAD_JSON(NUL_TEXT, "nul", "39"));
    client_expect(&c, PING "\"params\":[\"\\u0000\"]}", BAD_JSON(NUL_TEXT, "nul", "44"));
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"\\u0000\"}",
                  BAD_JSON(NUL_TEXT, "nul", "34"));
    client_expect(&c, PING "\"id\":7,\"params\":{\"a\":\"\\u0000\"},}",
                  BAD_JSON(NUL_TEXT, "nul", "55"));
    client_expect(&c, "[" PING "\"id\":7,\"params\":{\"a\":\"\\u0000\"}}]",
                  BAD_JSON(NUL_TEXT, "nul", "56"));
    client_close(&c);
}

static void what_is_no_request_is_refused(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    client_expect(&c, "5", NO_ID("-32600", "Invalid request: not an object"));
    client_expect(&c, "\"ping\"", NO_ID("-32600", "Invalid request: not an object"));
    client_expect(&c, "{}",
                  NO_ID("-32600", "Invalid request: the member \\\"jsonrpc\\\" must be "
                                  "\\\"2.0\\\""));
    client_expect(&c, "{\"id\":1,\"method\":\"ping\"}",
                  WITH_ID("1", "-32600",
                          "Invalid request: the member \\\"jsonrpc\\\" must be "
                          "\\\"2.0\\\""));
    client_expect(&c, "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}",
                  WITH_ID("1", "-32600",
                          "Invalid request: the member \\\"jsonrpc\\\" must be "
                          "\\\"2.0\\\""));
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":1}",
                  WITH_ID("1", "-32600", "Invalid request: the member \\\"method\\\" is missing"));
    client_expect(
        &c, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":5}",
        WITH_ID("\"a\"", "-32600", "Invalid request: the member \\\"method\\\" must be a string"));
    client_expect(
        &c, "[]",
        NO_ID("-32600", "Invalid request: batches are not part of this protocol revision"));
    client_expect(
        &c, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]",
        NO_ID("-32600", "Invalid request: batches are not part of this protocol revision"));
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}",
                  WITH_ID("1", "-32602", "Invalid params: must be an object"));
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"_meta\":1}}",
                  WITH_ID("1", "-32602", "Invalid params: \\\"_meta\\\" must be an object"));
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":null}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Ping\"}",
                  WITH_ID("1", "-32601", "Method not found: Ping"));
    client_close(&c);
}

static void ids_are_echoed_byte_for_byte(void **state)
{
    static const char *const good[] = {
        "0",
        "-1",
        "1",
        "\"1\"",
        "\"\"",
        "12345678901234567890123456789",
        "\"\\u0041\\n\\\"\"",
        "\"\xF0\x9F\x98\x80\"",
        "-0",
        "9007199254740993",
    };
    static const char *const bad[] = {"null", "true", "1.5", "1.0", "1e3", "1E3", "[]", "{}"};
    struct client c;
    char line[256], answer[256];
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\": %s ,\"method\":\"ping\"}",
                 good[i]);
        snprintf(answer, sizeof answer, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}\n", good[i]);
        client_expect(&c, line, answer);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"ping\"}", bad[i]);
        client_expect(&c, line,
                      NO_ID("-32600", "Invalid request: the id must be a string or an integer"));
    }
    client_close(&c);
}

static void ids_have_a_longest(void **state)
{
    struct client c;
    char id[300], line[512], answer[512];
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    for (int len = 256; len <= 257; len++) {
        memset(id, 'a', sizeof id);
        id[0] = id[len - 1] = '"';
        id[len] = '\0';
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"ping\"}", id);
        snprintf(answer, sizeof answer, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}\n", id);
        client_expect(&c, line,
                      len == 256 ? answer : NO_ID("-32600", "Invalid request: the id is too long"));
    }
    client_close(&c);
}

static void notifications_and_responses_get_no_answer(void **state)
{
    static const char *const lines[] = {
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/unknown\",\"params\":[]}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"echo\"}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
        "{\"requestId\":null}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
        "{\"requestId\":77,\"reason\":\"x\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"x\"}}",
        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":1,\"message\":\"x\"}}",
    };
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        client_expect(&c, lines[i], NULL);
    assert_int_equal(c.stats.tool_calls, 0);
    assert_int_equal(c.stats.notifications, 7);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_is_no_good_json_is_refused_with_its_reason),
        cmocka_unit_test(a_request_that_readers_would_differ_about_is_refused_under_its_id),
        cmocka_unit_test(what_is_no_request_is_refused),
        cmocka_unit_test(ids_are_echoed_byte_for_byte),
        cmocka_unit_test(ids_have_a_longest),
        cmocka_unit_test(notifications_and_responses_get_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
