/* The methods of the tasks extension. Tasks are the jobs of the caller (job_table.h), whoever they
 * were made for: what is here is only how they are asked for. tasks/result and tasks/list, which an
 * earlier form of the extension had, are no methods. */
#include "tasks.h"

#include "ask.h"
#include "dispatch.h"
#include "scout/tools/job_table.h"
#include "session_state.h"

#define TASK_ID_MAX 64

bool tasks_are_known(struct slice capabilities)
{
    struct slice extensions = json_member(capabilities, "extensions");
    return json_type(json_member(extensions, TASKS_EXTENSION)) == JSON_OBJECT;
}

void tasks_write_extension(struct json_writer *w)
{
    json_key(w, TASKS_EXTENSION);
    json_object_begin(w);
    json_object_end(w);
}

struct shown {
    const struct job *job;
    bool is_whole;
};

static void write_task(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    const struct shown *shown = context;
    (void)s;
    job_write_task(w, shown->job, shown->is_whole);
}

size_t task_answer(struct mcp_session *s, const struct reply_to *to, const struct job *job)
{
    const struct shown shown = {job, false};
    return answer_task(s, to, write_task, &shown);
}

/* The task that a request is about; NULL: it was answered with an error. */
static struct job *find(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    char id[TASK_ID_MAX];
    struct job_table *jobs = s->config.registry->jobs;
    struct slice raw = json_member(params, "taskId");
    if (!(to->can & TOOL_CAN_TASKS)) {
        ask_refuse(s, to, TOOL_CAN_TASKS);
        return NULL;
    }
    struct job *job = jobs && s->config.identity && json_string(raw, id, sizeof id) >= 0
                          ? job_table_find(jobs, s->config.identity, id)
                          : NULL;
    if (!job)
        answer_error(s, to, RPC_INVALID_PARAMS,
                     json_type(raw) == JSON_STRING
                         ? "Invalid params: there is no such task: it was never yours, or its time "
                           "is over"
                         : "Invalid params: \"taskId\" must be a string",
                     NULL, NULL);
    return job;
}

void method_tasks_get(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    const struct shown shown = {find(s, to, params), true};
    if (shown.job)
        answer_result(s, to, write_task, &shown);
}

void method_tasks_update(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    struct job *job = find(s, to, params);
    struct slice answers = json_member(params, "inputResponses");
    if (!job)
        return;
    if (json_type(answers) != JSON_OBJECT) {
        answer_error(s, to, RPC_INVALID_PARAMS,
                     "Invalid params: \"inputResponses\" must be an object", NULL, NULL);
        return;
    }
    job_take_answers(job, answers);
    answer_result(s, to, NULL, NULL);
}

void method_tasks_cancel(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    struct job *job = find(s, to, params);
    if (!job)
        return;
    job_cancel(job);
    answer_result(s, to, NULL, NULL);
}
