/* The tool `glob`: files below a directory whose paths match a pattern, the newest first.
 *
 * A walk finds them (scout/fleet/path_walk.h); of what it found the newest are shown that policy
 * lets be read. Whether it does is asked of those alone that come to be shown. */
#include "scout/tools/path_tools.h"

#include "glob_result.h"
#include "path_call.h"
#include "path_schema.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <cjson/cJSON.h>
#include <stdlib.h>

struct glob_call {
    struct path_call path;
    const char *pattern; /* in the arguments */
    struct path_glob *glob;
    size_t shown_max;
    struct path_walk *walk;
};

/* ---- the answer ---- */

static int compare(const void *a, const void *b)
{
    const struct walk_entry *x = *(const struct walk_entry *const *)a;
    const struct walk_entry *y = *(const struct walk_entry *const *)b;
    if (x->mtime != y->mtime)
        return x->mtime < y->mtime ? 1 : -1;
    size_t len = x->path.len < y->path.len ? x->path.len : y->path.len;
    int order = memcmp(x->path.data, y->path.data, len);
    return order ? order : (x->path.len > y->path.len) - (x->path.len < y->path.len);
}

/* Chooses what is shown, in `found`, which has room for all. */
static void choose(struct glob_call *g, const struct walk_result *walk,
                   const struct walk_entry **found, struct glob_answer *answer)
{
    struct buf real;
    buf_init(&real, POLICY_PATH_MAX);
    for (size_t i = 0; i < walk->entry_count; i++)
        found[i] = &walk->entries[i];
    qsort(found, walk->entry_count, sizeof *found, compare);
    for (size_t i = 0; i < walk->entry_count && !answer->more; i++) {
        if (!path_may_read_below(g->path.call, &g->path.target, walk->real_path, found[i]->path,
                                 NULL, &real))
            continue;
        answer->more = answer->count == g->shown_max;
        if (!answer->more)
            found[answer->count++] = found[i];
    }
    buf_fini(&real);
}

static void on_walked(void *context, const struct walk_result *result)
{
    struct glob_call *g = context;
    g->walk = NULL;
    path_glob_free(g->glob);
    g->path.call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        path_call_fail(&g->path, &result->failure);
        return;
    }
    const struct walk_entry **found = malloc((result->entry_count + 1) * sizeof *found);
    if (!found) {
        path_call_fail_memory(g->path.call);
        return;
    }
    struct glob_answer answer = {.host = g->path.target.host,
                                 .path = g->path.target.path,
                                 .pattern = g->pattern,
                                 .walk = result,
                                 .found = found};
    choose(g, result, found, &answer);
    path_call_finish(&g->path, glob_answer_write, &answer);
    free(found);
}

/* ---- the begin ---- */

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    struct glob_call *g = context;
    if (kind != PATH_DIRECTORY)
        return failure_set(why, SCOUT_E_NOT_A_FILE,
                           "%.400s is no directory: glob looks for files below one",
                           g->path.target.path);
    return path_permit(g->path.call, POLICY_LIST, &g->path.target, real_path, why);
}

static int permit_below(void *context, struct slice real_path, enum path_kind kind,
                        struct failure *why)
{
    struct glob_call *g = context;
    (void)kind;
    return path_permit_below(g->path.call, POLICY_LIST, &g->path.target, real_path, why);
}

static void on_progress(void *context, uint64_t directories)
{
    struct glob_call *g = context;
    tool_call_progress(g->path.call, directories, 0, "directories read");
}

static int prepare(struct glob_call *g, struct tool_call *call, const struct cJSON *args,
                   struct failure *why)
{
    const cJSON *limit = cJSON_GetObjectItemCaseSensitive(args, "limit");
    g->shown_max = limit ? (size_t)limit->valuedouble : GLOB_SHOWN;
    g->pattern = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "pattern"));
    int error = path_call_init(&g->path, call, args, POLICY_BIT(POLICY_LIST), why);
    return error ? error : path_glob_parse(g->pattern, false, &g->glob, why);
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    struct glob_call *g = arena_alloc(&call->arena, sizeof *g);
    if (!g) {
        path_call_fail_memory(call);
        return;
    }
    *g = (struct glob_call){.path.call = call};
    if (prepare(g, call, args, &why) != 0) {
        path_call_fail(&g->path, &why);
        return;
    }
    uint32_t depth = path_glob_depth(g->glob);
    struct walk_request request = {
        .path = path_call_request(&g->path),
        .permit_below = permit_below,
        .depth = depth && depth < WALK_DEPTH_MAX ? depth : WALK_DEPTH_MAX,
        .glob = g->glob,
        .files = true,
        .skip_history = true,
        .entries_max = GLOB_FOUND_MAX,
        .progress = on_progress,
    };
    request.path.permit = permit;
    call->state = g;
    g->walk = path_walk_start(call->view->env->fleet, &request, on_walked, g);
    if (!g->walk) {
        path_glob_free(g->glob);
        path_call_fail_memory(call);
    }
}

static void cancel(struct tool_call *call)
{
    struct glob_call *g = call->state;
    if (!g)
        return;
    path_walk_cancel(g->walk);
    path_glob_free(g->glob);
    path_call_fail_cancelled(&g->path);
}

/* ---- the table ---- */

static const struct tool_param params[] = {
    PATH_CALL_TARGET_PARAM,
    {.name = "pattern",
     .description = "Of paths below target: * ? [a-z] {a,b} **.",
     .type = TOOL_STRING,
     .required = true,
     .length_max = PATH_GLOB_MAX},
    {.name = "limit",
     .description = "Paths to show.",
     .type = TOOL_INTEGER,
     .minimum = 1,
     .maximum = GLOB_SHOWN_MAX,
     .default_json = "100"},
};

const struct tool glob_tool = {
    .name = "glob",
    .title = "Find files",
    .description = "Finds files of a remote host by a pattern like '**/*.conf', the newest first. "
                   "Not in: links, .git, .hg, .svn.",
    .set = TOOL_SET_FILES,
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .output_schema = glob_output_schema,
    .verbs = POLICY_BIT(POLICY_LIST),
    .is_long = true,
    .idempotent = true,
    .open_world = true,
    .start = start,
    .cancel = cancel,
};
