/* Questions of a call to its client: as requests of the server's in the older revisions, as results
 * and new calls in 2026-07-28; and the state that travels through the client. */
#include "client.h"

#include "scout/base/time.h"
#include "scout/io/sim.h"
#include <stdio.h>

struct world {
    struct io *io;
    struct client c;
};

static void open_world(struct world *w)
{
    const struct io_sim_faults none = {0};
    memset(w, 0, sizeof *w);
    assert_int_equal(io_sim_open(&w->io, 1, &none), 0);
    client_open_in(&w->c, MCP_OUT_MAX, NULL, w->io, NULL);
    client_use_asking_tools(&w->c);
}

static void close_world(struct world *w)
{
    client_close(&w->c);
    io_free(w->io);
}

static void take(struct world *w, char *out, size_t size)
{
    io_run_once(w->io, 0);
    struct slice bytes = buf_peek(&w->c.out);
    assert_true(bytes.len < size);
    snprintf(out, size, "%.*s", (int)bytes.len, (const char *)bytes.data);
    buf_clear(&w->c.out);
}

static void expect(struct world *w, const char *line, const char *expected)
{
    char out[4096];
    assert_int_equal(client_feed(&w->c, line), 0);
    assert_int_equal(client_feed(&w->c, "\n"), 0);
    take(w, out, sizeof out);
    assert_string_equal(out, expected);
}

/* ---- the older revisions ---- */

#define CALL(tool)                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"" tool         \
    "\",\"arguments\":{}}}"
#define ANSWER(id, result) "{\"jsonrpc\":\"2.0\",\"id\":\"scout-" id "\",\"result\":" result "}"
#define QUESTION(id, rest) "{\"jsonrpc\":\"2.0\",\"id\":\"scout-" id "\",\"method\":" rest "}\n"
#define TEXT(text)                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"" text   \
    "\"}],"

static void initialize(struct world *w, const char *capabilities)
{
    char line[512], out[4096];
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
             "\"protocolVersion\":\"2025-11-25\",\"capabilities\":%s}}\n",
             capabilities);
    assert_int_equal(client_feed(&w->c, line), 0);
    take(w, out, sizeof out);
    assert_non_null(strstr(out, "2025-11-25"));
}

static void an_older_client_is_asked(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    initialize(&w, "{\"elicitation\":{},\"roots\":{}}");
    expect(&w, CALL("ask"),
           QUESTION("1", "\"elicitation/create\",\"params\":{\"message\":\"Who?\"}"));
    assert_int_equal(mcp_session_in_flight(w.c.session), 1);
    expect(&w, ANSWER("7", "{}"), ""); /* to nothing */
    expect(&w, ANSWER("1", "{\"action\":\"accept\"}"),
           QUESTION("2", "\"elicitation/create\",\"params\":{}") QUESTION("3", "\"roots/list\""));
    expect(&w, ANSWER("1", "{}"), ""); /* a second time */
    expect(&w, ANSWER("3", "{\"roots\":[]}"), "");
    expect(&w, ANSWER("2", "{\"n\":1}"),
           TEXT("{\\\"n\\\":1} after {\\\"action\\\":\\\"accept\\\"}") "\"isError\":false}}\n");
    assert_int_equal(mcp_session_in_flight(w.c.session), 0);
    close_world(&w);
}

static void one_that_cannot_be_asked_is_told(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    initialize(&w, "{\"roots\":{}}");
    expect(&w, CALL("ask"),
           TEXT("Error: The client cannot be asked what has to be known: it does not declare the "
                "capability for it") "\"isError\":true}}\n");
    close_world(&w);
}

static void errors_time_and_cancellation_end_it(void **state)
{
    struct world w;
    char out[4096];
    (void)state;
    open_world(&w);
    initialize(&w, "{\"elicitation\":{},\"roots\":{}}");
    assert_int_equal(client_feed(&w.c, CALL("ask") "\n"), 0);
    take(&w, out, sizeof out);
    expect(&w,
           "{\"jsonrpc\":\"2.0\",\"id\":\"scout-1\",\"error\":{\"code\":-1,\"message\":\"no\"}}",
           TEXT("Error: The client could not answer what it was asked") "\"isError\":true}}\n");
    assert_int_equal(client_feed(&w.c, CALL("ask") "\n"), 0);
    take(&w, out, sizeof out);
    expect(
        &w,
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}",
        "");
    assert_int_equal(mcp_session_in_flight(w.c.session), 0);
    expect(&w, ANSWER("2", "{}"), "");
    assert_int_equal(client_feed(&w.c, CALL("ask") "\n"), 0);
    take(&w, out, sizeof out);
    for (uint64_t end = io_now(w.io) + 700 * (uint64_t)NS_PER_S; io_now(w.io) < end;)
        io_run_once(w.io, end - io_now(w.io));
    take(&w, out, sizeof out);
    assert_string_equal(out,
                        TEXT("Error: The client did not answer in time") "\"isError\":true}}\n");
    /* Freed while it waits. */
    assert_int_equal(client_feed(&w.c, CALL("ask") "\n"), 0);
    close_world(&w);
}

