/* The scout tool with `query`: a command of the table of safe ones, run in the directory of the
 * target (reference A.2.7).
 *
 *   query_parse --> policy, as far as is known --> real_paths --> policy, for each path --> command
 *
 * The words stay as they were written, so that names in the output are those that were asked for;
 * the directory that the command runs in is the real one. Between the question and the command a
 * path may become another file: only who can write beside it at the host can do that. The command
 * has no effect, so the pool may repeat it. */
#include "scout_call.h"

#include "command_result.h"
#include "scout/base/time.h"
#include "scout/fleet/query.h"
#include "scout/fleet/real_paths.h"
#include <cjson/cJSON.h>

#define JOINED_MAX 16384 /* bytes of a path that a directory and another path's name make */

struct query_call {
    struct scout_call *s;
    struct query *query;
    const char **argv, **asked;
    size_t *of; /* which of the query's paths each asked one is of */
    size_t asked_count;
    struct real_paths *paths;     /* NULL: not under way */
    struct host_command *command; /* NULL: not under way */
    uint64_t progress_ns;
};

static void *take(struct query_call *q, size_t size)
{
    return arena_alloc(&q->s->call->arena, size);
}

/* ---- the command ---- */

static void on_started(void *context)
{
    (void)context; /* it has been connected before */
}

static void on_output(void *context, uint64_t bytes)
{
    struct query_call *q = context;
    command_progress(q->s->call, &q->progress_ns, bytes);
}

static void on_end(void *context, const struct host_command_result *result)
{
    struct query_call *q = context;
    struct command_answer answer = {
        .host = q->s->target.host,
        .path = q->s->target.path,
        .argv = q->argv,
        .argc = q->query->word_count,
        .stdout_max = q->s->call->view->env->file_size_max,
        .timeout_status = true,
        .result = result,
    };
    q->s->operation = NULL;
    if (result->command->end == COMMAND_FAILED)
        scout_call_fail(q->s, &result->command->failure);
    else
        scout_call_finish(q->s, command_answer_write, &answer);
}

static const struct host_command_events events = {on_started, on_output, on_end};

static void run(struct query_call *q, const char *directory)
{
    struct tool_call *call = q->s->call;
    const struct tool_env *env = call->view->env;
    struct failure why;
    struct buf line;
    buf_init(&line, COMMAND_TEXT_MAX + 1);
    int error = query_command_line(q->query, directory, &line);
    if (!error)
        error = buf_append(&line, slice_of("", 1));
    const struct host_command_request request = {
        .host = q->s->host,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .line = (const char *)buf_peek(&line).data,
        .stdout_max = env->file_size_max,
        .run_max_ns = env->command_timeout_ns,
        .deadline_ns = call->deadline_ns,
        .repeatable = true,
    };
    if (error)
        failure_set(&why, error, "Command failed: it has more than %u bytes, with all its quotes",
                    (unsigned)COMMAND_TEXT_MAX);
    else
        q->command = host_command_start(env->fleet, &request, &events, q, &why);
    buf_fini(&line);
    if (!q->command)
        scout_call_fail(q->s, &why);
}

/* ---- what policy says ---- */

static struct policy_request request_of(const struct query_call *q)
{
    return (struct policy_request){.verb = POLICY_QUERY,
                                   .host = q->s->target.host,
                                   .argv = q->argv,
                                   .argc = q->query->word_count};
}

static int permit(struct query_call *q, const struct real_paths_result *real, struct failure *why)
{
    struct policy_request request = request_of(q);
    request.path_settled = true;
    request.path = slice_str(real->directory);
    int error = tool_call_permit(q->s->call, &request, why);
    for (size_t i = 0; i < q->asked_count && !error; i++) {
        request.path = slice_str(real->paths[i]);
        error = tool_call_permit(q->s->call, &request, why);
    }
    return error;
}

static void on_real(void *context, const struct real_paths_result *real)
{
    struct query_call *q = context;
    struct failure why;
    q->paths = NULL;
    q->s->call->connected_ns = real->connected_ns;
    if (real->failure.error)
        scout_call_fail(q->s, &real->failure);
    else if (permit(q, real, &why) != 0)
        scout_call_fail(q->s, &why);
    else
        run(q, real->directory);
}

/* ---- the begin ---- */

/* `index` of the query's paths, as `path`. */
static void ask(struct query_call *q, size_t index, const char *path)
{
    q->of[q->asked_count] = index;
    q->asked[q->asked_count++] = path;
}

static int take_paths(struct query_call *q)
{
    struct query *query = q->query;
    q->argv = take(q, (query->word_count + 1) * sizeof *q->argv);
    q->asked = take(q, 2 * (query->path_count + 1) * sizeof *q->asked);
    q->of = take(q, 2 * (query->path_count + 1) * sizeof *q->of);
    if (!q->argv || !q->asked || !q->of)
        return SCOUT_E_NOMEM;
    for (size_t i = 0; i < query->word_count; i++)
        q->argv[i] = query_word(query, i);
    for (size_t i = 0; i < query->path_count; i++) {
        ask(q, i, query_path_text(query, i));
        if (!query->paths[i].joins)
            continue;
        char *joined = take(q, JOINED_MAX);
        int error = joined ? query_joined(query, i, joined, JOINED_MAX) : SCOUT_E_NOMEM;
        if (error)
            return error;
        ask(q, i, joined);
    }
    return 0;
}

static int prepare(struct query_call *q, const char *text, struct failure *why)
{
    int error = query_parse(slice_str(text), q->query, why);
    if (error)
        return error;
    error = take_paths(q);
    if (error)
        return failure_set(why, error, "Command failed: no room for its paths");
    const struct policy_request request = request_of(q);
    return tool_call_permit(q->s->call, &request, why);
}

static void start(struct scout_call *s, const struct cJSON *args)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "query"));
    struct query_call *q = arena_alloc(&s->call->arena, sizeof *q);
    struct failure why;
    if (!q) {
        scout_call_fail_memory(s);
        return;
    }
    *q = (struct query_call){.s = s};
    q->query = take(q, sizeof *q->query);
    if (!q->query) {
        scout_call_fail_memory(s);
        return;
    }
    if (prepare(q, text, &why) != 0) {
        scout_call_fail(s, &why);
        return;
    }
    const struct path_request request = {
        .host = s->host,
        .path = s->target.path,
        .principal = s->call->identity->principal,
        .client = s->call->identity->client,
        .deadline_ns = s->call->deadline_ns,
    };
    q->paths =
        real_paths_start(s->call->view->env->fleet, &request, q->asked, q->asked_count, on_real, q);
    s->operation = q;
    if (!q->paths)
        scout_call_fail_memory(s);
}

static void cancel(struct scout_call *s)
{
    struct query_call *q = s->operation;
    if (q && q->paths)
        real_paths_cancel(q->paths);
    if (q && q->command)
        host_command_abandon(q->command);
}

const struct scout_mode scout_query = {.start = start, .cancel = cancel};
