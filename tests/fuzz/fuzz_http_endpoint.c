/* The HTTP endpoint under clients that do anything in any order. Each byte of the input is a step
 * of one of four clients, or of the world: it connects, closes, asks for something of the session
 * that was begun last, takes up a stream, reads no more; a tool goes on or ends; time goes by; who
 * is admitted changes. The first byte chooses the faults of the network, how cancelled calls end,
 * and whether the endpoint is drained before it is freed. In the end nothing is left: the loop and
 * the sanitizers look. */
#include "scout/base/container.h"
#include "scout/base/time.h"
#include "scout/http/endpoint.h"
#include "scout/io/sim.h"
#include "scout/net/listener.h"
#include "scout/net/stream.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CLIENTS     4
#define WAITING_MAX 2048
#define STEPS_MAX   96 /* further ones are not looked at */
#define LARGE       40000

struct client {
    struct io_file file;
    struct io_op connect;
    struct stream stream;
    struct tool_env *world;
    bool used, open;
};

struct tool_env {
    struct io *io;
    struct listener listener;
    struct http_endpoint *endpoint;
    struct client clients[CLIENTS];
    struct tool_call *waiting[WAITING_MAX];
    size_t count;
    bool end_on_cancel, freed, gone; /* gone: nobody is admitted */
    char session[23], event[48];
    unsigned number;
};

/* ---- tools ---- */

static void write_text(struct json_writer *w, const void *context)
{
    (void)context;
    json_key(w, "content");
    json_array_begin(w);
    json_array_end(w);
}

static void finish(struct tool_call *call)
{
    const struct tool_result result = {.write = write_text};
    tool_call_finish(call, &result);
}

static void write_large(struct json_writer *w, const void *context)
{
    static char text[LARGE];
    (void)context;
    memset(text, 'x', sizeof text);
    text[0] = text[LARGE - 1] = '"';
    json_key(w, "content");
    json_raw(w, slice_of(text, sizeof text));
}

static void start_large(struct tool_call *call, const struct cJSON *args)
{
    const struct tool_result result = {.write = write_large};
    (void)args;
    tool_call_finish(call, &result);
}

static void start_wait(struct tool_call *call, const struct cJSON *args)
{
    struct tool_env *w = call->view->env;
    (void)args;
    if (w->count == WAITING_MAX)
        finish(call);
    else
        w->waiting[w->count++] = call;
}

static void start_ask(struct tool_call *call, const struct cJSON *args)
{
    static const struct tool_question list[] = {{"a", "elicitation/create", "{\"message\":\"m\"}"},
                                                {"b", "roots/list", "{}"}};
    const struct tool_questions questions = {list, 2, slice_str("state")};
    (void)args;
    if (call->round && call->round->answers.len > 0)
        start_wait(call, args);
    else
        tool_call_ask(call, &questions);
}

static void cancel_wait(struct tool_call *call)
{
    struct tool_env *w = call->view->env;
    for (size_t i = 0; i < w->count && w->end_on_cancel; i++)
        if (w->waiting[i] == call) {
            w->waiting[i] = w->waiting[--w->count];
            finish(call);
            return;
        }
}

static const struct tool wait_tool = {.name = "wait",
                                      .title = "Wait",
                                      .description = "Wait",
                                      .start = start_wait,
                                      .cancel = cancel_wait};
static const struct tool ask_tool = {
    .name = "ask", .title = "Ask", .description = "Ask", .start = start_ask, .cancel = cancel_wait};
static const struct tool large_tool = {
    .name = "large", .title = "Large", .description = "Large", .start = start_large};
static const struct tool *const tools[] = {&wait_tool, &ask_tool, &large_tool};

/* ---- the endpoint ---- */

static void admit(void *context, const struct http_request *q, const struct address *peer,
                  const struct tls_peer *certificate, struct http_admission *out)
{
    const struct tool_env *w = context;
    (void)q;
    (void)peer;
    (void)certificate;
    out->identity = (struct identity){.name = "fuzz", .role = ROLE_OPERATOR};
    out->status = w->gone ? 401 : 0;
    out->why = "gone";
}

static bool stands(void *context, struct identity *identity, const struct http_credential *by,
                   const struct tls_peer *certificate)
{
    (void)certificate;
    (void)identity;
    (void)by;
    return !((const struct tool_env *)context)->gone;
}

static bool no_page(void *context, const struct http_request *q, const struct address *peer)
{
    (void)context;
    (void)q;
    (void)peer;
    return false;
}

static bool no_name(void *context, struct slice name)
{
    (void)context;
    (void)name;
    return false;
}

static void on_accept(struct listener *l, int fd)
{
    static const struct address peer = {.family = AF_INET, .bytes = {127, 0, 0, 1}};
    http_endpoint_serve(CONTAINER_OF(l, struct tool_env, listener)->endpoint, fd, &peer);
}

static const struct listener_events listening = {on_accept, NULL};

