/* The scout tool with target `host:path` and nothing more: a file's text or a directory's entries.
 */
#include "scout_call.h"

#include "scout/fleet/path_get.h"
#include "scout_result.h"

static void on_got(void *context, const struct path_result *result)
{
    struct scout_call *s = context;
    s->operation = NULL;
    if (result->failure.error) {
        scout_call_fail(s, &result->failure);
        return;
    }
    struct path_answer answer = {.host = s->target.host,
                                 .path = s->target.path,
                                 .size_max = s->call->view->env->file_size_max,
                                 .result = result};
    scout_call_finish(s, path_answer_write, &answer);
}

static void start(struct scout_call *s, const struct cJSON *args)
{
    const struct tool_env *env = s->call->view->env;
    (void)args;
    s->operation = path_get_start(env->fleet, s->host, s->target.path, env->file_size_max,
                                  s->call->deadline_ns, on_got, s);
    if (!s->operation)
        scout_call_fail_memory(s);
}

static void cancel(struct scout_call *s)
{
    if (s->operation)
        path_get_cancel(s->operation);
}

const struct scout_mode scout_path = {.start = start, .cancel = cancel};
