/* Completions of names: hosts, as the caller gets to see them; what docker, compose and ZFS have,
 * as their programs say on the host. Letters are the same in both cases. */
#include "completion.h"

#include "compose_projects.h"
#include "page.h"
#include "scout/resources/resource_uri.h"
#include "scout/tools/host_list.h"
#include "scout/tools/scout_tool.h"
#include <strings.h>

static bool begins(struct slice name, const char *prefix)
{
    size_t len = strlen(prefix);
    return name.len >= len && strncasecmp((const char *)name.data, prefix, len) == 0;
}

static void add_if_fits(struct completion *c, struct slice name)
{
    if (name.len > 0 && begins(name, c->value))
        completion_add(c, "", name, "");
}

void complete_host(struct completion *c)
{
    const struct policy_request request = {.verb = POLICY_HOSTS};
    const char *const *names;
    struct failure why;
    if (tool_call_permit(c->call, &request, &why) != 0) {
        completion_end(c, &why);
        return;
    }
    size_t count = fleet_names(c->call->view->env->fleet, &names);
    for (size_t i = 0; i < count; i++) {
        struct slice name = slice_str(names[i]);
        if (begins(name, c->value) && (!c->template.is_scheme || resource_uri_is_scheme(name)) &&
            tool_host_is_visible(c->call, names[i]))
            completion_add(c, "", name, "");
    }
    completion_end(c, NULL);
}

static void run(struct completion *c, const char *const *words, fixed_fn *fn)
{
    const struct fixed_command command = {.words = words, .unattended = true};
    struct failure why;
    c->command = fixed_start(c->call, c->host, &command, c->deadline_ns, fn, c, &why);
    if (!c->command)
        completion_end(c, &why);
}

/* The first field of each line. */
static void on_lines(void *context, const struct fixed_output *output)
{
    struct completion *c = context;
    struct slice rest = output->out, line;
    c->command = NULL;
    while (output->status == 0 && page_next_line(&rest, &line))
        add_if_fits(c, page_next_field(&line));
    completion_end(c, output->failure.error ? &output->failure : NULL);
}

void complete_container(struct completion *c)
{
    static const char *const words[] = {"docker", "ps", "-a", "--format", "{{.Names}}", NULL};
    run(c, words, on_lines);
}

void complete_pool(struct completion *c)
{
    static const char *const words[] = {"zpool", "list", "-H", "-o", "name", NULL};
    run(c, words, on_lines);
}

static void on_projects(void *context, const struct fixed_output *output)
{
    struct completion *c = context;
    size_t count;
    c->command = NULL;
    const struct compose_project *projects =
        compose_projects_read(output->out, &c->call->arena, &count);
    for (size_t i = 0; i < count; i++)
        add_if_fits(c, slice_str(projects[i].name));
    completion_end(c, output->failure.error ? &output->failure : NULL);
}

void complete_project(struct completion *c)
{
    run(c, compose_list_words, on_projects);
}
