/* The fixture's resources and prompts, and what is told of changes. */
#include "fixture.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#define TEMPLATE_BEGIN "test://template/"
#define TEMPLATE_END   "/data"

/* ---- resources ---- */

static void write_entry(struct json_writer *w, const char *key, const char *uri, const char *name,
                        const char *mime)
{
    json_object_begin(w);
    json_key(w, key);
    json_str(w, uri);
    json_key(w, "name");
    json_str(w, name);
    json_key(w, "description");
    json_str(w, name);
    json_key(w, "mimeType");
    json_str(w, mime);
    json_object_end(w);
}

static void write_list(struct json_writer *w, const void *context)
{
    (void)context;
    json_key(w, "resources");
    json_array_begin(w);
    write_entry(w, "uri", "test://static-text", "Static text", "text/plain");
    write_entry(w, "uri", "test://static-binary", "Static binary", "image/png");
    write_entry(w, "uri", "test://watched-resource", "Watched", "text/plain");
    json_array_end(w);
}

static void write_templates(struct json_writer *w, const void *context)
{
    (void)context;
    json_key(w, "resourceTemplates");
    json_array_begin(w);
    write_entry(w, "uriTemplate", TEMPLATE_BEGIN "{id}" TEMPLATE_END, "Template",
                "application/json");
    json_array_end(w);
}

static void start_list(struct tool_call *call, const struct cJSON *args)
{
    const struct tool_result result = {.write = write_list};
    (void)args;
    tool_call_finish(call, &result);
}

static void start_templates(struct tool_call *call, const struct cJSON *args)
{
    const struct tool_result result = {.write = write_templates};
    (void)args;
    tool_call_finish(call, &result);
}

static void write_read(struct json_writer *w, const void *context)
{
    const char *uri = context;
    bool binary = strcmp(uri, "test://static-binary") == 0;
    char text[512];
    snprintf(text, sizeof text, "{\"uri\":\"%.200s\",\"data\":\"This is the content\"}", uri);
    json_key(w, "contents");
    json_array_begin(w);
    json_object_begin(w);
    json_key(w, "uri");
    json_str(w, uri);
    json_key(w, "mimeType");
    json_str(w, binary ? "image/png" : "text/plain");
    json_key(w, binary ? "blob" : "text");
    json_str(w, binary ? FIXTURE_PNG : text);
    json_object_end(w);
    json_array_end(w);
}

static bool is_known(const char *uri)
{
    size_t begin = strlen(TEMPLATE_BEGIN), end = strlen(TEMPLATE_END), len = strlen(uri);
    return strcmp(uri, "test://static-text") == 0 || strcmp(uri, "test://static-binary") == 0 ||
           strcmp(uri, "test://watched-resource") == 0 ||
           (len > begin + end && strncmp(uri, TEMPLATE_BEGIN, begin) == 0 &&
            strcmp(uri + len - end, TEMPLATE_END) == 0);
}

static void start_read(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    const char *uri = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "uri"));
    const struct tool_result result = {.write = write_read, .context = uri};
    call->subject = uri;
    if (is_known(uri)) {
        tool_call_finish(call, &result);
        return;
    }
    failure_set(&why, SCOUT_E_NOT_FOUND, "Resource not found: %s", uri);
    tool_call_fail(call, &why);
}

/* ---- completion, levels, subscriptions ---- */

static void write_completion(struct json_writer *w, const void *context)
{
    (void)context;
    json_key(w, "completion");
    json_raw(w, slice_str("{\"values\":[\"paris\",\"park\",\"party\"],\"total\":3,"
                          "\"hasMore\":false}"));
}

static void start_complete(struct tool_call *call, const struct cJSON *args)
{
    const struct tool_result result = {.write = write_completion};
    (void)args;
    tool_call_finish(call, &result);
}

static void write_none(struct json_writer *w, const void *context)
{
    (void)w;
    (void)context;
}

static void start_none(struct tool_call *call, const struct cJSON *args)
{
    const struct tool_result result = {.write = write_none};
    (void)args;
    tool_call_finish(call, &result);
}

/* Those who listen: few, in this program. */
static struct tool_call *listening[64];
static size_t listening_count;

struct listen {
    struct io_timer timer;
    bool tools, prompts;
};

static void write_honoured(struct json_writer *w, const void *context)
{
    const struct listen *l = context;
    json_key(w, "notifications");
    json_object_begin(w);
    if (l->tools) {
        json_key(w, "toolsListChanged");
        json_bool(w, true);
    }
    if (l->prompts) {
        json_key(w, "promptsListChanged");
        json_bool(w, true);
    }
    json_object_end(w);
}

static void on_listen(struct io_timer *timer)
{
    struct listen *l = CONTAINER_OF(timer, struct listen, timer);
    for (size_t i = 0; i < listening_count; i++)
        if (listening[i]->state == l)
            (void)tool_call_notify(listening[i], "notifications/subscriptions/acknowledged",
                                   write_honoured, l);
}

