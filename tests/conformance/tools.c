/* The fixture's tools that ask nothing. */
#include "fixture.h"

#include "scout/base/time.h"
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 300 /* longer than what progress is held back for */

/* ---- content ---- */

void fixture_text(struct json_writer *w, const char *text)
{
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, "text");
    json_key(w, "text");
    json_str(w, text);
    json_object_end(w);
}

void fixture_blob(struct json_writer *w, const char *type, const char *mime, const char *base64)
{
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, type);
    json_key(w, "data");
    json_str(w, base64);
    json_key(w, "mimeType");
    json_str(w, mime);
    json_object_end(w);
}

void fixture_resource(struct json_writer *w, const char *uri, const char *text)
{
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, "resource");
    json_key(w, "resource");
    json_object_begin(w);
    json_key(w, "uri");
    json_str(w, uri);
    json_key(w, "mimeType");
    json_str(w, "text/plain");
    json_key(w, "text");
    json_str(w, text);
    json_object_end(w);
    json_object_end(w);
}

static void content_begin(struct json_writer *w)
{
    json_key(w, "content");
    json_array_begin(w);
}

static void write_text(struct json_writer *w, const void *context)
{
    content_begin(w);
    fixture_text(w, context);
    json_array_end(w);
}

void fixture_finish(struct tool_call *call, const char *text)
{
    const struct tool_result result = {.write = write_text, .context = text};
    tool_call_finish(call, &result);
}

static void finish_with(struct tool_call *call, tool_write_fn *write)
{
    const struct tool_result result = {.write = write};
    tool_call_finish(call, &result);
}

static void start_text(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    fixture_finish(call, "This is a simple text response for testing.");
}

static void write_image(struct json_writer *w, const void *context)
{
    (void)context;
    content_begin(w);
    fixture_blob(w, "image", "image/png", FIXTURE_PNG);
    json_array_end(w);
}

static void start_image(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    finish_with(call, write_image);
}

static void write_audio(struct json_writer *w, const void *context)
{
    (void)context;
    content_begin(w);
    fixture_blob(w, "audio", "audio/wav", FIXTURE_WAV);
    json_array_end(w);
}

static void start_audio(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    finish_with(call, write_audio);
}

static void write_resource(struct json_writer *w, const void *context)
{
    (void)context;
    content_begin(w);
    fixture_resource(w, "test://embedded-resource", "This is an embedded resource content.");
    json_array_end(w);
}

static void start_resource(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    finish_with(call, write_resource);
}

static void write_mixed(struct json_writer *w, const void *context)
{
    (void)context;
    content_begin(w);
    fixture_text(w, "Multiple content types test:");
    fixture_blob(w, "image", "image/png", FIXTURE_PNG);
    fixture_resource(w, "test://mixed-content-resource", "{\"test\":\"data\",\"value\":123}");
    json_array_end(w);
}

static void start_mixed(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    finish_with(call, write_mixed);
}

static void write_error(struct json_writer *w, const void *context)
{
    write_text(w, context);
    json_key(w, "isError");
    json_bool(w, true);
}

static void start_error(struct tool_call *call, const struct cJSON *args)
{
    const struct tool_result result = {.is_error = true,
                                       .error = SCOUT_E_INTERNAL,
                                       .write = write_error,
                                       .context = "This tool intentionally returns an error"};
    (void)args;
    tool_call_finish(call, &result);
}

static void start_echo(struct tool_call *call, const struct cJSON *args)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "region"));
    fixture_finish(call, text ? text : "no region");
}

static void start_tools_change(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    fixture_list_changed("tools");
    fixture_finish(call, "The list of tools has changed");
}

static void start_prompts_change(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    fixture_list_changed("prompts");
    fixture_finish(call, "The list of prompts has changed");
}

/* ---- in steps ---- */

struct steps {
    struct tool_call *call;
    struct io_timer timer;
    unsigned done;
    void (*step)(struct tool_call *call, unsigned step);
};

static void on_step(struct io_timer *timer)
{
    struct steps *s = CONTAINER_OF(timer, struct steps, timer);
    struct tool_call *call = s->call;
    struct io *io = call->registry->io;
    if (s->done == 3) {
        call->state = NULL;
        fixture_finish(call, "Done in three steps");
        return;
    }
    s->step(call, s->done++);
    io_timer_start(io, timer, io_now(io) + STEP_MS * (uint64_t)NS_PER_MS, on_step);
}

static void start_steps(struct tool_call *call, void (*step)(struct tool_call *, unsigned))
{
    struct steps *s = arena_alloc(&call->arena, sizeof *s);
    struct io *io = call->registry->io;
    if (!s)
        abort();
    *s = (struct steps){.call = call, .step = step};
    call->state = s;
    io_timer_init(&s->timer);
    io_timer_start(io, &s->timer, io_now(io), on_step);
}

