/* The typed tools `list` and `stat`: what the scout tool shows of a path, each with a schema of its
 * own. A file is not listed: it is refused unopened, with the name of the tool that would take it.
 */
#include "scout/tools/path_tools.h"

#include "path_call.h"
#include "path_schema.h"
#include "scout/fleet/path_stat.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include "scout_result.h"
#include "stat_result.h"

struct look_call {
    struct path_call path;
    struct path_get *get; /* one of the two is under way */
    struct path_stat *stat;
};

/* ---- list ---- */

static int permit_list(void *context, struct slice real_path, enum path_kind kind,
                       struct failure *why)
{
    struct look_call *l = context;
    if (kind != PATH_DIRECTORY)
        return failure_set(why, SCOUT_E_NOT_A_FILE, "%.400s is a file: use the tool read",
                           l->path.target.path);
    return path_permit(l->path.call, POLICY_LIST, &l->path.target, real_path, why);
}

static void on_got(void *context, const struct path_result *result)
{
    struct look_call *l = context;
    struct tool_call *call = l->path.call;
    l->get = NULL;
    call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        path_call_fail(&l->path, &result->failure);
        return;
    }
    struct path_answer answer = {.host = l->path.target.host,
                                 .path = l->path.target.path,
                                 .now_s = io_wall_ms(call->registry->io) / 1000,
                                 .result = result};
    path_call_finish(&l->path, path_answer_write, &answer);
}

/* ---- stat ---- */

static int permit_stat(void *context, struct slice real_path, enum path_kind kind,
                       struct failure *why)
{
    struct look_call *l = context;
    (void)kind;
    return path_permit(l->path.call, POLICY_STAT, &l->path.target, real_path, why);
}

static void on_stat(void *context, const struct stat_result *result)
{
    struct look_call *l = context;
    l->stat = NULL;
    l->path.call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        path_call_fail(&l->path, &result->failure);
        return;
    }
    struct stat_answer answer = {
        .host = l->path.target.host, .path = l->path.target.path, .result = result};
    path_call_finish(&l->path, stat_answer_write, &answer);
}

/* ---- the begin ---- */

/* The call's state with the request of a look; NULL when the call has ended. */
static struct look_call *begin(struct tool_call *call, const struct cJSON *args,
                               enum policy_verb verb, path_permit_fn *permit,
                               struct path_request *request)
{
    struct failure why;
    struct look_call *l = arena_alloc(&call->arena, sizeof *l);
    if (!l) {
        path_call_fail_memory(call);
        return NULL;
    }
    *l = (struct look_call){.get = NULL};
    if (path_call_init(&l->path, call, args, POLICY_BIT(verb), &why) != 0) {
        path_call_fail(&l->path, &why);
        return NULL;
    }
    call->state = l;
    *request = path_call_request(&l->path);
    request->permit = permit;
    return l;
}

static void start_list(struct tool_call *call, const struct cJSON *args)
{
    struct path_request request;
    struct look_call *l = begin(call, args, POLICY_LIST, permit_list, &request);
    if (!l)
        return;
    l->get = path_get_start(call->view->env->fleet, &request, on_got, l);
    if (!l->get)
        path_call_fail_memory(call);
}

static void start_stat(struct tool_call *call, const struct cJSON *args)
{
    struct path_request request;
    struct look_call *l = begin(call, args, POLICY_STAT, permit_stat, &request);
    if (!l)
        return;
    l->stat = path_stat_start(call->view->env->fleet, &request, on_stat, l);
    if (!l->stat)
        path_call_fail_memory(call);
}

static void cancel(struct tool_call *call)
{
    struct look_call *l = call->state;
    if (!l)
        return;
    if (l->get)
        path_get_cancel(l->get);
    if (l->stat)
        path_stat_cancel(l->stat);
    path_call_fail_cancelled(&l->path);
}

/* ---- the tables ---- */

static const struct tool_param path_params[] = {PATH_CALL_TARGET_PARAM};

const struct tool list_tool = {
    .name = "list",
    .title = "List a directory",
    .description = "Lists a directory of a remote host over SSH, hidden names included.",
    .set = TOOL_SET_FILES,
    .params = path_params,
    .param_count = 1,
    .output_schema = list_output_schema,
    .verbs = POLICY_BIT(POLICY_LIST),
    .is_long = true,
    .idempotent = true,
    .open_world = true,
    .start = start_list,
    .cancel = cancel,
};

const struct tool stat_tool = {
    .name = "stat",
    .title = "Look at a path",
    .description = "Tells what a path of a remote host is: type, size, mode, owner, time, its real "
                   "path and, of a link, what it leads to. Opens nothing.",
    .set = TOOL_SET_FILES,
    .params = path_params,
    .param_count = 1,
    .output_schema = stat_output_schema,
    .verbs = POLICY_BIT(POLICY_STAT),
    .idempotent = true,
    .open_world = true,
    .start = start_stat,
    .cancel = cancel,
};
