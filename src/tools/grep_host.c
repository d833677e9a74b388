/* Searching with a program of the host, in one command (scout/fleet/search.h).
 *
 * What policy keeps from being read or listed below the directory is left out by its names; where
 * names cannot tell it, or policy lets no command be run there, the files are read and searched
 * here. The same where the host runs no command. Whatever a program prints, what is shown of it is
 * asked about once more, path by path (grep_pick.c). */
#include "grep_call.h"

#include "command_result.h"
#include "scout/tools/scout_tool.h"
#include <stdlib.h>

#define NAMES_MAX POLICY_BELOW_MAX

/* ---- the end ---- */

static enum grep_cut cut_of(const struct host_command_result *result)
{
    return result->stop == HOST_COMMAND_TIME     ? GREP_CUT_TIME
           : result->stop == HOST_COMMAND_OUTPUT ? GREP_CUT_SIZE
                                                 : GREP_WHOLE;
}

/* Whether the program did not do what it should have; then *why says so. */
static bool is_broken(const struct grep_call *g, const struct search_found *found,
                      enum grep_cut cut, struct failure *why)
{
    bool broken = !found->ended && cut == GREP_WHOLE;
    bool refused = found->ended && found->status > 1 && found->complaint[0];
    if (found->count > 0 || (!broken && !refused))
        return false;
    failure_set(why, SCOUT_E_REMOTE, "The search on %.128s failed: %s", g->path.host->name,
                found->complaint[0] ? found->complaint : "its output ended early");
    why->stage = "running";
    return true;
}

static void on_end(void *context, const struct host_command_result *result)
{
    struct grep_call *g = context;
    struct search_found found;
    struct failure why;
    enum grep_cut cut = cut_of(result);
    g->command = NULL;
    if (result->command->end == COMMAND_FAILED) {
        if (result->command->failure.error == SCOUT_E_EXEC_REFUSED)
            grep_own_start(g);
        else
            grep_fail(g, &result->command->failure);
        return;
    }
    int error = search_output_parse(result->out, result->err, g->request.mode, &found);
    if (error == SCOUT_E_NOMEM) {
        grep_fail_memory(g);
        return;
    }
    if (error == SCOUT_E_LIMIT && cut == GREP_WHOLE)
        cut = GREP_CUT_SIZE;
    if (found.by == SEARCH_BY_NONE && cut == GREP_WHOLE)
        grep_own_start(g);
    else if (is_broken(g, &found, cut, &why))
        grep_fail(g, &why);
    else
        grep_finish(g, &found, cut);
    free(found.lines);
}

static void on_started(void *context)
{
    (void)context; /* it has been connected before */
}

static void on_output(void *context, uint64_t bytes)
{
    struct grep_call *g = context;
    command_progress(g->path.call, &g->progress_ns, bytes);
}

static const struct host_command_events events = {on_started, on_output, on_end};

/* ---- what is left out ---- */

static struct policy_request below(const struct grep_call *g, enum policy_verb verb)
{
    return (struct policy_request){.identity = g->path.call->identity,
                                   .verb = verb,
                                   .host = g->path.target.host,
                                   .path = slice_str(g->real),
                                   .path_settled = true,
                                   .names_only = verb == POLICY_LIST,
                                   .unattended = true};
}

/* Whether names tell all that policy forbids below; they go to `names`. */
static bool find_names(const struct grep_call *g, const char **names, size_t *count)
{
    const struct policy *policy = g->path.call->view->policy;
    const struct policy_request read = below(g, POLICY_READ), list = below(g, POLICY_LIST);
    struct failure why;
    size_t none = 0;
    *count = 0;
    if (!policy || g->is_file)
        return true;
    return policy_below(policy, &read, names, count, &why) == 0 &&
           policy_below(policy, &list, names + *count, &none, &why) == 0;
}

/* Whether a command may be run there, as a query could. */
static bool may_run(const struct grep_call *g)
{
    static const char *const argv[] = {"grep"};
    struct policy_request request = below(g, POLICY_QUERY);
    request.directory = request.path;
    request.argv = argv;
    request.argc = 1;
    return tool_call_may(g->path.call, &request);
}

/* ---- the begin ---- */

/* The directory that is searched, and the name of a file in it. False without memory. */
static bool set_place(struct grep_call *g)
{
    g->request.directory = g->real;
    g->request.file = NULL;
    if (!g->is_file)
        return true;
    char *directory = arena_alloc(&g->path.call->arena, strlen(g->real) + 2);
    if (!directory)
        return false;
    strcpy(directory, g->real);
    char *slash = strrchr(directory, '/');
    g->request.file = g->real + (slash - directory) + 1;
    slash[slash == directory] = '\0'; /* of `/` it stays */
    g->request.directory = directory;
    return true;
}

static int write_command(struct grep_call *g, const char **names, size_t count, struct buf *out)
{
    const char *include[PATH_GLOB_FORMS_MAX];
    struct search_request r = g->request;
    for (const char *name; !g->is_file && g->glob && r.include_count < PATH_GLOB_FORMS_MAX &&
                           (name = path_glob_name(g->glob, r.include_count));)
        include[r.include_count++] = name;
    r.include = include;
    r.exclude = names;
    r.exclude_count = count;
    return search_command_write(out, &r);
}

void grep_host_start(struct grep_call *g)
{
    struct tool_call *call = g->path.call;
    const struct tool_env *env = call->view->env;
    const char **names = arena_alloc(&call->arena, (2 * NAMES_MAX) * sizeof *names);
    struct failure why;
    struct buf line;
    size_t count;
    /* One more tells that there are more. */
    g->request.per_file = 1 + g->results_max;
    if (!names || !set_place(g)) {
        grep_fail_memory(g);
        return;
    }
    buf_init(&line, COMMAND_TEXT_MAX + 1);
    if (g->real[0] != '/' || !find_names(g, names, &count) || !may_run(g) ||
        write_command(g, names, count, &line) != 0) {
        buf_fini(&line);
        grep_own_start(g);
        return;
    }
    const struct host_command_request request = {
        .host = g->path.host,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .line = (const char *)buf_peek(&line).data,
        .stdout_max = SEARCH_OUTPUT_MAX,
        .run_max_ns = env->command_timeout_ns,
        .deadline_ns = call->deadline_ns,
        .repeatable = true,
        .holdings = env->holdings,
    };
    g->command = host_command_start(env->fleet, &request, &events, g, &why);
    buf_fini(&line);
    if (!g->command)
        grep_fail(g, &why);
}
