/* completion/complete: values for a variable of a template.
 *
 * Help with typing: what cannot be completed (a host that does not answer in time, a directory that
 * policy does not show, a variable before the host is known) has no values, which is no error. That
 * it failed is in the log and on record. A template or variable that does not exist is an error. */
#include "scout/resources/resources.h"

#include "completion.h"
#include "scout/base/time.h"
#include "scout/base/utf8.h"
#include "scout/resources/resource_uri.h"
#include "scout/tools/prompt.h"
#include "scout/tools/scout_tool.h"
#include <cjson/cJSON.h>
#include <stdio.h>

#define VARIABLE_NONE 1000 /* one that nothing is known of */

static void (*const sources[])(struct completion *c) = {
    [TEMPLATE_HOST] = complete_host,           [TEMPLATE_PATH] = complete_path,
    [TEMPLATE_CONTAINER] = complete_container, [TEMPLATE_PROJECT] = complete_project,
    [TEMPLATE_POOL] = complete_pool,
};

/* ---- the values ---- */

void completion_add(struct completion *c, const char *before, struct slice name, const char *after)
{
    if (utf8_valid_len(name) < name.len)
        return;
    c->total++;
    if (c->count == COMPLETION_VALUES_MAX)
        return;
    size_t size = strlen(before) + name.len + strlen(after) + 1;
    char *value = arena_alloc(&c->call->arena, size);
    if (!value)
        return;
    snprintf(value, size, "%s%.*s%s", before, (int)name.len, (const char *)name.data, after);
    c->values[c->count++] = value;
}

static void write_values(struct json_writer *w, const void *context)
{
    const struct completion *c = context;
    json_key(w, "completion");
    json_object_begin(w);
    json_key(w, "values");
    json_array_begin(w);
    for (size_t i = 0; i < c->count; i++)
        json_str(w, c->values[i]);
    json_array_end(w);
    json_key(w, "total");
    json_uint(w, c->total);
    json_key(w, "hasMore");
    json_bool(w, c->total > c->count);
    json_object_end(w);
}

void completion_end(struct completion *c, const struct failure *why)
{
    struct tool_result result = {.write = write_values, .context = c};
    if (why) {
        result.error = why->error;
        result.stage = why->stage;
        c->count = c->total = 0;
    }
    c->call->state = NULL;
    tool_call_finish(c->call, &result);
}

/* ---- the call ---- */

static const char *string_of(const struct cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static const struct prompt *find_prompt(const struct completion *c, const char *name)
{
    const struct prompt_registry *prompts = c->call->registry->prompts;
    for (size_t i = 0; prompts && name && i < prompts->count; i++)
        if (strcmp(prompts->list[i].name, name) == 0)
            return &prompts->list[i];
    return NULL;
}

/* Of a prompt, arguments that begin with "host" are hosts; others have no values. */
static int take_prompt(const struct completion *c, const char *prompt, const char *name,
                       struct failure *why)
{
    const struct prompt *p = find_prompt(c, prompt);
    if (!p)
        return target_refuse(why, "Unknown prompt", slice_str(prompt ? prompt : ""));
    for (size_t i = 0; i < p->argument_count; i++)
        if (strcmp(p->arguments[i].name, name) == 0)
            return strncmp(name, "host", 4) == 0 ? TEMPLATE_HOST : VARIABLE_NONE;
    return target_refuse(why, "The prompt has no such argument", slice_str(name));
}

/* What `ref` names; the argument's variable or a negative error. */
static int take_variable(struct completion *c, const struct cJSON *args, struct failure *why)
{
    const cJSON *ref = cJSON_GetObjectItemCaseSensitive(args, "ref");
    const cJSON *argument = cJSON_GetObjectItemCaseSensitive(args, "argument");
    const char *type = string_of(ref, "type"), *uri = string_of(ref, "uri");
    const char *name = string_of(argument, "name");
    c->value = string_of(argument, "value");
    bool is_prompt = type && strcmp(type, "ref/prompt") == 0;
    if (!is_prompt && (!type || strcmp(type, "ref/resource") != 0 || !uri))
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "there is no such \"ref\": it must be {\"type\":\"ref/resource\","
                           "\"uri\":TEMPLATE} or {\"type\":\"ref/prompt\",\"name\":PROMPT}");
    if (!name || !c->value || strlen(c->value) > RESOURCE_URI_MAX)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "\"argument\" must have the strings \"name\" and \"value\"");
    if (is_prompt)
        return take_prompt(c, string_of(ref, "name"), name, why);
    c->call->subject = uri;
    if (!resource_template_parse(uri, &c->template))
        return target_refuse(why, "Unknown resource template", slice_str(uri));
    int variable = template_variable_of(name);
    if (variable < 0 || !(c->template.variables & TEMPLATE_BIT(variable)))
        return target_refuse(why, "The template has no such variable", slice_str(name));
    return variable;
}

/* The host of the template, or that of the arguments that are known already. */
static int take_host(struct completion *c, const struct cJSON *args, struct failure *why)
{
    const cJSON *context = cJSON_GetObjectItemCaseSensitive(args, "context");
    const char *given = string_of(cJSON_GetObjectItemCaseSensitive(context, "arguments"), "host");
    struct fleet *fleet = c->call->view->env->fleet;
    const char *host = c->template.host[0] ? c->template.host : given;
    if (!host)
        return failure_set(why, SCOUT_E_UNKNOWN_HOST, "The host is not known yet");
    const char *name = fleet_name(fleet, host);
    return fleet_host(fleet, name ? name : host, &c->host, why);
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    const uint64_t most = COMPLETION_TIME_MS * (uint64_t)NS_PER_MS;
    struct completion *c = arena_alloc(&call->arena, sizeof *c);
    struct failure why;
    if (!c) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        tool_call_fail(call, &why);
        return;
    }
    *c = (struct completion){.call = call, .deadline_ns = call->started_ns + most};
    if (c->deadline_ns > call->deadline_ns)
        c->deadline_ns = call->deadline_ns;
    int variable = take_variable(c, args, &why);
    if (variable < 0) {
        tool_call_fail(call, &why);
        return;
    }
    call->state = c;
    if (variable == VARIABLE_NONE)
        completion_end(c, NULL);
    else if (variable != TEMPLATE_HOST && take_host(c, args, &why) != 0)
        completion_end(c, &why);
    else
        sources[variable](c);
}

static void cancel(struct tool_call *call)
{
    struct completion *c = call->state;
    struct failure why;
    if (!c)
        return;
    if (c->command)
        fixed_cancel(c->command);
    if (c->get)
        path_get_cancel(c->get);
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    completion_end(c, &why);
}

static const struct tool_param params[] = {
    {.name = "ref", .description = "the template", .type = TOOL_OBJECT, .required = true},
    {.name = "argument", .description = "its variable", .type = TOOL_OBJECT, .required = true},
    {.name = "context", .description = "variables that are known", .type = TOOL_OBJECT},
};

const struct tool resource_complete_tool = {
    .name = "completion/complete",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .takes_params = true,
    .start = start,
    .cancel = cancel,
};