static void a_persons_word_is_asked_about_once(void **state)
{
    struct world w;
    char out[4096];
    (void)state;
    for (int approved = 0; approved < 2; approved++) {
        open_world(&w);
        initialize(&w, "{\"elicitation\":{}}");
        expect(&w, CALL("confirm"),
               QUESTION("1", "\"elicitation/create\",\"params\":{\"mode\":\"form\",\"message\":"
                             "\"Run scout approve 7\",\"requestedSchema\":{\"type\":\"object\","
                             "\"properties\":{}}}"));
        w.c.approved = approved;
        assert_int_equal(client_feed(&w.c, ANSWER("1", "{\"action\":\"accept\"}") "\n"), 0);
        take(&w, out, sizeof out);
        assert_non_null(strstr(out, approved ? "\"done\"" : "Error: Run scout approve 7"));
        close_world(&w);
    }
}

/* ---- 2026-07-28 ---- */

#define META(capabilities)                                                                         \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":" capabilities "}"

/* Calls `ask` with that member of params beside; the state of the answer goes to `state_out`. */
static void call(struct world *w, const char *capabilities, const char *more, char *out,
                 size_t size, char *state_out)
{
    char line[4096];
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"ask\","
             "\"arguments\":{}%s," META("%s") "}}\n",
             more, capabilities);
    assert_int_equal(client_feed(&w->c, line), 0);
    take(w, out, size);
    const char *at = strstr(out, "\"requestState\":\"");
    state_out[0] = '\0';
    if (at)
        snprintf(state_out, 1024, "%.*s", (int)strcspn(at + 16, "\""), at + 16);
}

#define ALL "{\"elicitation\":{},\"roots\":{}}"

static void a_modern_client_calls_again(void **state)
{
    struct world w;
    char out[4096], more[2048], sealed[1024], next[1024];
    (void)state;
    open_world(&w);
    call(&w, ALL, "", out, sizeof out, sealed);
    assert_non_null(strstr(out, "\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{"
                                "\"name\":{\"method\":\"elicitation/create\",\"params\":{"
                                "\"message\":\"Who?\"}}},\"requestState\":\""));
    snprintf(more, sizeof more,
             ",\"requestState\":\"%s\",\"inputResponses\":{\"name\":{\"a\":1},\"x\":{}}", sealed);
    call(&w, ALL, more, out, sizeof out, next);
    assert_non_null(strstr(out, "\"roots\":{\"method\":\"roots/list\"}"));
    assert_string_not_equal(next, sealed);
    snprintf(more, sizeof more, ",\"requestState\":\"%s\",\"inputResponses\":{\"age\":{\"n\":2}}",
             next);
    call(&w, ALL, more, out, sizeof out, sealed);
    assert_non_null(strstr(out, "{\\\"n\\\":2} after {\\\"a\\\":1}"));
    assert_non_null(strstr(out, "\"resultType\":\"complete\""));

    /* Any other character of the state, another call, or too late: refused. */
    for (size_t i = 0; i < strlen(next); i++) {
        char wrong[1024];
        strcpy(wrong, next);
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        snprintf(more, sizeof more, ",\"requestState\":\"%s\"", wrong);
        call(&w, ALL, more, out, sizeof out, sealed);
        assert_non_null(strstr(out, "\"code\":-32602"));
    }
    snprintf(more, sizeof more, ",\"requestState\":\"%s\"", next);
    call(&w, ALL, more, out, sizeof out, sealed);
    assert_null(strstr(out, "\"error\""));
    char line[4096];
    snprintf(
        line, sizeof line,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\","
        "\"arguments\":{\"text\":\"a\"}%s," META(ALL) "}}\n",
        more);
    assert_int_equal(client_feed(&w.c, line), 0);
    take(&w, out, sizeof out);
    assert_non_null(strstr(out, "\"code\":-32602"));
    for (uint64_t end = io_now(w.io) + 700 * (uint64_t)NS_PER_S; io_now(w.io) < end;)
        io_run_once(w.io, end - io_now(w.io));
    call(&w, ALL, more, out, sizeof out, sealed);
    assert_non_null(strstr(out, "too old"));

    call(&w, "{\"roots\":{}}", "", out, sizeof out, sealed);
    assert_non_null(strstr(out, "\"code\":-32021"));
    assert_non_null(strstr(out, "\"data\":{\"requiredCapabilities\":{\"elicitation\":{}}}"));
    call(&w, ALL, ",\"inputResponses\":[]", out, sizeof out, sealed);
    assert_non_null(strstr(out, "\"code\":-32602"));
    call(&w, ALL, ",\"inputResponses\":{\"name\":{},\"age\":5}", out, sizeof out, sealed);
    assert_non_null(strstr(out, "\"code\":-32602"));
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_client_is_asked),
        cmocka_unit_test(one_that_cannot_be_asked_is_told),
        cmocka_unit_test(errors_time_and_cancellation_end_it),
        cmocka_unit_test(a_persons_word_is_asked_about_once),
        cmocka_unit_test(a_modern_client_calls_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
