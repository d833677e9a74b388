/* notifications/progress, and the line of the log that each call gets. */
#include "client.h"

#include "scout/base/time.h"
#include "scout/io/sim.h"
#include <stdio.h>

struct world {
    struct io *io;
    struct log log;
    struct client c;
};

static void open_world(struct world *w)
{
    const struct io_sim_faults none = {0};
    assert_int_equal(io_sim_open(&w->io, 1, &none), 0);
    log_init(&w->log, LOG_INFO, 1 << 16);
    client_open_in(&w->c, MCP_OUT_MAX, NULL, w->io, &w->log);
}

static void close_world(struct world *w)
{
    client_close(&w->c);
    io_free(w->io);
    log_fini(&w->log);
}

static void run_ms(struct world *w, uint64_t ms)
{
    for (uint64_t end = io_now(w->io) + ms * NS_PER_MS; io_now(w->io) < end;)
        io_run_once(w->io, end - io_now(w->io));
}

/* A call of the waiting tool with that `_meta`. */
static struct tool_call *call(struct world *w, const char *id, const char *meta)
{
    char line[512];
    snprintf(
        line, sizeof line,
        "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"tools/call\",\"params\":{\"name\":\"wait\","
        "\"_meta\":{%s},\"arguments\":{\"text\":\"%s\"}}}\n",
        id, meta, "x");
    assert_int_equal(client_feed(&w->c, line), 0);
    assert_true(w->c.waiting_count > 0);
    return w->c.waiting[w->c.waiting_count - 1].call;
}

static void expect_progress(struct world *w, const char *token, const char *rest)
{
    char line[512];
    io_run_once(w->io, 0);
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
             "\"progressToken\":%s,%s}}\n",
             token, rest);
    client_expect_out(&w->c, line);
}

static void expect_nothing(struct world *w)
{
    io_run_once(w->io, 0);
    client_expect_out(&w->c, NULL);
}

#define MODERN                                                                                     \
    "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                  \
    "\"io.modelcontextprotocol/clientCapabilities\":{},"

static void progress_comes_with_its_token_as_it_was_written(void **state)
{
    static const char *const tokens[] = {"\"a\\u0062\"", "7", "-9007199254740993", "\"\""};
    struct world w;
    char meta[256];
    (void)state;
    for (int modern = 0; modern <= 1; modern++)
        for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
            open_world(&w);
            snprintf(meta, sizeof meta, "%s\"progressToken\":%s", modern ? MODERN : "", tokens[i]);
            struct tool_call *c = call(&w, "1", meta);
            unsigned flushes = w.c.flushes;
            tool_call_progress(c, 5, 10, "half \"done\"");
            expect_progress(&w, tokens[i],
                            "\"progress\":5,\"total\":10,\"message\":\"half \\\"done\\\"\"");
            assert_int_equal(w.c.flushes, flushes + 1);
            close_world(&w);
        }
}

static void nobody_is_told_who_did_not_ask(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    tool_call_progress(call(&w, "1", ""), 5, 10, NULL);
    tool_call_progress(call(&w, "2", "\"progressToken\":null"), 5, 10, NULL);
    expect_nothing(&w);
    close_world(&w);
}

static void progress_grows_and_does_not_rush(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    struct tool_call *c = call(&w, "1", "\"progressToken\":1");
    tool_call_progress(c, 0, 0, NULL);
    expect_progress(&w, "1", "\"progress\":0");
    for (uint64_t done = 1; done < 1000; done++)
        tool_call_progress(c, done, 0, NULL); /* all at once: too soon */
    expect_nothing(&w);
    run_ms(&w, 250);
    tool_call_progress(c, 1000, 0, NULL);
    expect_progress(&w, "1", "\"progress\":1000");
    run_ms(&w, 250);
    tool_call_progress(c, 1000, 0, NULL);
    tool_call_progress(c, 999, 0, NULL);
    expect_nothing(&w);
    tool_call_progress(c, 1001, 0, NULL);
    expect_progress(&w, "1", "\"progress\":1001");
    close_world(&w);
}

static void requests_are_told_apart(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    struct tool_call *a = call(&w, "1", "\"progressToken\":\"a\"");
    struct tool_call *b = call(&w, "2", "\"progressToken\":\"b\"");
    tool_call_progress(b, 1, 0, NULL);
    expect_progress(&w, "\"b\"", "\"progress\":1");
    tool_call_progress(a, 9, 0, NULL);
    expect_progress(&w, "\"a\"", "\"progress\":9");
    close_world(&w);
}

