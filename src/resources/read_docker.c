/* HOST://docker and the logs of a container (reference A.6). */
#include "resource_call.h"

/* ---- the containers ---- */

static void put_container(struct resource_call *r, struct slice line)
{
    const char *host = r->uri.target.host;
    struct slice name = page_next_field(&line), status = page_next_field(&line),
                 image = page_next_field(&line);
    const char *icon = fixed_says(status, "up") ? "\xe2\x97\x8f" : "\xe2\x97\x8b";
    page_printf(&r->page, "%s ", icon);
    page_put(&r->page, name);
    page_put(&r->page, slice_str("\n    Status: "));
    page_put(&r->page, status);
    page_put(&r->page, slice_str("\n    Image:  "));
    page_put(&r->page, image);
    page_printf(&r->page, "\n    Logs:   %s://docker/", host);
    page_put(&r->page, name);
    page_put(&r->page, slice_str("/logs\n\n"));
}

static void on_containers(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    struct slice rest = output->out, line;
    bool any = false;
    if (resource_ran_not(r, output))
        return;
    page_printf(&r->page, "# Docker Containers on %s\n", r->uri.target.host);
    while (output->status <= 0 && page_next_line(&rest, &line)) {
        if (line.len == 0)
            continue;
        if (!any) {
            page_rule(&r->page, '=', 50);
            page_put(&r->page, slice_str("\n"));
        }
        any = true;
        put_container(r, line);
    }
    if (!any) {
        page_put(&r->page, slice_str("\nNo containers found (or Docker not available)."));
        resource_put_reason(r, output);
    }
    resource_finish(r, "text/plain");
}

static void start_list(struct resource_call *r)
{
    static const char *const words[] = {
        "docker", "ps", "-a", "--format", "{{.Names}}\\t{{.Status}}\\t{{.Image}}", NULL};
    resource_run(r, &(struct fixed_command){.words = words}, on_containers);
}

const struct resource_reader read_docker = {.start = start_list};

/* ---- logs ---- */

static void on_logs(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    const char *host = r->uri.target.host, *name = r->uri.name;
    struct slice rest = output->out, line = slice_of("", 0);
    if (resource_ran_not(r, output))
        return;
    if (output->status > 0 && fixed_says(output->out, "no such container")) {
        resource_fail_as(r, SCOUT_E_NOT_FOUND,
                         "Container '%s' not found on %s. Use %s://docker to see available "
                         "containers.",
                         name, host, host);
        return;
    }
    if (output->status > 0) {
        page_next_line(&rest, &line);
        resource_fail_as(r, SCOUT_E_REMOTE, "Docker error on %s: %.*s", host,
                         (int)(line.len < 300 ? line.len : 300), (const char *)line.data);
        return;
    }
    resource_put_logs(r, output);
    resource_finish(r, "text/plain");
}

static void start_logs(struct resource_call *r)
{
    const char *const words[] = {"docker",       "logs",      "--tail", "100",
                                 "--timestamps", r->uri.name, NULL};
    resource_run(r, &(struct fixed_command){.words = words, .merged = true}, on_logs);
}

const struct resource_reader read_docker_logs = {.start = start_logs};
