/* One look: the same questions to policy as reading has, and one round trip. Links are followed. */
#include "resource_poll.h"

#include "resource_find.h"
#include "scout/fleet/path_stat.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <cjson/cJSON.h>
#include <sys/stat.h>

struct poll_call {
    struct tool_call *call;
    struct resource_uri uri;
    struct path_stat *stat; /* under way; NULL: none */
};

static void write_nothing(struct json_writer *w, const void *context)
{
    (void)w;
    (void)context;
}

static void finish(struct poll_call *p, const struct resource_seen *seen)
{
    const struct tool_result result = {
        .write = write_nothing, .context = seen, .is_clean = true, .is_whole = true};
    p->call->state = NULL;
    tool_call_finish(p->call, &result);
}

static void fail(struct poll_call *p, const struct failure *why)
{
    p->call->state = NULL;
    tool_call_fail(p->call, why);
}

/* Whether the caller may read or list what is there. */
static int permit(const struct poll_call *p, const struct stat_result *result, uint32_t mode,
                  struct failure *why)
{
    if (!S_ISREG(mode) && !S_ISDIR(mode))
        return failure_set(why, SCOUT_E_NOT_A_FILE, "Only files and directories are watched");
    return path_permit(p->call, S_ISREG(mode) ? POLICY_READ : POLICY_LIST, &p->uri.target,
                       result->real_path, why);
}

static void on_stat(void *context, const struct stat_result *result)
{
    struct poll_call *p = context;
    const struct sftp_attrs *a = result->reached ? &result->reached_attrs : &result->attrs;
    struct failure why;
    struct resource_seen seen = {.exists = false};
    p->stat = NULL;
    if (result->failure.error && result->failure.error != SCOUT_E_NOT_FOUND) {
        fail(p, &result->failure);
        return;
    }
    if (!result->failure.error && result->reached) {
        seen = (struct resource_seen){true, a->permissions, a->mtime, a->size};
        if (permit(p, result, a->permissions, &why) != 0) {
            fail(p, &why);
            return;
        }
    }
    finish(p, &seen);
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    const char *uri = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "uri"));
    struct poll_call *p = arena_alloc(&call->arena, sizeof *p);
    const struct ssh_host *host;
    struct failure why;
    if (!p) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        tool_call_fail(call, &why);
        return;
    }
    p->call = call;
    p->stat = NULL;
    call->state = p;
    if (resource_find_watchable(call, uri, &p->uri, &host, &why) != 0) {
        fail(p, &why);
        return;
    }
    const struct path_request request = {
        .host = host,
        .path = p->uri.target.path,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .deadline_ns = call->deadline_ns,
    };
    p->stat = path_stat_start(call->view->env->fleet, &request, on_stat, p);
    if (!p->stat) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        fail(p, &why);
    }
}

static void cancel(struct tool_call *call)
{
    struct poll_call *p = call->state;
    struct failure why;
    if (!p)
        return;
    if (p->stat)
        path_stat_cancel(p->stat);
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    fail(p, &why);
}

static const struct tool_param params[] = {
    {.name = "uri", .description = "what is watched", .type = TOOL_STRING, .required = true},
};

const struct tool resource_poll_tool = {
    .name = "resources/poll",
    .params = params,
    .param_count = 1,
    .verbs = POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_READ),
    .takes_params = true,
    .start = start,
    .cancel = cancel,
};
