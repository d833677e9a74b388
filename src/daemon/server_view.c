/* A view and its life.
 *
 *   new --server_view_replace()--> current --a newer one--> retired --last call ended--> freed
 *
 * The tools count their calls in the view (struct tool_view). A retired view is freed by a task and
 * not from within the end of its last call: what that call leaves behind may still look at a host.
 */
#include "server_view.h"

#include "scout/fleet/redact.h"
#include "scout/resources/resources.h"
#include "scout/tools/change_tools.h"
#include "scout/tools/output_tool.h"
#include "scout/tools/path_tools.h"
#include "scout/tools/prompt.h"
#include "scout/tools/run_tool.h"
#include "scout/ui/page.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct server_view {
    struct tool_view view;
    struct tool_env env;
    struct settings settings;
    char transfer_base[PATHS_SIZE];
    struct ui_pages ui;
    struct fleet *fleet;
    struct ssh_config *ssh_config; /* the fleet's */
    struct io *io;
    struct io_task task;
    bool retired;
};

static const struct tool *const tools[] = {&scout_tool, &read_tool, &list_tool,  &stat_tool,
                                           &glob_tool,  &grep_tool, &write_tool, &edit_tool,
                                           &undo_tool,  &run_tool,  &output_tool};

static const struct tool *const methods[] = {&resource_list_tool,      &resource_templates_tool,
                                             &resource_read_tool,      &resource_complete_tool,
                                             &resource_subscribe_tool, &resource_listen_tool,
                                             &prompt_list_tool,        &prompt_get_tool};

const char *const server_instructions =
    "Looks at remote hosts over SSH. Call the tool `scout` with target `hosts` to see which hosts "
    "there are, then with `host:/path` to read a file or list a directory, and with `query` to run "
    "a command there that only looks, like grep, find or tail. `read` gives lines of a file, "
    "`glob` "
    "finds files and `grep` searches them. The tool `run`, where it is listed, runs any command; "
    "`edit` and `write` change files, and `undo` takes a change back. What takes long is answered "
    "with "
    "a job, in which the tool `output` reads on.";

void server_view_tools(struct tool_registry *registry)
{
    registry->tools = tools;
    registry->count = sizeof tools / sizeof tools[0];
    registry->tools_change = true;
    registry->prompts = &scout_prompts;
    registry->methods = methods;
    registry->method_count = sizeof methods / sizeof methods[0];
}

void server_view_free(struct server_view *v)
{
    if (!v)
        return;
    io_task_cancel(&v->task);
    if (v->fleet)
        fleet_free(v->fleet);
    policy_free(v->settings.policy);
    redactor_free(v->view.redactor);
    free(v);
}

static void on_task(struct io_task *task)
{
    server_view_free(CONTAINER_OF(task, struct server_view, task));
}

static void on_unused(struct tool_view *view)
{
    struct server_view *v = CONTAINER_OF(view, struct server_view, view);
    if (v->retired)
        io_defer(v->io, &v->task, on_task);
}

static int make_redactor(const struct server_view *v, const uint8_t *key, struct redactor **out,
                         struct failure *why)
{
    const struct settings_redact *from = &v->settings.redact;
    const char *patterns[REDACT_PATTERNS_MAX], *at = from->patterns;
    struct redactor_config config = {.defaults = v->settings.redact_defaults,
                                     .patterns = patterns,
                                     .pattern_count = from->count};
    for (size_t i = 0; i < from->count; i++, at += strlen(at) + 1)
        patterns[i] = at;
    memcpy(config.key, key, sizeof config.key);
    return redactor_new(out, &config, why);
}

