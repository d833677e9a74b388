/* The `scout` tool: its table, and which mode its arguments ask for (reference A.2.3). What a mode
 * does is in its own file, how the answers are written in scout_result.c. */
#include "scout_call.h"

#include "scout/fleet/query.h"
#include "scout_beam.h"
#include "scout_result.h"
#include <cjson/cJSON.h>
#include <stdlib.h>

#define FIND_PATTERN_MAX 255 /* bytes; no name is longer */

/* The modes of a path, in the reference's order (tree and the path alone are its last): the first
 * whose argument is given, and neither empty nor false, is taken. The last one always is. */
static const struct {
    const char *argument;
    const struct scout_mode *mode;
} path_modes[] = {
    {"beam", &scout_beam},   {"find", &scout_find},
    {"diff", &scout_diff},   {"diff_content", &scout_diff_content},
    {"query", &scout_query}, {"tree", &scout_tree},
    {"target", &scout_path},
};

/* ---- the end ---- */

void scout_call_end(struct scout_call *s, const struct tool_result *result)
{
    struct tool_call *call = s->call;
    call->state = NULL;
    tool_call_finish(call, result);
    free(s);
}

void scout_call_finish(struct scout_call *s, tool_write_fn *write, const void *context)
{
    const struct tool_result result = {.write = write, .context = context, .redacted = s->redacted};
    scout_call_end(s, &result);
}

void scout_call_finish_as(struct scout_call *s, const struct failure *why, tool_write_fn *write,
                          const void *context)
{
    const struct tool_result result = {.is_error = why->error != 0,
                                       .error = why->error,
                                       .stage = why->stage,
                                       .write = write,
                                       .context = context};
    s->call->why = why->error ? why : NULL;
    scout_call_end(s, &result);
}

void scout_call_fail(struct scout_call *s, const struct failure *why)
{
    struct tool_call *call = s->call;
    call->state = NULL;
    tool_call_fail(call, why);
    free(s);
}

void scout_call_fail_memory(struct scout_call *s)
{
    struct failure why;
    failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
    scout_call_fail(s, &why);
}

/* ---- the begin ---- */

static bool is_given(const struct cJSON *args, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(args, name);
    return cJSON_IsTrue(value) || (cJSON_IsString(value) && value->valuestring[0]);
}

static const struct scout_mode *mode_of(const struct scout_call *s, const struct cJSON *args)
{
    if (s->target.kind == TARGET_HOSTS)
        return &scout_hosts;
    size_t i = 0;
    while (!is_given(args, path_modes[i].argument))
        i++;
    return path_modes[i].mode;
}

static void start(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    const char *target = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "target"));
    struct scout_call *s = calloc(1, sizeof *s);
    if (!s) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        tool_call_fail(call, &why);
        return;
    }
    s->call = call;
    call->state = s;
    int beam = scout_beam_asked(args, &why);
    if (beam < 0) {
        scout_call_fail(s, &why);
        return;
    }
    if (beam == BEAM_BETWEEN || cJSON_GetObjectItemCaseSensitive(args, "targets")) {
        s->mode = beam == BEAM_BETWEEN ? &scout_beam_between : &scout_broadcast;
        s->mode->start(s, args);
        return;
    }
    int error = target_parse(slice_str(target ? target : ""), &s->target, &why);
    if (!error && s->target.kind == TARGET_HOSTS && beam == BEAM_LOCAL)
        error = failure_set(&why, SCOUT_E_INVALID_ARGUMENT,
                            "beam parameter requires a valid host:/path target, not 'hosts'");
    if (!error && s->target.kind == TARGET_PATH)
        error = fleet_host(call->view->env->fleet, s->target.host, &s->host, &why);
    if (error) {
        scout_call_fail(s, &why);
        return;
    }
    s->mode = mode_of(s, args);
    s->mode->start(s, args);
}

static void cancel(struct tool_call *call)
{
    struct scout_call *s = call->state;
    struct failure why;
    if (!s)
        return;
    if (s->mode->stop) {
        s->mode->stop(s);
        return;
    }
    s->mode->cancel(s);
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    scout_call_fail(s, &why);
}

