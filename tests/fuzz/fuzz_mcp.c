/* A whole session on hostile bytes. The first byte chooses how the input is cut, how cancelled
 * calls end, and whether so many calls are in flight that the next ones wait. Fed in one piece, in
 * small pieces and byte by byte, the answers are the same; each line of them is good JSON; freeing
 * in the middle leaves nothing behind. */
#include "scout/mcp/session.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define WAITING_MAX 512

struct tool_env {
    struct tool_call *waiting[WAITING_MAX];
    size_t count;
    bool end_on_cancel;
};

struct peer {
    struct tool_env env;
    struct tool_view view;
    struct tool_registry registry;
    struct mcp_session *session;
    struct mcp_stats *stats;
    struct buf out;
    bool freed;
};

static void write_text(struct json_writer *w, const void *context)
{
    json_key(w, "content");
    json_array_begin(w);
    json_str(w, context);
    json_array_end(w);
}

static void finish(struct tool_call *call, const char *text)
{
    struct tool_result result = {.write = write_text, .context = text};
    tool_call_finish(call, &result);
}

static void start_echo(struct tool_call *call, const struct cJSON *args)
{
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(args, "t");
    finish(call, text ? cJSON_GetStringValue(text) : "none");
}

static void start_wait(struct tool_call *call, const struct cJSON *args)
{
    struct tool_env *env = call->view->env;
    (void)args;
    assert(env->count < WAITING_MAX);
    env->waiting[env->count++] = call;
}

static void cancel_wait(struct tool_call *call)
{
    struct tool_env *env = call->view->env;
    for (size_t i = 0; i < env->count && env->end_on_cancel; i++)
        if (env->waiting[i] == call) {
            memmove(&env->waiting[i], &env->waiting[i + 1],
                    (env->count - i - 1) * sizeof env->waiting[0]);
            env->count--;
            finish(call, "cancelled");
            return;
        }
}

static const struct tool_param params[] = {
    {.name = "t", .description = "text", .type = TOOL_STRING, .length_max = 100},
    {.name = "n", .description = "number", .type = TOOL_INTEGER, .minimum = -5, .maximum = 1000000},
    {.name = "b", .description = "switch", .type = TOOL_BOOLEAN},
};
static const struct tool echo = {.name = "echo",
                                 .title = "Echo",
                                 .description = "Echo",
                                 .params = params,
                                 .param_count = 3,
                                 .start = start_echo};
static const struct tool waiter = {.name = "wait",
                                   .title = "Wait",
                                   .description = "Wait",
                                   .start = start_wait,
                                   .cancel = cancel_wait};
static const struct tool *const tools[] = {&echo, &waiter};

static struct buf *sink_out(void *context)
{
    return &((struct peer *)context)->out;
}

static void sink_flush(void *context)
{
    (void)context;
}

static size_t sink_pending(void *context)
{
    (void)context; /* the peer reads at once */
    return 0;
}

static void on_room(void *context)
{
    struct peer *p = context;
    int result = mcp_session_continue(p->session);
    assert(result == 0 || !mcp_session_wants_input(p->session));
}

static void on_freed(void *context)
{
    ((struct peer *)context)->freed = true;
}

static void peer_open(struct peer *p, bool end_on_cancel)
{
    static struct mcp_stats stats; /* of all: 100 KB that need not be cleared for each input */
    p->env.count = 0;
    p->env.end_on_cancel = end_on_cancel;
    p->stats = &stats;
    p->freed = false;
    p->view = (struct tool_view){.env = &p->env};
    p->registry = (struct tool_registry){.tools = tools, .count = 2, .view = &p->view};
    static const struct mcp_limits limits = {0};
    struct mcp_config config = {.registry = &p->registry,
                                .limits = &limits,
                                .server_name = "fuzz",
                                .server_version = "0",
                                .instructions = "none",
                                .stats = p->stats};
    struct mcp_sink sink = {sink_out, sink_flush, sink_pending, NULL, p, false};
    buf_init(&p->out, MCP_OUT_MAX);
    assert(mcp_session_new(&p->session, &config, &sink) == 0);
    mcp_session_on_room(p->session, on_room, p);
}

/* Leaves room for one call; the ids are 100, 101, … */
static void peer_fill(struct peer *p)
{
    char line[128];
    for (int i = 0; i < MCP_IN_FLIGHT_MAX - 1; i++) {
        int len = snprintf(line, sizeof line,
                           "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\","
                           "\"params\":{\"name\":\"wait\"}}\n",
                           100 + i);
        assert(mcp_session_feed(p->session, slice_of(line, (size_t)len)) == 0);
    }
    assert(mcp_session_in_flight(p->session) == MCP_IN_FLIGHT_MAX - 1);
}

static void peer_feed(struct peer *p, struct slice input, size_t piece)
{
    for (size_t at = 0; at < input.len; at += piece) {
        size_t len = input.len - at < piece ? input.len - at : piece;
        if (mcp_session_feed(p->session, slice_of(input.data + at, len)) != 0)
            return;
    }
}

/* Ends what waits, the newest first, until nothing that was held back starts more. */
static void peer_settle(struct peer *p)
{
    while (p->env.count > 0)
        finish(p->env.waiting[--p->env.count], "done");
    assert(mcp_session_in_flight(p->session) == 0);
}

static void peer_close(struct peer *p)
{
    mcp_session_free(p->session, on_freed, p);
    while (p->env.count > 0)
        finish(p->env.waiting[--p->env.count], "late");
    assert(p->freed);
    buf_fini(&p->out);
}

static void check_lines(struct slice out)
{
    struct json_error error;
    while (out.len > 0) {
        const uint8_t *end = memchr(out.data, '\n', out.len);
        assert(end);
        struct slice line = slice_of(out.data, (size_t)(end - out.data));
        assert(json_check(line, &error) == 0);
        if (json_type(line) == JSON_OBJECT)
            assert(json_string_is(json_member(line, "jsonrpc"), "2.0"));
        else
            assert(json_type(line) == JSON_ARRAY);
        out = slice_skip(out, line.len + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct peer whole, parts, cut;
    if (len == 0)
        return 0;
    bool end_on_cancel = data[0] & 1;
    size_t piece = (data[0] >> 1 & 31) + 1u;
    struct slice input = slice_of(data + 1, len - 1);
    peer_open(&whole, end_on_cancel);
    peer_open(&parts, end_on_cancel);
    peer_open(&cut, end_on_cancel);
    if (data[0] >> 6 == 3) {
        peer_fill(&whole);
        peer_fill(&parts);
        peer_fill(&cut);
    }
    peer_feed(&whole, input, input.len ? input.len : 1);
    peer_feed(&parts, input, piece);
    peer_feed(&cut, slice_of(input.data, input.len * piece / 41), 1);
    peer_settle(&whole);
    peer_settle(&parts);
    assert(slice_equal(buf_peek(&whole.out), buf_peek(&parts.out)));
    check_lines(buf_peek(&whole.out));
    peer_close(&whole);
    peer_close(&parts);
    peer_close(&cut);
    assert(whole.stats->in_flight == 0);
    return 0;
}