static struct sockaddr_in address(void)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(80)};
}

static void on_freed(void *context)
{
    ((struct tool_env *)context)->freed = true;
}

/* ---- clients ---- */

/* Until nothing happens any more. */
static void run(struct tool_env *w, int passes, uint64_t wait_ns)
{
    while (passes-- > 0 && io_run_once(w->io, wait_ns))
        ;
}

static void copy_behind(char *out, size_t size, struct slice text, const char *mark,
                        const char *stop)
{
    size_t len = strlen(mark);
    const uint8_t *at = text.len >= len ? memmem(text.data, text.len, mark, len) : NULL;
    if (!at)
        return;
    size_t i = 0;
    for (at += len; at < text.data + text.len && !strchr(stop, *at) && i + 1 < size; at++)
        out[i++] = (char)*at;
    out[i] = '\0';
}

static void on_data(struct stream *s, struct slice data)
{
    struct client *c = CONTAINER_OF(s, struct client, stream);
    copy_behind(c->world->session, sizeof c->world->session, data, "Mcp-Session-Id: ", "\r\n");
    copy_behind(c->world->event, sizeof c->world->event, data, "\r\nid: ", "\r\n");
}

static void close_client(struct client *c)
{
    if (c->open)
        stream_close(&c->stream);
    c->open = false;
}

static void on_end(struct stream *s, int error)
{
    (void)error;
    close_client(CONTAINER_OF(s, struct client, stream));
}

static void on_closed(struct stream *s)
{
    CONTAINER_OF(s, struct client, stream)->used = false;
}

static const struct stream_events streaming = {on_data, on_end, NULL, on_closed};

static void on_file_closed(struct io_file *f)
{
    CONTAINER_OF(f, struct client, file)->used = false;
}

static void on_connected(struct io_op *op, struct io_event event)
{
    struct client *c = CONTAINER_OF(op, struct client, connect);
    if (event.res < 0) {
        io_close(&c->file, on_file_closed);
        return;
    }
    stream_init_file(&c->stream, &c->file, 1u << 20, &streaming);
    c->open = true;
    stream_resume(&c->stream);
}

static void connect_client(struct client *c)
{
    struct sockaddr_in to = address();
    if (c->used || io_file_socket(c->world->io, &c->file, AF_INET) != 0)
        return;
    c->used = true;
    io_op_init(&c->connect);
    io_connect(&c->file, &c->connect, (struct sockaddr *)&to, sizeof to, on_connected);
}

static void say(struct client *c, const char *method, const char *headers, const char *body)
{
    char text[2048], session[64] = "";
    if (c->world->session[0])
        snprintf(session, sizeof session, "Mcp-Session-Id: %s\r\n", c->world->session);
    int len = snprintf(text, sizeof text,
                       "%s /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                       "Accept: application/json, text/event-stream\r\n%s%s",
                       method, headers, strstr(headers, "Mcp-Method") ? "" : session);
    if (body)
        len += snprintf(text + len, sizeof text - (size_t)len, "Content-Length: %zu\r\n",
                        strlen(body));
    len += snprintf(text + len, sizeof text - (size_t)len, "\r\n%s", body ? body : "");
    if (stream_write(&c->stream, slice_of(text, (size_t)len)) != 0)
        close_client(c);
}

#define VERSION "MCP-Protocol-Version: 2025-03-26\r\n"
#define CALL(id, name)                                                                             \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"" name    \
    "\",\"_meta\":{\"progressToken\":1}}}"

static void call_modern(struct client *c, const char *name)
{
    char headers[256], body[512];
    snprintf(headers, sizeof headers,
             "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: %s\r\n",
             name);
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
             "\"_meta\":{\"progressToken\":1,\"io.modelcontextprotocol/protocolVersion\":"
             "\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{},"
             "\"roots\":{}}}}}",
             name);
    say(c, "POST", headers, body);
}

static void resume(struct client *c)
{
    char headers[128];
    snprintf(headers, sizeof headers, VERSION "Last-Event-ID: %s\r\n", c->world->event);
    say(c, "GET", headers, NULL);
}

static void answer(struct client *c, unsigned back)
{
    char body[160];
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":\"scout-%u\",\"result\":{}}",
             1 + (c->world->number++ + back) % 8);
    say(c, "POST", VERSION, body);
}

