/* Both lifecycles, in the exact bytes that a client sees. */
#include "client.h"

#include <stdio.h>

#define ERROR(id, code, message)                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" message       \
    "\"}}\n"
#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define SERVER_META                                                                                \
    "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"test_mcp\","                    \
    "\"version\":\"1.2.3\"}}"
#define SERVER_INFO "\"serverInfo\":{\"name\":\"test_mcp\",\"version\":\"1.2.3\"}"
#define TOOLS                                                                                      \
    "\"tools\":[{\"name\":\"echo\",\"title\":\"Echo\",\"description\":\"Says it again\","          \
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\","          \
    "\"description\":\"Any text\"}},\"required\":[\"text\"],\"additionalProperties\":false},"      \
    "\"annotations\":{\"readOnlyHint\":true,\"destructiveHint\":false,"                            \
    "\"idempotentHint\":false,\"openWorldHint\":false}},"                                          \
    "{\"name\":\"wait\",\"title\":\"Wait\",\"description\":\"Waits\","                             \
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\","          \
    "\"description\":\"Any text\"}},\"required\":[\"text\"],\"additionalProperties\":false},"      \
    "\"annotations\":{\"readOnlyHint\":true,\"destructiveHint\":false,"                            \
    "\"idempotentHint\":false,\"openWorldHint\":false}},"                                          \
    "{\"name\":\"big\",\"title\":\"Big\",\"description\":\"Says much\","                           \
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"bytes\":{\"type\":\"integer\","        \
    "\"description\":\"How many\",\"minimum\":0,\"maximum\":200000000}},"                          \
    "\"required\":[\"bytes\"],\"additionalProperties\":false},"                                    \
    "\"annotations\":{\"readOnlyHint\":true,\"destructiveHint\":false,"                            \
    "\"idempotentHint\":false,\"openWorldHint\":false}},"                                          \
    "{\"name\":\"fail\",\"title\":\"Fail\",\"description\":\"Fails\","                             \
    "\"inputSchema\":{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false},"      \
    "\"annotations\":{\"readOnlyHint\":true,\"destructiveHint\":false,"                            \
    "\"idempotentHint\":false,\"openWorldHint\":false}}]"

static void a_legacy_client_from_start_to_end(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    client_expect(&c,
                  "{\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
                  "\"capabilities\":{},\"clientInfo\":{\"name\":\"x\",\"version\":\"1\"}},"
                  "\"jsonrpc\":\"2.0\",\"id\":0}",
                  "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-11-25\","
                  "\"capabilities\":{\"tools\":{}}," SERVER_INFO "}}\n");
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", NULL);
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}",
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{" TOOLS "}}\n");
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"tools/call\",\"params\":"
                  "{\"name\":\"echo\",\"arguments\":{\"text\":\"h\\u00e4\"},"
                  "\"_meta\":{\"progressToken\":7}}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"result\":{\"content\":[{\"type\":\"text\","
                  "\"text\":\"h\xC3\xA4\"}],\"isError\":false}}\n");
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"resources/list\"}",
                  ERROR("3", "-32601", "Method not found: resources/list"));
    client_close(&c);
    assert_int_equal(c.stats.messages, 6);
    assert_int_equal(c.stats.requests, 5);
    assert_int_equal(c.stats.notifications, 1);
    assert_int_equal(c.stats.tool_calls, 1);
    assert_int_equal(c.stats.malformed, 0);
}

static void a_modern_client_needs_no_handshake(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":\"probe\",\"method\":\"server/discover\","
                  "\"params\":{" META "}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":\"probe\",\"result\":{\"resultType\":\"complete\","
                  "\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}},"
                  "\"ttlMs\":60000,\"cacheScope\":\"private\"," SERVER_META "}}\n");
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META "}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"resultType\":\"complete\"," TOOLS
                  ",\"ttlMs\":60000,\"cacheScope\":\"private\"," SERVER_META "}}\n");
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":"
                  "{\"name\":\"echo\",\"arguments\":{\"text\":\"x\"}," META "}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"resultType\":\"complete\","
                  "\"content\":[{\"type\":\"text\",\"text\":\"x\"}],\"isError\":false," SERVER_META
                  "}}\n");
    client_close(&c);
}

static void instructions_are_told_in_both(void **state)
{
    struct client c;
    (void)state;
    client_open_with(&c, MCP_OUT_MAX, "Ask \"scout\"");
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                  "\"params\":{\"protocolVersion\":\"2025-11-25\"}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-11-25\","
                  "\"capabilities\":{\"tools\":{}}," SERVER_INFO
                  ",\"instructions\":\"Ask \\\"scout\\\"\"}}\n");
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"server/discover\","
                  "\"params\":{" META "}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"resultType\":\"complete\","
                  "\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}},"
                  "\"instructions\":\"Ask \\\"scout\\\"\",\"ttlMs\":60000,"
                  "\"cacheScope\":\"private\"," SERVER_META "}}\n");
    client_close(&c);
}

