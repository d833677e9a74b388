/* The typed tools `read`, `list` and `stat`: what the scout tool shows of a path, each with a
 * schema of its own. A file is read and a directory is listed; the other kind is refused unopened,
 * with the name of the tool that would take it. */
#include "scout/tools/path_tools.h"

#include "path_schema.h"
#include "scout/fleet/path_stat.h"
#include "scout/fleet/target.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include "scout_result.h"
#include "stat_result.h"
#include <cjson/cJSON.h>

struct path_call {
    struct tool_call *call;
    struct target target;
    const struct ssh_host *host;
    uint64_t size_max;
    struct path_get *get; /* one of the two is under way */
    struct path_stat *stat;
};

static void fail(struct path_call *p, const struct failure *why)
{
    p->call->state = NULL; /* `p` is in the call's arena */
    tool_call_fail(p->call, why);
}

static void finish(struct path_call *p, tool_write_fn *write, const void *context)
{
    struct tool_result result = {.write = write, .context = context};
    p->call->state = NULL;
    tool_call_finish(p->call, &result);
}

/* ---- read and list ---- */

static int permit_read(void *context, struct slice real_path, enum path_kind kind,
                       struct failure *why)
{
    struct path_call *p = context;
    if (kind != PATH_FILE)
        return failure_set(why, SCOUT_E_NOT_A_FILE, "%.400s is a directory: use the tool list",
                           p->target.path);
    return path_permit(p->call, POLICY_READ, &p->target, real_path, why);
}

static int permit_list(void *context, struct slice real_path, enum path_kind kind,
                       struct failure *why)
{
    struct path_call *p = context;
    if (kind != PATH_DIRECTORY)
        return failure_set(why, SCOUT_E_NOT_A_FILE, "%.400s is a file: use the tool read",
                           p->target.path);
    return path_permit(p->call, POLICY_LIST, &p->target, real_path, why);
}

static void on_got(void *context, const struct path_result *result)
{
    struct path_call *p = context;
    p->get = NULL;
    p->call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        fail(p, &result->failure);
        return;
    }
    struct path_answer answer = {.host = p->target.host,
                                 .path = p->target.path,
                                 .size_max = p->size_max,
                                 .now_s = io_wall_ms(p->call->registry->io) / 1000,
                                 .result = result};
    finish(p, path_answer_write, &answer);
}

/* ---- stat ---- */

static int permit_stat(void *context, struct slice real_path, enum path_kind kind,
                       struct failure *why)
{
    struct path_call *p = context;
    (void)kind;
    return path_permit(p->call, POLICY_STAT, &p->target, real_path, why);
}

static void on_stat(void *context, const struct stat_result *result)
{
    struct path_call *p = context;
    p->stat = NULL;
    p->call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        fail(p, &result->failure);
        return;
    }
    struct stat_answer answer = {.host = p->target.host, .path = p->target.path, .result = result};
    finish(p, stat_answer_write, &answer);
}

/* ---- the begin ---- */

static int prepare(struct path_call *p, const struct cJSON *args, enum policy_verb verb,
                   struct failure *why)
{
    const struct tool_env *env = p->call->view->env;
    const char *target = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "target"));
    const cJSON *limit = cJSON_GetObjectItemCaseSensitive(args, "limit");
    p->size_max = env->file_size_max;
    if (limit && limit->valuedouble < (double)p->size_max)
        p->size_max = (uint64_t)limit->valuedouble;
    int error = target_parse(slice_str(target), &p->target, why);
    if (!error && p->target.kind != TARGET_PATH)
        error = failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                            "Invalid target 'hosts'. Expected 'host:/path'");
    if (!error)
        error = fleet_host(env->fleet, p->target.host, &p->host, why);
    return error ? error : path_permit_early(p->call, POLICY_BIT(verb), &p->target, why);
}

/* The call's state with the request of a look; NULL when the call has ended. */
static struct path_call *begin(struct tool_call *call, const struct cJSON *args,
                               enum policy_verb verb, path_permit_fn *permit,
                               struct path_request *request)
{
    struct failure why;
    struct path_call *p = arena_alloc(&call->arena, sizeof *p);
    if (!p) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        tool_call_fail(call, &why);
        return NULL;
    }
    *p = (struct path_call){.call = call};
    if (prepare(p, args, verb, &why) != 0) {
        fail(p, &why);
        return NULL;
    }
    call->state = p;
    *request = (struct path_request){
        .host = p->host,
        .path = p->target.path,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .size_max = p->size_max,
        .deadline_ns = call->deadline_ns,
        .permit = permit,
    };
    return p;
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    const struct path_call *p = context;
    tool_call_progress(p->call, done, total, "bytes read");
}

static void fail_memory(struct path_call *p)
{
    struct failure why;
    failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
    fail(p, &why);
}

static void start_get(struct tool_call *call, const struct cJSON *args, enum policy_verb verb,
                      path_permit_fn *permit)
{
    struct path_request request;
    struct path_call *p = begin(call, args, verb, permit, &request);
    if (!p)
        return;
    request.progress = on_progress;
    p->get = path_get_start(call->view->env->fleet, &request, on_got, p);
    if (!p->get)
        fail_memory(p);
}

static void start_read(struct tool_call *call, const struct cJSON *args)
{
    start_get(call, args, POLICY_READ, permit_read);
}

static void start_list(struct tool_call *call, const struct cJSON *args)
{
    start_get(call, args, POLICY_LIST, permit_list);
}

static void start_stat(struct tool_call *call, const struct cJSON *args)
{
    struct path_request request;
    struct path_call *p = begin(call, args, POLICY_STAT, permit_stat, &request);
    if (!p)
        return;
    p->stat = path_stat_start(call->view->env->fleet, &request, on_stat, p);
    if (!p->stat)
        fail_memory(p);
}

static void cancel(struct tool_call *call)
{
    struct path_call *p = call->state;
    struct failure why;
    if (!p)
        return;
    if (p->get)
        path_get_cancel(p->get);
    if (p->stat)
        path_stat_cancel(p->stat);
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    fail(p, &why);
}

/* ---- the tables ---- */

#define TARGET_PARAM                                                                               \
    {                                                                                              \
        .name = "target",                                                                          \
        .description = "'host:/path'; '~/' and relative paths start in the login directory.",      \
        .type = TOOL_STRING, .required = true,                                                     \
        .length_max = TARGET_HOST_MAX + TARGET_PATH_MAX + 1024,                                    \
    }

static const struct tool_param read_params[] = {
    TARGET_PARAM,
    {
        .name = "limit",
        .description = "Bytes to read at most; never more than the configured maximum.",
        .type = TOOL_INTEGER,
        .minimum = 1,
        .maximum = INT64_C(1) << 40,
    },
};
static const struct tool_param path_params[] = {TARGET_PARAM};

const struct tool read_tool = {
    .name = "read",
    .title = "Read a file",
    .description = "Reads a text file of a remote host over SSH.",
    .set = TOOL_SET_FILES,
    .params = read_params,
    .param_count = sizeof read_params / sizeof read_params[0],
    .output_schema = read_output_schema,
    .verbs = POLICY_BIT(POLICY_READ),
    .idempotent = true,
    .open_world = true,
    .start = start_read,
    .cancel = cancel,
};

const struct tool list_tool = {
    .name = "list",
    .title = "List a directory",
    .description = "Lists a directory of a remote host over SSH, hidden names included.",
    .set = TOOL_SET_FILES,
    .params = path_params,
    .param_count = 1,
    .output_schema = list_output_schema,
    .verbs = POLICY_BIT(POLICY_LIST),
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