/* What a client does; false: the step is not a client's. */
static bool client_step(struct client *c, unsigned step)
{
    static const char begin[] =
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-03-26\",\"capabilities\":{\"elicitation\":{},\"roots\":{}}}}";
    switch (step) {
    case 0:
        connect_client(c);
        return true;
    case 1:
        close_client(c);
        return true;
    case 12:
    case 13:
    case 14:
    case 15:
        return false;
    }
    if (!c->open)
        connect_client(c);
    else if (step == 2)
        say(c, "POST", "Mcp-Method-None: x\r\n", begin);
    else if (step == 3)
        say(c, "POST", VERSION, c->world->number++ & 1 ? CALL("1", "wait") : CALL("2", "wait"));
    else if (step == 4)
        say(c, "POST", VERSION, CALL("3", "ask"));
    else if (step == 5)
        say(c, "GET", VERSION, NULL);
    else if (step == 6)
        resume(c);
    else if (step == 7)
        say(c, "DELETE", VERSION, NULL);
    else if (step == 8)
        say(c, "POST", VERSION,
            "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
            "\"requestId\":1}}");
    else if (step == 9)
        answer(c, 0);
    else if (step == 16)
        stream_pause(&c->stream);
    else if (step == 17)
        stream_resume(&c->stream);
    else if (step == 18)
        say(c, "POST", VERSION, CALL("5", "large"));
    else if (step == 10)
        call_modern(c, c->world->number++ & 1 ? "wait" : "ask");
    else
        say(c, "POST", VERSION, "[" CALL("1", "wait") "," CALL("4", "ask") "]");
    return true;
}

static void world_step(struct tool_env *w, unsigned step, unsigned which)
{
    if (step == 12 && w->count > 0) {
        size_t i = which % w->count;
        struct tool_call *call = w->waiting[i];
        w->waiting[i] = w->waiting[--w->count];
        finish(call);
    } else if (step == 13 && w->count > 0) {
        tool_call_progress(w->waiting[which % w->count], ++w->number, 0, "on");
    } else if (step == 14) {
        for (int i = 0; i < 10; i++)
            io_run_once(w->io, (which ? 16 : 1) * NS_PER_S);
    } else if (step == 15) {
        w->gone = which & 1;
        http_endpoint_refresh(w->endpoint);
    }
}

/* ---- the world ---- */

static void open_world(struct tool_env *w, uint8_t flags, struct tool_registry *registry,
                       struct tool_view *view, struct http_stats *stats)
{
    static const struct mcp_limits limits = {.call_timeout_ns = 600 * NS_PER_S};
    static const struct mcp_state_key key = {{1}};
    static struct mcp_stats mcp_stats;
    static uint64_t numbers;
    const struct io_sim_faults faults = {.short_send = flags & 8 ? 300 : 0,
                                         .split_recv = flags & 16 ? 300 : 0,
                                         .reset = flags & 32 ? 20 : 0};
    struct sockaddr_in at = address();
    assert(io_sim_open(&w->io, flags, &faults) == 0);
    *view = (struct tool_view){.env = w};
    *registry = (struct tool_registry){.tools = tools, .count = 3, .view = view, .io = w->io};
    const struct http_config config = {.io = w->io,
                                       .mcp = {.registry = registry,
                                               .server_name = "fuzz",
                                               .server_version = "0",
                                               .limits = &limits,
                                               .stats = &mcp_stats,
                                               .state_key = &key},
                                       .access = {.admit = admit,
                                                  .page_is_open = no_page,
                                                  .is_own_name = no_name,
                                                  .is_allowed_origin = no_name,
                                                  .stands = stands,
                                                  .context = w},
                                       .limits = {CLIENTS * 4, CLIENTS * 4},
                                       .stats = stats,
                                       .clients = &numbers};
    assert(http_endpoint_new(&w->endpoint, &config) == 0);
    assert(listener_open(&w->listener, w->io, (struct sockaddr *)&at, sizeof at, &listening) == 0);
    for (size_t i = 0; i < CLIENTS; i++)
        w->clients[i].world = w;
}

static void close_world(struct tool_env *w, bool drain)
{
    listener_close(&w->listener);
    if (drain) {
        http_endpoint_drain(w->endpoint);
        run(w, 20, NS_PER_MS);
    }
    http_endpoint_free(w->endpoint, on_freed, w);
    run(w, 20, NS_PER_MS);
    while (w->count > 0)
        finish(w->waiting[--w->count]);
    for (size_t i = 0; i < CLIENTS; i++)
        close_client(&w->clients[i]);
    run(w, 200, NS_PER_MS);
    assert(w->freed);
    io_free(w->io);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct tool_env world;
    struct tool_registry registry;
    struct tool_view view;
    struct http_stats stats = {.open = 0};
    if (len == 0)
        return 0;
    world = (struct tool_env){.end_on_cancel = data[0] & 1};
    open_world(&world, data[0], &registry, &view, &stats);
    for (size_t i = 1; i < len && i <= STEPS_MAX; i++) {
        struct client *c = &world.clients[data[i] & 3];
        unsigned step = (data[i] >> 2 & 15) | (data[i] >> 3 & 16);
        if (step > 18) /* twice, one behind the other */
            client_step(c, step -= 16);
        if (!client_step(c, step))
            world_step(&world, step, data[i] & 3);
        if (!(data[i] & 64))
            run(&world, 6, NS_PER_MS);
    }
    close_world(&world, data[0] & 2);
    assert(stats.open == 0 && stats.sessions == 0 && stats.streams == 0);
    return 0;
}