static void a_cancelled_request_is_told_nothing(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    w.c.cancel_mode = CANCEL_LATER;
    struct tool_call *c = call(&w, "1", "\"progressToken\":1");
    assert_int_equal(client_feed(&w.c,
                                 "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                                 "\"params\":{\"requestId\":1}}\n"),
                     0);
    tool_call_progress(c, 1, 0, NULL);
    expect_nothing(&w);
    /* The id is free; another request with it has its own progress. */
    struct tool_call *again = call(&w, "1", "\"progressToken\":2");
    tool_call_progress(c, 2, 0, NULL);
    tool_call_progress(again, 1, 0, NULL);
    expect_progress(&w, "2", "\"progress\":1");
    close_world(&w);
}

/* The answer is the last that is heard of a request, also when both go out together. */
static void nothing_comes_behind_the_answer(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    struct tool_call *c = call(&w, "1", "\"progressToken\":1");
    tool_call_progress(c, 1, 0, NULL);
    client_finish(&w.c, "x");
    io_run_once(w.io, 0);
    client_expect_out(&w.c, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
                            "{\"progressToken\":1,\"progress\":1}}\n"
                            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":"
                            "\"text\",\"text\":\"x\"}],\"isError\":false}}\n");
    close_world(&w);
}

static void a_slow_client_is_not_told_more(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    struct tool_call *c = call(&w, "1", "\"progressToken\":1");
    w.c.pending = MCP_OUT_HIGH;
    tool_call_progress(c, 1, 0, NULL);
    expect_nothing(&w);
    w.c.pending = 0;
    tool_call_progress(c, 2, 0, NULL);
    expect_progress(&w, "1", "\"progress\":2");
    close_world(&w);
}

static void a_session_may_be_freed_between_progress_and_its_flush(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    tool_call_progress(call(&w, "1", "\"progressToken\":1"), 1, 0, NULL);
    close_world(&w);
}

static void a_token_is_a_string_or_an_integer(void **state)
{
    static const char *const wrong[] = {"1.5", "1e3", "true", "{}", "[]"};
    struct world w;
    char line[512];
    (void)state;
    open_world(&w);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(line, sizeof line,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
                 "\"fail\",\"_meta\":{\"progressToken\":%s}}}",
                 wrong[i]);
        client_expect(&w.c, line,
                      "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":"
                      "\"Invalid params: \\\"progressToken\\\" must be a string or an "
                      "integer\"}}\n");
    }
    close_world(&w);
}

/* ---- the log ---- */

static void expect_logged(struct world *w, const char *expected)
{
    struct slice text = buf_peek(&w->log.out);
    if (!memmem(text.data, text.len, expected, strlen(expected)))
        fail_msg("logged %.*s", (int)text.len, (const char *)text.data);
    buf_clear(&w->log.out);
}

static void each_call_is_logged_with_its_times(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    struct tool_call *c = call(&w, "1", "");
    run_ms(&w, 20);
    c->connected_ns = io_now(w.io);
    run_ms(&w, 300);
    client_finish(&w.c, "x");
    expect_logged(&w, "info  request tool=wait code=ok connection_s=0.020000 run_s=0.300000 "
                      "total_s=0.320000 bytes=91\n");
    assert_int_equal(client_feed(&w.c, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
                                       "\"params\":{\"name\":\"fail\"}}\n"),
                     0);
    expect_logged(&w, "info  request tool=fail code=connect-failed total_s=0.000000 bytes=");
    close_world(&w);
}

static void a_slow_call_is_a_warning(void **state)
{
    struct world w;
    (void)state;
    open_world(&w);
    call(&w, "1", "");
    run_ms(&w, 1000);
    client_finish(&w.c, "x");
    expect_logged(&w, "warn  request tool=wait code=ok total_s=1.000000 bytes=91 slow=yes\n");
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_comes_with_its_token_as_it_was_written),
        cmocka_unit_test(nobody_is_told_who_did_not_ask),
        cmocka_unit_test(progress_grows_and_does_not_rush),
        cmocka_unit_test(requests_are_told_apart),
        cmocka_unit_test(a_cancelled_request_is_told_nothing),
        cmocka_unit_test(nothing_comes_behind_the_answer),
        cmocka_unit_test(a_slow_client_is_not_told_more),
        cmocka_unit_test(a_session_may_be_freed_between_progress_and_its_flush),
        cmocka_unit_test(a_token_is_a_string_or_an_integer),
        cmocka_unit_test(each_call_is_logged_with_its_times),
        cmocka_unit_test(a_slow_call_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