static void legacy_versions_are_negotiated(void **state)
{
    static const char *const cases[][2] = {
        {"2024-11-05", "2024-11-05"}, {"2025-03-26", "2025-03-26"}, {"2025-06-18", "2025-06-18"},
        {"2025-11-25", "2025-11-25"}, {"2026-07-28", "2025-11-25"}, {"2024-10-07", "2025-11-25"},
        {"", "2025-11-25"},           {"999", "2025-11-25"},
    };
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[256], answer[256];
        snprintf(line, sizeof line,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
                 "\"params\":{\"protocolVersion\":\"%s\"}}",
                 cases[i][0]);
        snprintf(answer, sizeof answer,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"%s\","
                 "\"capabilities\":{\"tools\":{}}," SERVER_INFO "}}\n",
                 cases[i][1]);
        client_expect(&c, line, answer);
    }
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}",
                  ERROR("1", "-32602", "Invalid params: \\\"protocolVersion\\\" must be a string"));
    client_close(&c);
}

static void a_modern_request_must_say_who_it_is(void **state)
{
#define LIST(meta)                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/list\",\"params\":{\"_meta\":{" meta "}}}"
#define CAPABILITIES  "\"io.modelcontextprotocol/clientCapabilities\":{}"
#define VERSION(text) "\"io.modelcontextprotocol/protocolVersion\":" text
    static const char no_version[] = ERROR("9", "-32602",
                                           "Invalid params: _meta needs a string "
                                           "\\\"io.modelcontextprotocol/protocolVersion\\\"");
    static const char no_capabilities[] =
        ERROR("9", "-32602",
              "Invalid params: _meta needs an object "
              "\\\"io.modelcontextprotocol/clientCapabilities\\\"");
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    client_expect(&c, LIST(CAPABILITIES), no_version);
    client_expect(&c, LIST("\"io.modelcontextprotocol/clientInfo\":{}"), no_version);
    client_expect(&c, LIST(VERSION("5") "," CAPABILITIES), no_version);
    client_expect(&c, LIST(VERSION("\"2026-07-28\"")), no_capabilities);
    client_expect(&c,
                  LIST(VERSION("\"2026-07-28\"") ",\"io.modelcontextprotocol/clientCapabilities\""
                                                 ":[]"),
                  no_capabilities);
    client_expect(&c, LIST(VERSION("\"v\\u00e4999\"") "," CAPABILITIES),
                  "{\"jsonrpc\":\"2.0\",\"id\":9,\"error\":{\"code\":-32022,"
                  "\"message\":\"Unsupported protocol version\",\"data\":{"
                  "\"supported\":[\"2026-07-28\"],\"requested\":\"v\\u00e4999\"}}}\n");
    client_expect(&c, LIST(VERSION("\"2025-11-25\"") "," CAPABILITIES),
                  "{\"jsonrpc\":\"2.0\",\"id\":9,\"error\":{\"code\":-32022,"
                  "\"message\":\"Unsupported protocol version\",\"data\":{"
                  "\"supported\":[\"2026-07-28\"],\"requested\":\"2025-11-25\"}}}\n");
    /* A probe without `_meta` asks for a method that only the modern revision has. */
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"server/discover\"}", no_version);
    client_close(&c);
}

static void methods_of_the_other_era_are_unknown(void **state)
{
    static const char *const methods[] = {"initialize",       "ping",
                                          "logging/setLevel", "resources/subscribe",
                                          "unknown/method",   "notifications/initialized"};
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char line[512], answer[256];
        snprintf(line, sizeof line,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{"
                 "\"protocolVersion\":\"2025-11-25\"," META "}}",
                 methods[i]);
        snprintf(answer, sizeof answer, ERROR("1", "-32601", "Method not found: %s"), methods[i]);
        client_expect(&c, line, answer);
    }
    client_close(&c);
}

/* One connection may carry both: the era belongs to the request. */
static void eras_mix_on_one_connection(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":"
                  "{\"protocolVersion\":\"2024-11-05\"}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2024-11-05\","
                  "\"capabilities\":{\"tools\":{}}," SERVER_INFO "}}\n");
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":"
                  "{\"name\":\"echo\",\"arguments\":{\"text\":\"x\"}," META "}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"resultType\":\"complete\","
                  "\"content\":[{\"type\":\"text\",\"text\":\"x\"}],\"isError\":false," SERVER_META
                  "}}\n");
    client_expect(&c, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"ping\"}",
                  "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}\n");
    /* Members of `_meta` that legacy revisions have too do not make a request modern. */
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"ping\",\"params\":{\"_meta\":"
                  "{\"progressToken\":1,\"io.modelcontextprotocol/related-task\":{}}}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{}}\n");
    client_close(&c);
}

static void cursors_are_refused_since_none_was_given_out(void **state)
{
    struct client c;
    (void)state;
    client_open(&c, MCP_OUT_MAX);
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
                  "\"params\":{\"cursor\":\"\"}}",
                  ERROR("1", "-32602", "Invalid params: unknown cursor"));
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
                  "\"params\":{\"cursor\":\"x\"," META "}}",
                  ERROR("1", "-32602", "Invalid params: unknown cursor"));
    client_expect(&c,
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
                  "\"params\":{\"cursor\":null}}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{" TOOLS "}}\n");
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_legacy_client_from_start_to_end),
        cmocka_unit_test(a_modern_client_needs_no_handshake),
        cmocka_unit_test(instructions_are_told_in_both),
        cmocka_unit_test(legacy_versions_are_negotiated),
        cmocka_unit_test(a_modern_request_must_say_who_it_is),
        cmocka_unit_test(methods_of_the_other_era_are_unknown),
        cmocka_unit_test(eras_mix_on_one_connection),
        cmocka_unit_test(cursors_are_refused_since_none_was_given_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
