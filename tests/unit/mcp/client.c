/* The client of the tests of a session. */
#include "client.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

/* The tools find their client through the registry's environment. */
struct tool_env {
    struct client *client;
};

struct client_world {
    struct tool_env env;
    struct tool_view view;
    struct tool_registry registry;
};

static struct client *client_of(const struct tool_call *call)
{
    return call->view->env->client;
}

static void write_text(struct json_writer *w, const void *context)
{
    json_key(w, "content");
    json_array_begin(w);
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, "text");
    json_key(w, "text");
    json_str(w, context);
    json_object_end(w);
    json_array_end(w);
    json_key(w, "isError");
    json_bool(w, false);
}

static void finish(struct tool_call *call, const char *text)
{
    struct tool_result result = {.write = write_text, .context = text};
    tool_call_finish(call, &result);
}

static const char *text_of(const struct cJSON *args)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "text"));
}

static void start_echo(struct tool_call *call, const struct cJSON *args)
{
    finish(call, text_of(args));
}

static void start_wait(struct tool_call *call, const struct cJSON *args)
{
    struct client *c = client_of(call);
    assert_true(c->waiting_count < CLIENT_WAITING_MAX);
    struct waiting_call *waiting = &c->waiting[c->waiting_count++];
    waiting->call = call;
    snprintf(waiting->text, sizeof waiting->text, "%s", text_of(args));
}

static void end_waiting(struct client *c, unsigned index)
{
    struct waiting_call ended = c->waiting[index];
    c->waiting[index] = c->waiting[--c->waiting_count];
    finish(ended.call, ended.text);
}

static void cancel_wait(struct tool_call *call)
{
    struct client *c = client_of(call);
    c->cancels++;
    for (unsigned i = 0; i < c->waiting_count; i++)
        if (c->waiting[i].call == call && c->cancel_mode == CANCEL_AT_ONCE) {
            end_waiting(c, i);
            return;
        }
}

static void start_big(struct tool_call *call, const struct cJSON *args)
{
    size_t len = (size_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(args, "bytes"));
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    finish(call, text);
    free(text);
}

static void start_fail(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    (void)args;
    failure_set(&why, SCOUT_E_CONNECT, "No way to web1");
    tool_call_fail(call, &why);
}

static const struct tool_param text_param[] = {
    {.name = "text", .description = "Any text", .type = TOOL_STRING, .required = true}};
static const struct tool_param bytes_param[] = {{.name = "bytes",
                                                 .description = "How many",
                                                 .type = TOOL_INTEGER,
                                                 .required = true,
                                                 .minimum = 0,
                                                 .maximum = 200000000}};
static const struct tool echo = {.name = "echo",
                                 .title = "Echo",
                                 .description = "Says it again",
                                 .params = text_param,
                                 .param_count = 1,
                                 .start = start_echo};
static const struct tool waiter = {.name = "wait",
                                   .title = "Wait",
                                   .description = "Waits",
                                   .params = text_param,
                                   .param_count = 1,
                                   .start = start_wait,
                                   .cancel = cancel_wait};
static const struct tool big = {.name = "big",
                                .title = "Big",
                                .description = "Says much",
                                .params = bytes_param,
                                .param_count = 1,
                                .start = start_big};
static const struct tool failing = {
    .name = "fail", .title = "Fail", .description = "Fails", .start = start_fail};
/* Asks for a name, then for an age; the state between both says how far it is. */
static void start_ask(struct tool_call *call, const struct cJSON *args)
{
    static const struct tool_question name = {"name", "elicitation/create",
                                              "{\"message\":\"Who?\"}"};
    static const struct tool_question age[] = {{"age", "elicitation/create", "{}"},
                                               {"roots", "roots/list", NULL}};
    char text[256];
    const struct tool_round *round = call->round;
    struct slice first = tool_call_answer(call, "name"), last = tool_call_answer(call, "age");
    (void)args;
    if (last.len == 0 && first.len == 0) {
        const struct tool_questions questions = {&name, 1, slice_str("begun")};
        tool_call_ask(call, &questions);
    } else if (last.len == 0) {
        const struct tool_questions questions = {age, 2, first};
        tool_call_ask(call, &questions);
    } else {
        snprintf(text, sizeof text, "%.*s after %.*s", (int)last.len, last.data,
                 (int)round->state.len, round->state.data);
        finish(call, text);
    }
}

static void start_confirm(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    struct client *c = client_of(call);
    (void)args;
    if (c->approved) {
        finish(call, "done");
        return;
    }
    failure_set(&why, SCOUT_E_CONFIRMATION, "Run scout approve 7");
    tool_call_fail(call, &why);
}

