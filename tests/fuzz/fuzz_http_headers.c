/* Values of headers with anything in them. The first three lines are a Host, an Origin and the id
 * of an event; then come headers, a line each, until an empty one, and the rest is a message that
 * they are compared with. What a value is taken for holds to what its header says of it; a message
 * is answered with good JSON, and one of 2026-07-28 that was taken says the same in its headers. */
#include "scout/http/header_values.h"
#include "scout/mcp/session.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define HEADERS_MAX 16
#define MODERN      "2026-07-28"

struct headers {
    struct slice names[HEADERS_MAX], values[HEADERS_MAX];
    size_t count;
};

struct tool_env {
    uint32_t calls;
};

struct peer {
    struct tool_env env;
    struct buf out;
    bool freed;
};

static void write_nothing(struct json_writer *w, const void *context)
{
    (void)context;
    json_key(w, "content");
    json_array_begin(w);
    json_array_end(w);
}

static void start_echo(struct tool_call *call, const struct cJSON *args)
{
    const struct tool_result result = {.write = write_nothing};
    (void)args;
    call->view->env->calls++;
    tool_call_finish(call, &result);
}

static const struct tool_param params[] = {
    {.name = "t", .description = "text", .type = TOOL_STRING, .header = "Text"},
    {.name = "n", .description = "number", .type = TOOL_INTEGER, .header = "Number"},
    {.name = "b", .description = "switch", .type = TOOL_BOOLEAN, .header = "Switch"},
};
static const struct tool echo = {.name = "echo",
                                 .title = "Echo",
                                 .description = "Echo",
                                 .params = params,
                                 .param_count = 3,
                                 .start = start_echo};
static const struct tool *const tools[] = {&echo};

/* ---- the values by themselves ---- */

static void check_host(struct slice host)
{
    struct slice name = http_host_name(host);
    bool bracketed = host.len > 0 && host.data[0] == '[';
    if (name.len == 0)
        return;
    assert(name.data == host.data + bracketed && name.len + 2 * bracketed <= host.len);
    assert(!memchr(name.data, bracketed ? ']' : ':', name.len));
    for (const uint8_t *at = name.data + name.len + bracketed; at < host.data + host.len; at++)
        assert(*at == ':' || (*at >= '0' && *at <= '9'));
}

static void check_origin(struct slice origin, struct slice host)
{
    bool is = http_origin_is(origin, host);
    size_t scheme = origin.len - (is ? host.len : 0);
    assert(!is || scheme == 7 || scheme == 8);
    const char *text = (const char *)origin.data;
    assert(!is || strncasecmp(text, scheme == 7 ? "http://" : "https://", scheme) == 0);
    assert(!is || strncasecmp(text + scheme, (const char *)host.data, host.len) == 0);
}

static void check_id(struct slice id)
{
    char text[2 * HTTP_EVENT_ID_MAX];
    uint64_t stream, number, stream_again, number_again;
    if (!http_event_id_parse(id, &stream, &number))
        return;
    int len = snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)stream,
                       (unsigned long long)number);
    assert(len < HTTP_EVENT_ID_MAX && id.len < HTTP_EVENT_ID_MAX && (size_t)len <= id.len);
    assert(http_event_id_parse(slice_of(text, (size_t)len), &stream_again, &number_again));
    assert(stream == stream_again && number == number_again);
}

/* ---- beside a message ---- */

static bool get_header(const void *context, const char *name, struct slice *value)
{
    const struct headers *h = context;
    for (size_t i = 0; i < h->count; i++)
        if (h->names[i].len == strlen(name) &&
            strncasecmp((const char *)h->names[i].data, name, h->names[i].len) == 0) {
            *value = h->values[i];
            return true;
        }
    return false;
}

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
    (void)context;
    return 0;
}

static void on_freed(void *context)
{
    ((struct peer *)context)->freed = true;
}

static void check_answer(const struct peer *p, const struct headers *h,
                         const struct mcp_fault *fault)
{
    struct json_error error;
    struct slice out = buf_peek(&p->out), value;
    while (out.len > 0) {
        const uint8_t *end = memchr(out.data, '\n', out.len);
        assert(end);
        struct slice line = slice_of(out.data, (size_t)(end - out.data));
        assert(json_check(line, &error) == 0);
        out = slice_skip(out, line.len + 1);
    }
    if (p->env.calls == 0 || !get_header(h, "mcp-protocol-version", &value) ||
        !slice_is(value, MODERN))
        return;
    assert(fault->code == 0);
    assert(get_header(h, "mcp-method", &value) && slice_is(value, "tools/call"));
    assert(get_header(h, "mcp-name", &value) && value.len >= 4);
}

static void check_message(const struct headers *h, struct slice message)
{
    static const struct mcp_limits limits = {0};
    static struct mcp_stats stats;
    struct peer p = {.freed = false};
    struct tool_view view = {.env = &p.env};
    struct tool_registry registry = {.tools = tools, .count = 1, .view = &view};
    const struct mcp_config config = {.registry = &registry,
                                      .limits = &limits,
                                      .server_name = "fuzz",
                                      .server_version = "0",
                                      .stats = &stats};
    const struct mcp_sink sink = {sink_out, sink_flush, sink_pending, NULL, &p, false};
    const struct mcp_headers headers = {get_header, h};
    struct mcp_session *session;
    struct mcp_way way;
    struct mcp_fault fault = {.code = 0};
    buf_init(&p.out, MCP_OUT_MAX);
    mcp_way_init(&way, &sink);
    assert(mcp_session_new(&session, &config, &sink) == 0);
    assert(mcp_session_message(session, message, &headers, &way, &fault) == 0);
    assert(way.in_flight == 0);
    check_answer(&p, h, &fault);
    mcp_session_free(session, on_freed, &p);
    assert(p.freed);
    buf_fini(&p.out);
}

static struct slice take_line(struct slice *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct slice line = slice_of(rest->data, end ? (size_t)(end - rest->data) : rest->len);
    *rest = slice_skip(*rest, line.len + (end != NULL));
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct slice rest = slice_of(data, len), line;
    struct headers h = {.count = 0};
    struct slice host = take_line(&rest), origin = take_line(&rest);
    check_host(host);
    check_origin(origin, host);
    check_id(take_line(&rest));
    while ((line = take_line(&rest)).len > 0 && h.count < HEADERS_MAX) {
        const uint8_t *colon = memchr(line.data, ':', line.len);
        size_t name = colon ? (size_t)(colon - line.data) : line.len;
        h.names[h.count] = slice_of(line.data, name);
        h.values[h.count++] = slice_skip(line, name + (colon != NULL));
    }
    check_message(&h, rest);
    return 0;
}