static void cancel_steps(struct tool_call *call)
{
    struct steps *s = call->state;
    if (!s)
        return;
    io_timer_stop(call->registry->io, &s->timer);
    call->state = NULL;
    fixture_finish(call, "Cancelled");
}

static void step_progress(struct tool_call *call, unsigned step)
{
    tool_call_progress(call, step * 50, 100, NULL);
}

static void write_log(struct json_writer *w, const void *context)
{
    json_key(w, "level");
    json_str(w, "info");
    json_key(w, "data");
    json_str(w, context);
}

static void step_log(struct tool_call *call, unsigned step)
{
    static const char *const texts[] = {"Tool execution started", "Tool processing data",
                                        "Tool execution completed"};
    (void)tool_call_notify(call, "notifications/message", write_log, texts[step]);
}

static void start_progress(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    start_steps(call, step_progress);
}

static void start_log(struct tool_call *call, const struct cJSON *args)
{
    (void)args;
    start_steps(call, step_log);
}

/* ---- the table ---- */

#define TOOL(tool_name, words, fn)                                                                 \
    static const struct tool tool_##fn = {                                                         \
        .name = tool_name, .title = tool_name, .description = words, .start = start_##fn}
#define STEPPED(tool_name, words, fn)                                                              \
    static const struct tool tool_##fn = {.name = tool_name,                                       \
                                          .title = tool_name,                                      \
                                          .description = words,                                    \
                                          .start = start_##fn,                                     \
                                          .cancel = cancel_steps}

TOOL("test_simple_text", "Answers with a text", text);
TOOL("test_image_content", "Answers with an image", image);
TOOL("test_audio_content", "Answers with a sound", audio);
TOOL("test_embedded_resource", "Answers with a resource", resource);
TOOL("test_multiple_content_types", "Answers with several things", mixed);
TOOL("test_error_handling", "Fails", error);
TOOL("test_trigger_tool_change", "Tells that the tools changed", tools_change);
TOOL("test_trigger_prompt_change", "Tells that the prompts changed", prompts_change);
STEPPED("test_tool_with_progress", "Tells its progress", progress);
STEPPED("test_tool_with_logging", "Logs while it runs", log);

/* For a client that has not asked for logs: it logs nothing. */
static const struct tool tool_quiet = {.name = "test_logging_tool",
                                       .title = "test_logging_tool",
                                       .description = "Logs only for those who want it",
                                       .start = start_text};
static const struct tool tool_reconnection = {.name = "test_reconnection",
                                              .title = "test_reconnection",
                                              .description = "Ends its stream in the middle",
                                              .start = start_progress,
                                              .cancel = cancel_steps};
static const struct tool_param echo_params[] = {
    {.name = "region", .description = "Any text", .type = TOOL_STRING, .header = "Region"},
    {.name = "count", .description = "Any number", .type = TOOL_INTEGER, .header = "Count"},
    {.name = "urgent", .description = "Yes or no", .type = TOOL_BOOLEAN, .header = "Urgent"},
};
static const struct tool tool_header = {.name = "test_custom_header",
                                        .title = "test_custom_header",
                                        .description = "Has parameters that headers repeat",
                                        .params = echo_params,
                                        .param_count = 3,
                                        .start = start_echo};
static const struct tool tool_schema = {
    .name = "json_schema_2020_12_tool",
    .title = "json_schema_2020_12_tool",
    .description = "Tool with JSON Schema 2020-12 features",
    .input_schema =
        "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
        "\"$defs\":{\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\",\"properties\":{"
        "\"street\":{\"type\":\"string\"},\"city\":{\"type\":\"string\"}}}},\"properties\":{"
        "\"name\":{\"type\":\"string\"},\"address\":{\"$ref\":\"#/$defs/address\"},"
        "\"contactMethod\":{\"type\":\"string\",\"enum\":[\"phone\",\"email\"]},"
        "\"phone\":{\"type\":\"string\"},\"email\":{\"type\":\"string\"}},"
        "\"allOf\":[{\"anyOf\":[{\"required\":[\"phone\"]},{\"required\":[\"email\"]}]}],"
        "\"if\":{\"properties\":{\"contactMethod\":{\"const\":\"phone\"}},"
        "\"required\":[\"contactMethod\"]},\"then\":{\"required\":[\"phone\"]},"
        "\"else\":{\"required\":[\"email\"]},\"additionalProperties\":false}",
    .start = start_text};

const struct tool *const fixture_tools[] = {
    &tool_text,           &tool_image,        &tool_audio,  &tool_resource, &tool_mixed,
    &tool_error,          &tool_progress,     &tool_log,    &tool_quiet,    &tool_tools_change,
    &tool_prompts_change, &tool_reconnection, &tool_header, &tool_schema,
};
const size_t fixture_tool_count = sizeof fixture_tools / sizeof fixture_tools[0];