static int build(struct server_view *v, const struct server_view_config *config,
                 struct failure *why)
{
    int error =
        fleet_new(&v->fleet, config->io, config->pool, config->resolver, config->ssh_config);
    if (!error)
        error = fleet_limit(v->fleet, v->settings.allow_hosts, v->settings.block_hosts);
    if (error)
        return failure_set(why, error, "The fleet cannot be made: %s", error_text(error));
    if (v->settings.enable_ui)
        error = ui_pages_init(&v->ui);
    if (error)
        return failure_set(why, error, "The pages for enable_ui cannot be made: %s",
                           error_text(error));
    struct redactor *redactor;
    if (make_redactor(v, config->redact_key, &redactor, why) != 0)
        return why->error;
    assert(v->settings.policy); /* without one everything would be allowed */
    v->env = (struct tool_env){
        .fleet = v->fleet,
        .holdings = config->holdings,
        .file_size_max = v->settings.max_file_size,
        .command_timeout_ns = v->settings.command_timeout_ns,
        .watch_interval_ns = v->settings.watch_interval_ns,
        .resource_hosts_max = v->settings.resource_hosts,
        .transfer_idle_ns = v->settings.transfer_idle_timeout_ns,
        .transfer_dir = v->settings.transfer_dir,
        .transfer_base = v->transfer_base,
    };
    v->view = (struct tool_view){.env = &v->env,
                                 .policy = v->settings.policy,
                                 .tool_sets = v->settings.tool_sets,
                                 .ui = v->settings.enable_ui ? &v->ui : NULL,
                                 .redactor = redactor,
                                 .output_budget = v->settings.output_budget,
                                 .raw_output = v->settings.raw_output,
                                 .detach_after_ns = v->settings.detach_after_ns,
                                 .job_timeout_ns = v->settings.job_timeout_ns,
                                 .on_unused = on_unused};
    return 0;
}

int server_view_new(struct server_view **out, const struct server_view_config *config,
                    struct failure *why)
{
    struct server_view *v = calloc(1, sizeof *v);
    if (!v) {
        ssh_config_free(config->ssh_config);
        policy_free(config->settings->policy);
        return failure_set(why, SCOUT_E_NOMEM, "No memory");
    }
    v->io = config->io;
    v->settings = *config->settings;
    snprintf(v->transfer_base, sizeof v->transfer_base, "%s", config->transfer_base);
    v->ssh_config = config->ssh_config;
    io_task_init(&v->task);
    int error = build(v, config, why);
    if (error)
        server_view_free(v);
    else
        *out = v;
    return error;
}

void server_view_replace(struct server_view **current, struct server_view *next,
                         struct tool_registry *registry)
{
    struct server_view *old = *current;
    *current = next;
    registry->view = &next->view;
    if (!old)
        return;
    old->retired = true;
    if (old->view.calls == 0)
        on_unused(&old->view);
}

const struct settings *server_view_settings(const struct server_view *v)
{
    return &v->settings;
}

struct fleet *server_view_fleet(const struct server_view *v)
{
    return v->fleet;
}

struct ssh_config *server_view_ssh_config(const struct server_view *v)
{
    return v->ssh_config;
}

static bool hosts_differ(const struct fleet *a, const struct fleet *b)
{
    const char *const *names, *const *others;
    size_t count = fleet_names(a, &names);
    if (fleet_names(b, &others) != count)
        return true;
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], others[i]) != 0)
            return true;
    return false;
}

/* As they are written. Without memory to tell: they do. */
static bool policies_differ(const struct policy *a, const struct policy *b)
{
    struct buf one, other;
    buf_init(&one, SIZE_MAX);
    buf_init(&other, SIZE_MAX);
    bool same = policy_describe(a, &one) == 0 && policy_describe(b, &other) == 0 &&
                slice_equal(buf_peek(&one), buf_peek(&other));
    buf_fini(&one);
    buf_fini(&other);
    return !same;
}

bool server_view_lists_differ(const struct server_view *a, const struct server_view *b)
{
    return a->settings.resource_hosts != b->settings.resource_hosts ||
           a->settings.tool_sets != b->settings.tool_sets ||
           a->settings.enable_ui != b->settings.enable_ui || a->settings.role != b->settings.role ||
           hosts_differ(a->fleet, b->fleet) ||
           policies_differ(a->settings.policy, b->settings.policy);
}
