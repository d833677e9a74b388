/* The tool `grep`: its arguments, and who searches. What a target is and where it really lies is
 * asked first: policy has to allow it to be read, and a directory to be listed. */
#include "scout/tools/path_tools.h"

#include "grep_call.h"
#include "path_schema.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <cjson/cJSON.h>
#include <sys/stat.h>

static void release(struct grep_call *g)
{
    buf_fini(&g->posix);
    buf_fini(&g->rust);
    path_glob_free(g->glob);
}

void grep_fail(struct grep_call *g, const struct failure *why)
{
    release(g);
    path_call_fail(&g->path, why);
}

void grep_fail_memory(struct grep_call *g)
{
    release(g);
    path_call_fail_memory(g->path.call);
}

void grep_finish(struct grep_call *g, struct search_found *found, enum grep_cut cut)
{
    struct grep_answer answer = {.call = g, .found = found, .cut = cut};
    struct grep_call own = *g; /* `g` goes with the call */
    grep_pick(&answer, found);
    if (!grep_redact(g, found->lines, answer.count)) {
        grep_fail_memory(g);
        return;
    }
    answer.call = &own;
    path_call_finish(&g->path, grep_answer_write, &answer);
    release(&own);
}

/* ---- the target ---- */

static int permit(struct grep_call *g, struct slice real, struct failure *why)
{
    struct tool_call *call = g->path.call;
    int error = path_permit(call, POLICY_READ, &g->path.target, real, why);
    if (!error && !g->is_file)
        error = path_permit(call, POLICY_LIST, &g->path.target, real, why);
    if (!error && !path_may_read(call, &g->path.target, real, &g->given))
        g->given = NULL;
    return error;
}

static void on_stat(void *context, const struct stat_result *result)
{
    struct grep_call *g = context;
    const struct sftp_attrs *attrs = result->reached ? &result->reached_attrs : &result->attrs;
    uint32_t mode = attrs->flags & SFTP_ATTR_PERMISSIONS ? attrs->permissions : 0;
    struct failure why;
    g->stat = NULL;
    g->path.call->connected_ns = result->connected_ns;
    if (result->failure.error) {
        grep_fail(g, &result->failure);
        return;
    }
    g->is_file = S_ISREG(mode);
    if (!g->is_file && !S_ISDIR(mode)) {
        failure_set(&why, SCOUT_E_NOT_A_FILE,
                    "%.400s is neither a regular file nor a directory: only these are searched",
                    g->path.target.path);
        grep_fail(g, &why);
        return;
    }
    size_t len = result->real_path.len;
    g->real = arena_alloc(&g->path.call->arena, len + 1);
    if (!g->real) {
        grep_fail_memory(g);
        return;
    }
    if (len)
        memcpy(g->real, result->real_path.data, len);
    g->real[len] = '\0';
    if (permit(g, result->real_path, &why) != 0)
        grep_fail(g, &why);
    else
        grep_host_start(g);
}

/* ---- the arguments ---- */

static uint64_t number_of(const struct cJSON *args, const char *name, uint64_t otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(args, name);
    return value ? (uint64_t)value->valuedouble : otherwise;
}

static const char *text_of(const struct cJSON *args, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, name));
}

static int take_mode(struct grep_call *g, const char *mode, struct failure *why)
{
    static const char *const names[] = {"content", "files", "count"};
    if (!mode)
        return 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(mode, names[i]) == 0) {
            g->request.mode = (enum search_mode)i;
            return 0;
        }
    return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                       "the argument \"output_mode\" must be content, files or count");
}

static int prepare(struct grep_call *g, const struct cJSON *args, struct failure *why)
{
    bool fold = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "ignore_case"));
    uint64_t around = number_of(args, "context", 0);
    const char *glob = text_of(args, "glob");
    g->pattern = text_of(args, "pattern");
    g->results_max = number_of(args, "max_results", GREP_RESULTS);
    g->request.before = (unsigned)number_of(args, "before", around);
    g->request.after = (unsigned)number_of(args, "after", around);
    int error = take_mode(g, text_of(args, "output_mode"), why);
    if (!error)
        error = search_pattern_write(g->pattern, fold, &g->posix, &g->rust, why);
    if (!error && glob)
        error = path_glob_parse(glob, true, &g->glob, why);
    if (!error && glob && path_glob_is_of_directories(g->glob))
        error = failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                            "The glob '%.200s' is of directories, and files are searched: end it "
                            "with /** for all below them",
                            glob);
    if (error)
        return error;
    if (g->request.mode != SEARCH_CONTENT)
        g->request.before = g->request.after = 0;
    g->request.posix = (const char *)buf_peek(&g->posix).data;
    g->request.rust = (const char *)buf_peek(&g->rust).data;
    return path_call_init(&g->path, g->path.call, args, POLICY_BIT(POLICY_READ), why);
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    struct grep_call *g = arena_alloc(&call->arena, sizeof *g);
    if (!g) {
        path_call_fail_memory(call);
        return;
    }
    *g = (struct grep_call){.path.call = call};
    if (prepare(g, args, &why) != 0) {
        grep_fail(g, &why);
        return;
    }
    const struct path_request request = path_call_request(&g->path);
    call->state = g;
    g->stat = path_stat_start(call->view->env->fleet, &request, on_stat, g);
    if (!g->stat)
        grep_fail_memory(g);
}

static void cancel(struct tool_call *call)
{
    struct grep_call *g = call->state;
    if (!g)
        return;
    if (g->stat)
        path_stat_cancel(g->stat);
    if (g->command)
        host_command_abandon(g->command);
    if (g->own)
        grep_own_cancel(g->own);
    release(g);
    path_call_fail_cancelled(&g->path);
}

/* ---- the table ---- */

static const struct tool_param params[] = {
    PATH_CALL_TARGET_PARAM,
    {.name = "pattern",
     .description = "Regular expression of lines; no back references or look-around.",
     .type = TOOL_STRING,
     .required = true,
     .length_max = SEARCH_PATTERN_MAX},
    {.name = "glob",
     .description = "'*.c' at any depth, 'src/**/*.{c,h}' from target.",
     .type = TOOL_STRING,
     .length_max = PATH_GLOB_MAX},
    {.name = "ignore_case", .description = "Of ASCII.", .type = TOOL_BOOLEAN},
    {.name = "before",
     .description = "Lines before.",
     .type = TOOL_INTEGER,
     .minimum = 0,
     .maximum = GREP_AROUND_MAX},
    {.name = "after",
     .description = "Lines after.",
     .type = TOOL_INTEGER,
     .minimum = 0,
     .maximum = GREP_AROUND_MAX},
    {.name = "context",
     .description = "Both.",
     .type = TOOL_INTEGER,
     .minimum = 0,
     .maximum = GREP_AROUND_MAX},
    {.name = "output_mode",
     .description = "content (default), files or count.",
     .type = TOOL_STRING,
     .length_max = 16},
    {.name = "max_results",
     .description = "Matches or files to show.",
     .type = TOOL_INTEGER,
     .minimum = 1,
     .maximum = GREP_RESULTS_MAX,
     .default_json = "100"},
};

const struct tool grep_tool = {
    .name = "grep",
    .title = "Search files",
    .description =
        "Searches a file, or all below a directory, of a remote host. Not: binary files, "
        "links, .git, .hg, .svn.",
    .set = TOOL_SET_FILES,
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .output_schema = grep_output_schema,
    .verbs = POLICY_BIT(POLICY_READ),
    .is_long = true,
    .idempotent = true,
    .open_world = true,
    .start = start,
    .cancel = cancel,
};
