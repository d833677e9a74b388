/* HOST://compose, the file of a project, and its logs (reference A.6).
 *
 * Where the file is, docker says; it is then read as any other file: over SFTP, and only where
 * policy lets the caller read its real path. A project that is made of several files has them one
 * after the other. */
#include "compose_projects.h"
#include "resource_call.h"
#include "scout/tools/path_permit.h"

/* ---- the projects ---- */

static void put_title(struct resource_call *r)
{
    page_printf(&r->page, "# Docker Compose Projects on %s\n", r->uri.target.host);
}

static void put_nothing(struct resource_call *r)
{
    page_put(&r->page, slice_str("\nNo projects found (or Docker Compose not available)."));
}

static void put_project(struct resource_call *r, const struct compose_project *p)
{
    const char *host = r->uri.target.host;
    bool running = fixed_says(slice_str(p->status), "running");
    const struct slice parts[] = {
        slice_str(running ? "\xe2\x97\x8f " : "\xe2\x97\x8b "),
        slice_str(p->name),
        slice_str("\n    Status: "),
        slice_str(p->status),
        slice_str("\n    Config: "),
        slice_str(p->files),
        slice_str("\n    View:   "),
        slice_str(host),
        slice_str("://compose/"),
        slice_str(p->name),
        slice_str("\n    Logs:   "),
        slice_str(host),
        slice_str("://compose/"),
        slice_str(p->name),
        slice_str("/logs\n\n"),
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        page_put(&r->page, parts[i]);
}

static void on_projects(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    size_t count;
    if (resource_ran_not(r, output))
        return;
    const struct compose_project *projects =
        compose_projects_read(output->out, &r->call->arena, &count);
    put_title(r);
    if (output->status != 0 || count == 0) {
        put_nothing(r);
        resource_put_reason(r, output);
    } else {
        page_rule(&r->page, '=', 50);
        page_put(&r->page, slice_str("\n"));
        for (size_t i = 0; i < count; i++)
            put_project(r, &projects[i]);
    }
    resource_finish(r, "text/plain");
}

static void start_list(struct resource_call *r)
{
    resource_run(r, &(struct fixed_command){.words = compose_list_words}, on_projects);
}

const struct resource_reader read_compose = {.start = start_list};

/* ---- the file ---- */

struct compose_files {
    const char *next; /* the paths that are not read yet */
    bool any;         /* one has been read */
    struct target target;
};

static void read_next_file(struct resource_call *r);

static void fail_project(struct resource_call *r)
{
    const char *host = r->uri.target.host;
    resource_fail_as(r, SCOUT_E_NOT_FOUND,
                     "Compose project '%s' not found on %s. Use %s://compose to see available "
                     "projects.",
                     r->uri.name, host, host);
}

static void fail_file(struct resource_call *r, struct slice path, const struct failure *why)
{
    struct failure own;
    failure_set(&own, why->error, "Cannot read compose file: %.*s: %s",
                (int)(path.len < 200 ? path.len : 200), (const char *)path.data, why->text);
    own.stage = why->stage;
    resource_fail(r, &own);
}

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    struct resource_call *r = context;
    const struct compose_files *f = r->state;
    if (kind != PATH_FILE)
        return failure_set(why, SCOUT_E_NOT_A_FILE, "it is a directory");
    return path_permit(r->call, POLICY_READ, &f->target, real_path, why);
}

static void on_file(void *context, const struct path_result *result)
{
    struct resource_call *r = context;
    struct compose_files *f = r->state;
    const struct failure empty = {SCOUT_E_REMOTE, NULL, "it is empty"};
    r->get = NULL;
    if (result->failure.error || result->text.len == 0) {
        fail_file(r, slice_str(f->target.path), result->failure.error ? &result->failure : &empty);
        return;
    }
    page_printf(&r->page, "%s# File: %s\n\n", f->any ? "\n" : "", f->target.path);
    page_put(&r->page, result->text);
    f->any = true;
    if (result->truncated)
        page_printf(&r->page, "\n\n[truncated at %llu bytes]",
                    (unsigned long long)r->call->view->env->file_size_max);
    read_next_file(r);
}

/* Reads the next of the paths; without one, the page is whole. */
static void read_next_file(struct resource_call *r)
{
    struct compose_files *f = r->state;
    struct failure why;
    size_t len = strcspn(f->next, ",");
    struct slice path = slice_of(f->next, len);
    if (len == 0) {
        resource_finish(r, "text/yaml");
        return;
    }
    f->next += len + (f->next[len] == ',');
    const struct path_request request = {
        .host = r->host,
        .path = f->target.path,
        .principal = r->call->identity->principal,
        .client = r->call->identity->client,
        .size_max = r->call->view->env->file_size_max,
        .deadline_ns = r->call->deadline_ns,
        .permit = permit,
    };
    int error = target_make(slice_str(r->uri.target.host), path, &f->target, &why);
    if (!error)
        error = path_permit_early(r->call, POLICY_BIT(POLICY_READ), &f->target, &why);
    if (!error) {
        r->get = path_get_start(r->call->view->env->fleet, &request, on_file, r);
        if (!r->get)
            error = failure_set(&why, SCOUT_E_NOMEM, "no memory for the request");
    }
    if (error)
        fail_file(r, path, &why);
}

static void on_place(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    struct compose_files *f;
    size_t count, i = 0;
    if (resource_ran_not(r, output))
        return;
    const struct compose_project *projects =
        compose_projects_read(output->out, &r->call->arena, &count);
    while (i < count && strcmp(projects[i].name, r->uri.name) != 0)
        i++;
    if (i == count || !projects[i].files[0]) {
        fail_project(r);
        return;
    }
    f = arena_alloc(&r->call->arena, sizeof *f);
    if (!f) {
        resource_fail_as(r, SCOUT_E_NOMEM, "No memory for the request");
        return;
    }
    *f = (struct compose_files){.next = projects[i].files};
    r->state = f;
    page_printf(&r->page, "# Compose: %s@%s\n", r->uri.name, r->uri.target.host);
    read_next_file(r);
}

static void start_file(struct resource_call *r)
{
    resource_run(r, &(struct fixed_command){.words = compose_list_words}, on_place);
}

const struct resource_reader read_compose_file = {.start = start_file};

/* ---- logs ---- */

/* The host has no docker, or a docker that does not know compose: it then takes the words for its
 * own, fails, and says how it is used. */
static bool has_no_compose(const struct fixed_output *output)
{
    static const char *const says[] = {"is not a docker command", "unknown command: docker compose",
                                       "unknown shorthand flag: 'p' in -p"};
    for (size_t i = 0; output->status > 0 && i < sizeof says / sizeof says[0]; i++)
        if (fixed_says(output->out, says[i]))
            return true;
    return output->status == FIXED_NOT_FOUND;
}

static void on_logs(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    if (resource_ran_not(r, output))
        return;
    if (has_no_compose(output)) {
        put_title(r);
        put_nothing(r);
        resource_finish(r, "text/plain");
        return;
    }
    if (output->status > 0 && fixed_says(output->out, "no configuration file provided")) {
        fail_project(r);
        return;
    }
    resource_put_logs(r, output);
    resource_finish(r, "text/plain");
}

static void start_logs(struct resource_call *r)
{
    const char *const words[] = {"docker", "compose", "-p",           r->uri.name, "logs",
                                 "--tail", "100",     "--timestamps", NULL};
    resource_run(r, &(struct fixed_command){.words = words, .merged = true}, on_logs);
}

const struct resource_reader read_compose_logs = {.start = start_logs};
