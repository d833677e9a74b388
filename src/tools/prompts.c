/* prompts/list and prompts/get.
 *
 * All prompts are on one page. An argument's value is text that a person typed: it goes into the
 * message as it is and is never looked at again, so a brace in it means nothing. */
#include "scout/tools/prompt.h"

#include "result.h"
#include "scout/fleet/target.h"
#include <cjson/cJSON.h>
#include <string.h>

static const struct prompt_registry *prompts_of(const struct tool_call *call)
{
    return call->registry->prompts;
}

static void start_list(struct tool_call *call, const struct cJSON *args);
static void start_get(struct tool_call *call, const struct cJSON *args);

/* ---- the list ---- */

static void write_argument(struct json_writer *w, const struct prompt_argument *a)
{
    json_object_begin(w);
    result_str(w, "name", a->name);
    result_str(w, "description", a->description);
    result_bool(w, "required", a->required);
    json_object_end(w);
}

static void write_prompt(struct json_writer *w, const struct prompt *p)
{
    json_object_begin(w);
    result_str(w, "name", p->name);
    if (p->title)
        result_str(w, "title", p->title);
    result_str(w, "description", p->description);
    json_key(w, "arguments");
    json_array_begin(w);
    for (size_t i = 0; i < p->argument_count; i++)
        write_argument(w, &p->arguments[i]);
    json_array_end(w);
    json_object_end(w);
}

static void write_list(struct json_writer *w, const void *context)
{
    const struct prompt_registry *prompts = context;
    json_key(w, "prompts");
    json_array_begin(w);
    for (size_t i = 0; i < prompts->count; i++)
        write_prompt(w, &prompts->list[i]);
    json_array_end(w);
}

static void start_list(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    const struct tool_result result = {.write = write_list, .context = prompts_of(call)};
    if (!cJSON_GetObjectItemCaseSensitive(args, "cursor")) {
        tool_call_finish(call, &result);
        return;
    }
    failure_set(&why, SCOUT_E_INVALID_ARGUMENT, "There is no page with that cursor");
    tool_call_fail(call, &why);
}

/* ---- one of them ---- */

static const char *argument_of(const struct cJSON *arguments, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(arguments, name));
}

/* What stands for `{name}` or `{name|words}`, which has `len` bytes between its braces. */
static struct slice value_of(const struct cJSON *arguments, const char *at, size_t len)
{
    char name[64];
    const char *bar = memchr(at, '|', len);
    size_t name_len = bar ? (size_t)(bar - at) : len;
    const char *value = NULL;
    if (name_len < sizeof name) {
        memcpy(name, at, name_len);
        name[name_len] = '\0';
        value = argument_of(arguments, name);
    }
    if (value && value[0])
        return slice_str(value);
    return bar ? slice_of(bar + 1, len - name_len - 1) : slice_of("", 0);
}

static void write_text(struct json_writer *w, const char *text, const struct cJSON *arguments)
{
    struct json_text_parts parts;
    json_text_begin(w, &parts);
    while (*text) {
        size_t len = strcspn(text, "{");
        json_text_part(w, &parts, slice_of(text, len));
        text += len;
        if (!*text)
            break;
        len = strcspn(text, "}");
        json_text_part(w, &parts, value_of(arguments, text + 1, len - 1));
        text += len + 1;
    }
    json_text_end(w, &parts);
}

struct prompt_answer {
    const struct prompt *prompt;
    void (*write)(struct json_writer *w, const struct cJSON *arguments);
    const struct cJSON *arguments;
};

static void write_message(struct json_writer *w, const struct prompt_answer *a)
{
    json_object_begin(w);
    result_str(w, "role", "user");
    json_key(w, "content");
    json_object_begin(w);
    result_str(w, "type", "text");
    json_key(w, "text");
    write_text(w, a->prompt->text, a->arguments);
    json_object_end(w);
    json_object_end(w);
}

static void write_answer(struct json_writer *w, const void *context)
{
    const struct prompt_answer *a = context;
    result_str(w, "description", a->prompt->description);
    json_key(w, "messages");
    json_array_begin(w);
    if (a->write)
        a->write(w, a->arguments);
    else
        write_message(w, a);
    json_array_end(w);
}

void prompt_finish(struct tool_call *call, const struct prompt *p,
                   void (*write)(struct json_writer *w, const struct cJSON *arguments),
                   const struct cJSON *arguments)
{
    const struct prompt_answer answer = {p, write, arguments};
    const struct tool_result result = {.write = write_answer, .context = &answer};
    tool_call_finish(call, &result);
}

static const struct prompt *prompt_find(const struct tool_call *call, const char *name)
{
    const struct prompt_registry *prompts = prompts_of(call);
    for (size_t i = 0; i < prompts->count; i++)
        if (strcmp(prompts->list[i].name, name) == 0)
            return &prompts->list[i];
    return NULL;
}

static const struct prompt_argument *argument_find(const struct prompt *p, const char *name)
{
    for (size_t i = 0; i < p->argument_count; i++)
        if (strcmp(p->arguments[i].name, name) == 0)
            return &p->arguments[i];
    return NULL;
}

/* What completion takes for a host is one (resource_complete.c). */
static int check_host(const char *name, const char *value, struct failure *why)
{
    struct target target;
    if (strncmp(name, "host", 4) != 0)
        return 0;
    return target_make(slice_str(value), slice_str("/"), &target, why);
}

static int check_arguments(const struct prompt *p, const struct cJSON *arguments,
                           struct failure *why)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, arguments)
    {
        const char *value = cJSON_GetStringValue(item);
        if (!argument_find(p, item->string))
            return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                               "The prompt %s has no argument \"%.64s\"", p->name, item->string);
        if (!value || strlen(value) > PROMPT_ARGUMENT_MAX)
            return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                               "The argument \"%s\" must be a string of at most %d bytes",
                               item->string, PROMPT_ARGUMENT_MAX);
        if (check_host(item->string, value, why) != 0)
            return why->error;
    }
    for (size_t i = 0; i < p->argument_count; i++)
        if (p->arguments[i].required && !argument_of(arguments, p->arguments[i].name))
            return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                               "The prompt %s needs the argument \"%s\"", p->name,
                               p->arguments[i].name);
    return 0;
}

static void start_get(struct tool_call *call, const struct cJSON *args)
{
    const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(args, "arguments");
    const char *name = argument_of(args, "name");
    const struct prompt *p = prompt_find(call, name);
    struct failure why;
    int error =
        p ? check_arguments(p, arguments, &why)
          : failure_set(&why, SCOUT_E_INVALID_ARGUMENT, "There is no prompt \"%.128s\"", name);
    if (error)
        tool_call_fail(call, &why);
    else if (p->start)
        p->start(call, p, arguments);
    else
        prompt_finish(call, p, p->write, arguments);
}

static const struct tool_param list_params[] = {
    {.name = "cursor", .description = "of a page", .type = TOOL_STRING}};
static const struct tool_param get_params[] = {
    {.name = "name", .description = "of the prompt", .type = TOOL_STRING, .required = true},
    {.name = "arguments", .description = "its arguments", .type = TOOL_OBJECT},
};

const struct tool prompt_list_tool = {.name = "prompts/list",
                                      .params = list_params,
                                      .param_count = sizeof list_params / sizeof list_params[0],
                                      .takes_params = true,
                                      .start = start_list};
const struct tool prompt_get_tool = {.name = "prompts/get",
                                     .params = get_params,
                                     .param_count = sizeof get_params / sizeof get_params[0],
                                     .takes_params = true,
                                     .start = start_get};
