/* HOST://syslog: the journal's last lines, else those of /var/log/syslog (reference A.6).
 *
 * The journal is a query to policy; the file is read as any file, by its real path, of which only
 * the end is asked for. A caller who may not query, but may read that file, gets the file. */
#include "resource_call.h"

#include "scout/fleet/path_stat.h"
#include "scout/tools/path_permit.h"
#include <sys/stat.h>

#define LOG_FILE  "/var/log/syslog"
#define LOG_LINES "100"

struct syslog_state {
    struct target file;
    struct path_stat *stat;
};

static void finish_unavailable(struct resource_call *r)
{
    page_put(&r->page, slice_str("System logs are not available on this host.\n\nNeither "
                                 "journalctl nor " LOG_FILE " is accessible."));
    resource_finish(r, "text/plain");
}

static void finish_lines(struct resource_call *r, const char *title, struct slice lines)
{
    page_printf(&r->page, "# %s\n\n", title);
    page_put(&r->page, lines);
    resource_finish(r, "text/plain");
}

/* ---- the file ---- */

static void on_tail(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    if (resource_ran_not(r, output))
        return;
    if (output->status != 0)
        finish_unavailable(r);
    else
        finish_lines(r, LOG_FILE, output->out);
}

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    struct resource_call *r = context;
    const struct syslog_state *s = r->state;
    (void)kind;
    return path_permit(r->call, POLICY_READ, &s->file, real_path, why);
}

static bool is_regular(const struct stat_result *result)
{
    const struct sftp_attrs *a = result->reached ? &result->reached_attrs : &result->attrs;
    return a->flags & SFTP_ATTR_PERMISSIONS && S_ISREG(a->permissions);
}

static void on_stat(void *context, const struct stat_result *result)
{
    struct resource_call *r = context;
    struct syslog_state *s = r->state;
    char path[TARGET_PATH_MAX + 1] = LOG_FILE;
    const char *const words[] = {"tail", "-n", LOG_LINES, "--", path, NULL};
    const struct fixed_command tail = {.words = words, .permitted = true};
    s->stat = NULL;
    if (result->failure.error == SCOUT_E_NOT_FOUND || result->failure.error == SCOUT_E_PERMISSION ||
        (!result->failure.error && !is_regular(result))) {
        finish_unavailable(r);
        return;
    }
    if (result->failure.error) {
        resource_fail(r, &result->failure);
        return;
    }
    if (result->real_path.len > 0 && result->real_path.len < sizeof path) {
        memcpy(path, result->real_path.data, result->real_path.len);
        path[result->real_path.len] = '\0';
    }
    resource_run(r, &tail, on_tail);
}

static void look_at_file(struct resource_call *r)
{
    struct syslog_state *s = r->state;
    const struct path_request request = {
        .host = r->host,
        .path = LOG_FILE,
        .principal = r->call->identity->principal,
        .client = r->call->identity->client,
        .deadline_ns = r->call->deadline_ns,
        .permit = permit,
    };
    struct failure why;
    if (path_permit_early(r->call, POLICY_BIT(POLICY_READ), &s->file, &why) != 0) {
        resource_fail(r, &why);
        return;
    }
    s->stat = path_stat_start(r->call->view->env->fleet, &request, on_stat, r);
    if (!s->stat)
        resource_fail_as(r, SCOUT_E_NOMEM, "No memory for the request");
}

/* ---- the journal ---- */

static void on_journal(void *context, const struct fixed_output *output)
{
    struct resource_call *r = context;
    if (resource_ran_not(r, output))
        return;
    if (output->status == 0 && output->out.len > 0)
        finish_lines(r, LOG_FILE " (journalctl)", output->out);
    else
        look_at_file(r);
}

static void start(struct resource_call *r)
{
    static const char *const words[] = {"journalctl", "--no-pager", "-n", LOG_LINES, NULL};
    const struct fixed_command journal = {.words = words};
    struct syslog_state *s = arena_alloc(&r->call->arena, sizeof *s);
    struct failure why;
    if (!s ||
        target_make(slice_str(r->uri.target.host), slice_str(LOG_FILE), &s->file, &why) != 0) {
        resource_fail_as(r, SCOUT_E_NOMEM, "No memory for the request");
        return;
    }
    s->stat = NULL;
    r->state = s;
    r->command = fixed_start(r->call, r->host, &journal, r->call->deadline_ns, on_journal, r, &why);
    if (r->command)
        return;
    if (why.error == SCOUT_E_POLICY)
        look_at_file(r);
    else
        resource_fail(r, &why);
}

static void cancel(struct resource_call *r)
{
    struct syslog_state *s = r->state;
    if (s && s->stat)
        path_stat_cancel(s->stat);
}

const struct resource_reader read_syslog = {.start = start, .cancel = cancel};