static const struct tool_param params[] = {
    {
        .name = "target",
        .description = "'hosts' lists the known hosts, 'hosts web*' some; 'host:/path' reads a "
                       "file or lists a directory. '~/' and relative paths start at the login.",
        .type = TOOL_STRING,
        .default_json = "\"\"",
        .length_max = TARGET_HOST_MAX + TARGET_PATH_MAX + 1024,
    },
    {
        .name = "query",
        .description = "With 'host:/dir': a command that only looks, run there: cat, df, diff, du, "
                       "file, find, grep, head, ls, rg, sort, stat, tail, tree, uniq, wc, with "
                       "options. No shell: no pipe, glob or redirection; words may be quoted.",
        .type = TOOL_STRING,
        .length_max = QUERY_TEXT_MAX,
    },
    {
        .name = "tree",
        .description = "With 'host:/dir': what is below it, as a tree of 3 levels.",
        .type = TOOL_BOOLEAN,
        .default_json = "false",
    },
    {
        .name = "find",
        .description = "With 'host:/dir': up to 100 names below it that fit this, like '*.conf'.",
        .type = TOOL_STRING,
        .length_max = FIND_PATTERN_MAX,
    },
    {
        .name = "depth",
        .description = "Of 'find': levels down, 1 to 10.",
        .type = TOOL_INTEGER,
        .default_json = "5",
    },
    {
        .name = "diff",
        .description = "With 'host:/file': another 'host:/path' to compare it with.",
        .type = TOOL_STRING,
        .length_max = TARGET_HOST_MAX + TARGET_PATH_MAX + 1024,
    },
    {
        .name = "diff_content",
        .description = "With 'host:/file': the text that it should have.",
        .type = TOOL_STRING,
        .length_max = SCOUT_EXPECTED_MAX,
    },
    {
        .name = "targets",
        .description = "Instead of 'target': many 'host:/path' at once, read, listed, or with "
                       "'query' where it runs.",
        .type = TOOL_STRING_LIST,
        .length_max = TARGET_HOST_MAX + TARGET_PATH_MAX + 1024,
        .count_max = BROADCAST_TARGETS_MAX,
    },
    {
        .name = "beam",
        .verbs = POLICY_BIT(POLICY_TRANSFER),
        .description =
            "Copy one file, with 'host:/path': a name in the transfer directory of scout's "
            "machine. If it is there it is sent, else the host's file is fetched.",
        .type = TOOL_STRING,
        .length_max = TARGET_PATH_MAX,
    },
    {
        .name = "direction",
        .verbs = POLICY_BIT(POLICY_TRANSFER),
        .description = "With 'beam': 'upload' or 'download'.",
        .type = TOOL_STRING,
        .length_max = 16,
    },
    {
        .name = "beam_source",
        .verbs = POLICY_BIT(POLICY_TRANSFER),
        .description = "Copy this 'host:/path' to 'beam_target'.",
        .type = TOOL_STRING,
        .length_max = TARGET_HOST_MAX + TARGET_PATH_MAX + 1024,
    },
    {
        .name = "beam_target",
        .verbs = POLICY_BIT(POLICY_TRANSFER),
        .description = "A 'host:/path'.",
        .type = TOOL_STRING,
        .length_max = TARGET_HOST_MAX + TARGET_PATH_MAX + 1024,
    },
    {
        .name = "overwrite",
        .verbs = POLICY_BIT(POLICY_TRANSFER),
        .description = "Of a copy: replace what is there.",
        .type = TOOL_BOOLEAN,
        .default_json = "false",
    },
    {
        .name = "etag",
        .verbs = POLICY_BIT(POLICY_TRANSFER),
        .description = "Of a copy: replace what has this etag.",
        .type = TOOL_STRING,
        .length_max = 64,
    },
    {
        .name = "verify",
        .verbs = POLICY_BIT(POLICY_TRANSFER),
        .description = "Of a copy: 'sha256' compares digests, too.",
        .type = TOOL_STRING,
        .default_json = "\"size\"",
        .length_max = 16,
    },
    {
        .name = "resume",
        .verbs = POLICY_BIT(POLICY_TRANSFER),
        .description = "Of a copy: go on from one that was cut off; keep what arrives.",
        .type = TOOL_BOOLEAN,
        .default_json = "false",
    },
    {
        .name = "probe",
        .description = "With 'hosts': try whether each can be reached; by default up to 20 are.",
        .type = TOOL_BOOLEAN,
    },
};

const struct tool scout_tool = {
    .name = "scout",
    .title = "Scout",
    .description =
        "Looks at remote hosts over SSH: lists hosts, reads files, lists directories, shows trees, "
        "finds files by name, compares files, runs commands that only look; on one host or many at "
        "once.",
    .if_harmless = " Changes nothing there.",
    .if_effects = " Changes nothing there, unless it copies a file ('beam').",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .output_schema = scout_output_schema,
    .has_viewer = true,
    .verbs = POLICY_BIT(POLICY_HOSTS) | POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_READ) |
             POLICY_BIT(POLICY_QUERY) | POLICY_BIT(POLICY_TRANSFER),
    .is_long = true,
    .destructive = true,
    .idempotent = true,
    .open_world = true,
    .start = start,
    .cancel = cancel,
};
