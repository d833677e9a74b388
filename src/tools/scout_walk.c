/* The scout tool with `find` or `tree`: what is below a directory. Of a file, a tree is its text.
 */
#include "scout_call.h"

#include "scout/fleet/path_walk.h"
#include "scout/tools/path_permit.h"
#include "walk_result.h"
#include <cjson/cJSON.h>

static void cancel(struct scout_call *s)
{
    if (s->operation)
        path_walk_cancel(s->operation);
}

static int permit_list(void *context, struct slice real_path, enum path_kind kind,
                       struct failure *why)
{
    struct scout_call *s = context;
    (void)kind;
    return path_permit(s->call, POLICY_LIST, &s->target, real_path, why);
}

static int permit_below(void *context, struct slice real_path, enum path_kind kind,
                        struct failure *why)
{
    struct scout_call *s = context;
    (void)kind;
    return path_permit_below(s->call, POLICY_LIST, &s->target, real_path, why);
}

static void on_progress(void *context, uint64_t directories)
{
    struct scout_call *s = context;
    tool_call_progress(s->call, directories, 0, "directories read");
}

/* Fills in what is the same for both, and begins. */
static void begin(struct scout_call *s, struct walk_request *request, uint32_t verbs,
                  path_walk_fn *fn)
{
    struct failure why;
    if (path_permit_early(s->call, verbs, &s->target, &why) != 0) {
        scout_call_fail(s, &why);
        return;
    }
    request->path.host = s->host;
    request->path.path = s->target.path;
    request->path.principal = s->call->identity->principal;
    request->path.client = s->call->identity->client;
    request->path.deadline_ns = s->call->deadline_ns;
    request->path.holdings = s->call->view->env->holdings;
    request->permit_below = permit_below;
    request->progress = on_progress;
    s->operation = path_walk_start(s->call->view->env->fleet, request, fn, s);
    if (!s->operation)
        scout_call_fail_memory(s);
}

/* ---- find ---- */

static void on_found(void *context, const struct walk_result *result)
{
    struct scout_call *s = context;
    s->operation = NULL;
    s->call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        scout_call_fail(s, &result->failure);
        return;
    }
    struct walk_answer answer = {
        .host = s->target.host, .path = s->target.path, .pattern = s->pattern, .result = result};
    scout_call_finish(s, find_answer_write, &answer);
}

static void start_find(struct scout_call *s, const struct cJSON *args)
{
    const cJSON *depth = cJSON_GetObjectItemCaseSensitive(args, "depth");
    double levels = depth ? depth->valuedouble : SCOUT_FIND_DEPTH;
    struct failure why;
    if (levels < 1 || levels > SCOUT_FIND_DEPTH_MAX) {
        failure_set(&why, SCOUT_E_INVALID_ARGUMENT, "Find failed: depth must be 1-%d, got %.0f",
                    SCOUT_FIND_DEPTH_MAX, levels);
        scout_call_fail(s, &why);
        return;
    }
    s->pattern = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "find"));
    struct walk_request request = {
        .path = {.permit = permit_list},
        .depth = (uint32_t)levels,
        .pattern = s->pattern,
        .entries_max = SCOUT_FIND_MATCHES_MAX,
    };
    begin(s, &request, POLICY_BIT(POLICY_LIST), on_found);
}

const struct scout_mode scout_find = {.start = start_find, .cancel = cancel};

/* ---- tree ---- */

/* A file is permitted when it is read. */
static int permit_tree(void *context, struct slice real_path, enum path_kind kind,
                       struct failure *why)
{
    return kind == PATH_FILE ? 0 : permit_list(context, real_path, kind, why);
}

static void on_grown(void *context, const struct walk_result *result)
{
    struct scout_call *s = context;
    s->operation = NULL;
    s->call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        scout_call_fail(s, &result->failure);
    } else if (result->kind == PATH_FILE) {
        s->mode = &scout_path;
        s->mode->start(s, NULL);
    } else {
        struct walk_answer answer = {
            .host = s->target.host, .path = s->target.path, .result = result};
        scout_call_finish(s, tree_answer_write, &answer);
    }
}

static void start_tree(struct scout_call *s, const struct cJSON *args)
{
    struct walk_request request = {
        .path = {.permit = permit_tree},
        .depth = SCOUT_TREE_DEPTH,
        .skip_hidden = true,
        .sorted = true,
        .targets = true,
        .entries_max = PATH_ENTRIES_MAX,
    };
    (void)args;
    begin(s, &request, POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_READ), on_grown);
}

const struct scout_mode scout_tree = {.start = start_tree, .cancel = cancel};