static const struct tool asking = {
    .name = "ask", .title = "Ask", .description = "Asks back", .start = start_ask};
static const struct tool confirming = {.name = "confirm",
                                       .title = "Confirm",
                                       .description = "Waits for a word",
                                       .start = start_confirm};
static const struct tool *const tools[] = {&echo, &waiter, &big, &failing};
static const struct tool *const asking_tools[] = {&echo, &waiter, &asking, &confirming};

static struct buf *sink_out(void *context)
{
    return &((struct client *)context)->out;
}

static void on_freed(void *context)
{
    ((struct client *)context)->freed++;
}

static void sink_flush(void *context)
{
    struct client *c = context;
    c->flushes++;
    if (c->free_on_flush) {
        c->free_on_flush = false;
        mcp_session_free(c->session, on_freed, c);
        c->session = NULL;
    }
}

static size_t sink_pending(void *context)
{
    struct client *c = context;
    return buf_len(&c->out) + c->pending;
}

static void on_room(void *context)
{
    struct client *c = context;
    c->rooms++;
    if (c->continue_on_room)
        c->room_result = mcp_session_continue(c->session);
}

void client_open(struct client *c, size_t out_max)
{
    client_open_with(c, out_max, NULL);
}

static const struct mcp_limits client_limits = {.call_timeout_ns = 1000,
                                                .slow_threshold_ns = 1000000000};

void client_open_with(struct client *c, size_t out_max, const char *instructions)
{
    client_open_in(c, out_max, instructions, NULL, NULL);
}

static const struct mcp_state_key client_state_key = {{1, 2, 3}};

static bool sink_crowded(void *context, size_t more)
{
    const struct client *c = context;
    return c->crowded && sink_pending(context) + more > MCP_OUT_HIGH;
}

void client_open_in(struct client *c, size_t out_max, const char *instructions, struct io *io,
                    struct log *log)
{
    struct client_world *world = malloc(sizeof *world);
    assert_non_null(world);
    *c = (struct client){.continue_on_room = true};
    c->world = world;
    world->env.client = c;
    world->view = (struct tool_view){.env = &world->env};
    world->registry = (struct tool_registry){
        .tools = tools, .count = sizeof tools / sizeof tools[0], .io = io, .view = &world->view};
    c->config = (struct mcp_config){.registry = &world->registry,
                                    .log = log,
                                    .server_name = "test_mcp",
                                    .server_version = "1.2.3",
                                    .instructions = instructions,
                                    .limits = &client_limits,
                                    .stats = &c->stats,
                                    .state_key = &client_state_key};
    struct mcp_sink sink = {.out = sink_out,
                            .flush = sink_flush,
                            .pending = sink_pending,
                            .crowded = sink_crowded,
                            .strict = true,
                            .context = c};
    buf_init(&c->out, out_max);
    assert_int_equal(mcp_session_new(&c->session, &c->config, &sink), 0);
    mcp_session_on_room(c->session, on_room, c);
}

void client_close(struct client *c)
{
    if (c->session)
        mcp_session_free(c->session, on_freed, c);
    c->session = NULL;
    while (c->waiting_count > 0)
        end_waiting(c, 0);
    assert_int_equal(c->freed, 1);
    assert_int_equal(c->stats.in_flight, 0);
    buf_fini(&c->out);
    free(c->world);
}

int client_feed(struct client *c, const char *text)
{
    return mcp_session_feed(c->session, slice_str(text));
}

void client_expect_out(struct client *c, const char *expected)
{
    struct slice got = buf_peek(&c->out);
    if (!slice_is(got, expected ? expected : ""))
        fail_msg("answered\n%.*s\nexpected\n%s", (int)got.len,
                 got.data ? (const char *)got.data : "", expected ? expected : "nothing");
    buf_clear(&c->out);
}

void client_use_asking_tools(struct client *c)
{
    c->world->registry.tools = asking_tools;
    c->world->registry.count = sizeof asking_tools / sizeof asking_tools[0];
}

void client_expect(struct client *c, const char *line, const char *expected)
{
    assert_int_equal(client_feed(c, line), 0);
    assert_int_equal(client_feed(c, "\n"), 0);
    client_expect_out(c, expected);
}

void client_finish(struct client *c, const char *text)
{
    for (unsigned i = 0; i < c->waiting_count; i++)
        if (strcmp(c->waiting[i].text, text) == 0) {
            end_waiting(c, i);
            return;
        }
    fail_msg("no call waits with \"%s\"", text);
}
