/* The scout tool with `query`: a command of the table of safe ones, run in the directory of the
 * target (reference A.2.7).
 *
 *   query_parse --> policy, as far as is known --> real_paths --> policy, for each path --> command
 *
 * The directory that the command runs in is the real one, and so is a path that leads through a
 * link and is opened; other words stay as they were written. Between the question and the command a
 * path may become another file: only who can write beside it at the host can do that. The command
 * has no effect, so the pool may repeat it. */
#include "scout_call.h"

#include "command_result.h"
#include "query_permit.h"
#include <cjson/cJSON.h>

struct query_call {
    struct scout_call *s;
    struct query_ask ask;
    struct real_paths *paths;     /* NULL: not under way */
    struct host_command *command; /* NULL: not under way */
    uint64_t progress_ns;
};

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
        .argv = query_ask_words(&q->ask),
        .argc = q->ask.query->word_count,
        .stdout_max = q->s->call->view->env->file_size_max,
        .timeout_status = true,
        .result = result,
    };
    q->s->operation = NULL;
    q->s->call->has_exit = result->command->end == COMMAND_EXITED && result->command->has_status;
    q->s->call->exit_status = result->command->status;
    if (result->command->end == COMMAND_FAILED)
        scout_call_fail(q->s, &result->command->failure);
    else if (!answer.argv)
        scout_call_fail_memory(q->s);
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
    int error = query_command_line(q->ask.query, directory, &line);
    if (!error)
        error = buf_append(&line, slice_of("", 1));
    const struct host_command_request request = {
        .host = q->s->host,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .line = (const char *)buf_peek(&line).data,
        .stdout_max = env->file_size_max,
        .holdings = env->holdings,
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

static void on_real(void *context, const struct real_paths_result *real)
{
    struct query_call *q = context;
    struct failure why;
    q->paths = NULL;
    q->s->call->connected_ns = real->connected_ns;
    if (real->failure.error)
        scout_call_fail(q->s, &real->failure);
    else if (query_permit(&q->ask, real, &why) != 0)
        scout_call_fail(q->s, &why);
    else
        run(q, real->directory);
}

/* ---- the begin ---- */

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
    if (query_ask_init(&q->ask, s->call, &s->target, text, &why) != 0 ||
        query_permit_early(&q->ask, &why) != 0) {
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
    q->paths = real_paths_start(s->call->view->env->fleet, &request, q->ask.paths, q->ask.count,
                                on_real, q);
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
