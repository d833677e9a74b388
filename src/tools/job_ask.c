/* What a job has to be told before it can go on, for callers who know tasks: the call has ended
 * with questions, which are shown with the job (tasks/get), and begins anew, as the same job, when
 * the last of them is answered. An answer counts once; a question may be answered by itself. */
#include "job.h"

#include "scout/base/json.h"
#include <string.h>

#define JOB_ROUNDS_MAX 16             /* of one job */
#define JOB_ASK_MAX    (256u * 1024u) /* bytes of each: arguments, questions, answers, state */
#define JOB_KEY_MAX    128            /* bytes of a question's key */

void job_question_init(struct job_question *q)
{
    buf_init(&q->arguments, JOB_ASK_MAX);
    buf_init(&q->requests, JOB_ASK_MAX);
    buf_init(&q->answers, JOB_ASK_MAX);
    buf_init(&q->state, JOB_ASK_MAX);
}

void job_question_fini(struct job_question *q)
{
    buf_fini(&q->arguments);
    buf_fini(&q->requests);
    buf_fini(&q->answers);
    buf_fini(&q->state);
}

static void clear(struct job_question *q)
{
    q->is_open = false;
    buf_clear(&q->requests);
    buf_clear(&q->answers);
    buf_clear(&q->state);
}

static int write_requests(struct buf *out, const struct tool_questions *questions)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    for (size_t i = 0; i < questions->count; i++) {
        const struct tool_question *q = &questions->list[i];
        json_key(&w, q->key);
        json_object_begin(&w);
        json_key(&w, "method");
        json_str(&w, q->method);
        if (q->params) {
            json_key(&w, "params");
            json_raw(&w, slice_str(q->params));
        }
        json_object_end(&w);
    }
    json_object_end(&w);
    return json_writer_end(&w);
}

static int keep(struct job_question *q, const struct tool_call *call,
                const struct tool_questions *questions)
{
    int error = 0;
    q->identity = *call->identity;
    q->registry = call->registry;
    q->deadline_ns = call->deadline_ns;
    if (buf_len(&q->arguments) == 0)
        error = buf_append(&q->arguments, call->arguments);
    if (!error)
        error = write_requests(&q->requests, questions);
    return error ? error : buf_append(&q->state, questions->state);
}

bool job_ask(struct job *job, const struct tool_call *call, const struct tool_questions *questions)
{
    struct job_question *q = &job->question;
    clear(q);
    if (!(q->can & TOOL_CAN_TASKS) || questions->count == 0 || q->rounds++ == JOB_ROUNDS_MAX ||
        job_table_is_stopping(job->jobs) || keep(q, call, questions) != 0)
        return false;
    q->is_open = true;
    return true;
}

/* The key of a question as text; false: it is too long to have been one. */
static bool key_text(struct slice raw, char out[JOB_KEY_MAX])
{
    return json_string(raw, out, JOB_KEY_MAX) >= 0;
}

/* What is answered: the members so far, as an object. */
static int answers_object(const struct job_question *q, struct buf *out)
{
    int error = buf_append_str(out, "{");
    if (!error)
        error = buf_append(out, buf_peek(&q->answers));
    return error ? error : buf_append_str(out, "}");
}

void job_write_questions(struct json_writer *w, const struct job *job)
{
    const struct job_question *q = &job->question;
    struct json_walk walk;
    struct slice raw, request;
    char key[JOB_KEY_MAX];
    struct buf answers;
    buf_init(&answers, JOB_ASK_MAX + 2);
    int error = answers_object(q, &answers);
    json_key(w, "inputRequests");
    json_object_begin(w);
    json_walk_begin(&walk, buf_peek(&q->requests));
    while (!error && json_walk_next(&walk, &raw, &request)) {
        if (!key_text(raw, key) || json_member(buf_peek(&answers), key).len > 0)
            continue;
        json_key(w, key);
        json_raw(w, request);
    }
    json_object_end(w);
    buf_fini(&answers);
}

/* Takes the answer to each question that has none. How many questions are left, or an error. */
static int take(struct job_question *q, struct slice given)
{
    struct json_walk walk;
    struct slice raw, request;
    char key[JOB_KEY_MAX];
    struct buf before;
    int left = 0;
    buf_init(&before, JOB_ASK_MAX + 2);
    int error = answers_object(q, &before);
    json_walk_begin(&walk, buf_peek(&q->requests));
    while (!error && json_walk_next(&walk, &raw, &request)) {
        if (!key_text(raw, key) || json_member(buf_peek(&before), key).len > 0)
            continue;
        struct slice answer = json_member(given, key);
        left += answer.len == 0;
        if (answer.len == 0)
            continue;
        if (buf_len(&q->answers) > 0)
            error = buf_append_str(&q->answers, ",");
        if (!error)
            error = buf_append(&q->answers, raw);
        if (!error)
            error = buf_append_str(&q->answers, ":");
        if (!error)
            error = buf_append(&q->answers, answer);
    }
    buf_fini(&before);
    return error ? error : left;
}

static void begin_anew(struct job *job)
{
    struct job_question *q = &job->question;
    struct buf answers, state;
    struct failure why;
    buf_init(&answers, JOB_ASK_MAX + 2);
    buf_init(&state, JOB_ASK_MAX);
    int error = answers_object(q, &answers);
    buf_swap(&state, &q->state);
    clear(q);
    const struct tool_round round = {
        .can = q->can, .answers = buf_peek(&answers), .state = buf_peek(&state), .job = job};
    struct tool_call *call =
        error ? NULL
              : tool_call_start_round(q->registry, job->tool, buf_peek(&q->arguments), &q->identity,
                                      q->deadline_ns, &round, job_on_done, job);
    buf_fini(&answers);
    buf_fini(&state);
    if (!call) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory to go on");
        job_fail(job, &why);
    } else if (job->state == JOB_GOES_ON && !q->is_open) {
        job->call = call;
        call->on_progress = job_on_progress;
    }
}

void job_take_answers(struct job *job, struct slice answers)
{
    struct job_question *q = &job->question;
    struct failure why;
    if (!q->is_open || job->state != JOB_GOES_ON)
        return;
    int left = take(q, answers);
    job->changed_ms = io_wall_ms(job_io(job));
    if (left == 0)
        begin_anew(job);
    if (left >= 0)
        return;
    failure_set(&why, left, "No room for the answers");
    job_fail(job, &why);
}