static void start_listen(struct tool_call *call, const struct cJSON *args)
{
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(args, "notifications");
    struct listen *l = arena_alloc(&call->arena, sizeof *l);
    struct io *io = call->registry->io;
    struct failure why;
    if (!l || listening_count == sizeof listening / sizeof listening[0]) {
        failure_set(&why, SCOUT_E_LIMIT, "Too many listen");
        tool_call_fail(call, &why);
        return;
    }
    *l = (struct listen){
        .tools = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(wanted, "toolsListChanged")),
        .prompts = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(wanted, "promptsListChanged"))};
    call->state = l;
    listening[listening_count++] = call;
    io_timer_init(&l->timer);
    io_timer_start(io, &l->timer, io_now(io), on_listen);
}

static void cancel_listen(struct tool_call *call)
{
    struct listen *l = call->state;
    const struct tool_result result = {.write = write_none};
    for (size_t i = 0; i < listening_count; i++)
        if (listening[i] == call)
            listening[i] = listening[--listening_count];
    io_timer_stop(call->registry->io, &l->timer);
    tool_call_finish(call, &result);
}

void fixture_list_changed(const char *what)
{
    char method[64];
    bool tools = strcmp(what, "tools") == 0;
    snprintf(method, sizeof method, "notifications/%s/list_changed", what);
    for (size_t i = 0; i < listening_count; i++) {
        const struct listen *l = listening[i]->state;
        if (tools ? l->tools : l->prompts)
            (void)tool_call_notify(listening[i], method, write_none, NULL);
    }
}

static const struct tool_param uri_param[] = {
    {.name = "uri", .description = "of the resource", .type = TOOL_STRING, .required = true}};
static const struct tool_param listen_param[] = {{.name = "notifications",
                                                  .description = "what is to be told",
                                                  .type = TOOL_OBJECT,
                                                  .required = true}};

#define METHOD(variable, method, fn)                                                               \
    const struct tool variable = {.name = method, .takes_params = true, .start = fn}

METHOD(fixture_list_resources, "resources/list", start_list);
METHOD(fixture_list_templates, "resources/templates/list", start_templates);
METHOD(fixture_complete, "completion/complete", start_complete);
METHOD(fixture_subscribe, "resources/subscribe", start_none);
METHOD(fixture_set_level, "logging/setLevel", start_none);
const struct tool fixture_read_resource = {.name = "resources/read",
                                           .params = uri_param,
                                           .param_count = 1,
                                           .takes_params = true,
                                           .start = start_read};
const struct tool fixture_listen = {.name = "subscriptions/listen",
                                    .params = listen_param,
                                    .param_count = 1,
                                    .takes_params = true,
                                    .lasts = true,
                                    .start = start_listen,
                                    .cancel = cancel_listen};

const struct tool *const fixture_methods[] = {
    &fixture_list_resources, &fixture_list_templates, &fixture_read_resource,
    &fixture_complete,       &fixture_set_level,      &fixture_listen,
    &prompt_list_tool,       &prompt_get_tool,        &fixture_subscribe,
};
const size_t fixture_method_count = sizeof fixture_methods / sizeof fixture_methods[0];

/* ---- prompts ---- */

static const struct prompt_argument two_arguments[] = {{"arg1", "First test argument", true},
                                                       {"arg2", "Second test argument", true}};
static const struct prompt_argument uri_argument[] = {
    {"resourceUri", "URI of the resource to embed", true}};

static void message_begin(struct json_writer *w)
{
    json_object_begin(w);
    json_key(w, "role");
    json_str(w, "user");
    json_key(w, "content");
}

static void write_with_resource(struct json_writer *w, const struct cJSON *arguments)
{
    message_begin(w);
    fixture_resource(
        w, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(arguments, "resourceUri")),
        "Embedded resource content for testing.");
    json_object_end(w);
    message_begin(w);
    fixture_text(w, "Please process the embedded resource above.");
    json_object_end(w);
}

static void write_with_image(struct json_writer *w, const struct cJSON *arguments)
{
    (void)arguments;
    message_begin(w);
    fixture_blob(w, "image", "image/png", FIXTURE_PNG);
    json_object_end(w);
    message_begin(w);
    fixture_text(w, "Please analyze the image above.");
    json_object_end(w);
}

static const struct prompt prompts[] = {
    {.name = "test_simple_prompt",
     .description = "A prompt without arguments",
     .text = "This is a simple prompt for testing."},
    {.name = "test_prompt_with_arguments",
     .description = "A prompt with arguments",
     .arguments = two_arguments,
     .argument_count = 2,
     .text = "Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"},
    {.name = "test_prompt_with_embedded_resource",
     .description = "A prompt with a resource",
     .arguments = uri_argument,
     .argument_count = 1,
     .write = write_with_resource},
    {.name = "test_prompt_with_image",
     .description = "A prompt with an image",
     .write = write_with_image},
    {.name = "test_input_required_result_prompt",
     .description = "A prompt that asks its client",
     .start = fixture_prompt_ask},
};

const struct prompt_registry fixture_prompts = {prompts, sizeof prompts / sizeof prompts[0]};
