/* The table: a list of those that have a call, and one of those that have ended, the oldest first.
 * Both are short enough that looking through them is cheap. A handle of another owner is not told
 * from one that never was. */
#include "job.h"
#include "result.h"
#include "scout/tools/tool_log.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include "scout/fleet/redact.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct job_table {
    struct io *io;
    struct log *log;
    struct io_timer timer; /* at the end of the oldest that is kept */
    struct list active, kept;
    size_t active_count, going_on, kept_count;
    bool stopping;
    struct io_task task; /* tells that none goes on */
    void (*on_idle)(void *context);
    void *context;
};

static struct job *job_of(struct list *node)
{
    return CONTAINER_OF(node, struct job, node);
}

/* ---- the table ---- */

struct job_table *job_table_new(struct io *io, struct log *log)
{
    struct job_table *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->io = io;
    j->log = log;
    list_init(&j->active);
    list_init(&j->kept);
    io_timer_init(&j->timer);
    io_task_init(&j->task);
    return j;
}

static void tell_gone(struct list *waiters)
{
    for (struct list *node; (node = list_shift(waiters));) {
        struct job_waiter *w = CONTAINER_OF(node, struct job_waiter, node);
        w->job = NULL;
        w->fn(w);
    }
}

static void job_free(struct job *job)
{
    job_leave_cleaner(job);
    list_remove(&job->node);
    tell_gone(&job->told);
    tell_gone(&job->waiters);
    job_log_fini(&job->log);
    buf_fini(&job->about);
    buf_fini(&job->result);
    job_question_fini(&job->question);
    redactor_free(job->redactor);
    if (job->telling)
        job->gone = true; /* by tell, which is at work on it */
    else
        free(job);
}

static void drop_kept(struct job_table *j, struct job *job)
{
    j->kept_count--;
    job_free(job);
}

void job_table_free(struct job_table *j)
{
    if (!j)
        return;
    while (!list_empty(&j->active)) /* their calls end with the process */
        job_free(job_of(j->active.next));
    while (!list_empty(&j->kept))
        drop_kept(j, job_of(j->kept.next));
    io_timer_stop(j->io, &j->timer);
    io_task_cancel(&j->task);
    free(j);
}

static void on_timer(struct io_timer *timer);

static void set_timer(struct job_table *j)
{
    if (list_empty(&j->kept))
        io_timer_stop(j->io, &j->timer);
    else
        io_timer_start(j->io, &j->timer, job_of(j->kept.next)->until_ns, on_timer);
}

static void on_timer(struct io_timer *timer)
{
    struct job_table *j = CONTAINER_OF(timer, struct job_table, timer);
    while (!list_empty(&j->kept) && job_of(j->kept.next)->until_ns <= io_now(j->io))
        drop_kept(j, job_of(j->kept.next));
    set_timer(j);
}

static size_t count_of(const struct list *head, const char *owner, struct job **oldest)
{
    size_t count = 0;
    for (struct list *at = head->next; at != head; at = at->next) {
        if (strcmp(job_of(at)->owner, owner) != 0)
            continue;
        if (count++ == 0 && oldest)
            *oldest = job_of(at);
    }
    return count;
}

/* Makes room for one of that owner among those that are kept. */
static void make_room(struct job_table *j, const char *owner)
{
    struct job *oldest = NULL;
    if (count_of(&j->kept, owner, &oldest) >= JOBS_OWNER_KEPT_MAX)
        drop_kept(j, oldest);
    if (j->kept_count >= JOBS_KEPT_MAX)
        drop_kept(j, job_of(j->kept.next));
}

struct job *job_table_find(const struct job_table *j, const struct identity *owner,
                           const char *handle)
{
    const struct list *const heads[] = {&j->active, &j->kept};
    for (int i = 0; i < 2; i++)
        for (struct list *at = heads[i]->next; at != heads[i]; at = at->next) {
            struct job *job = job_of(at);
            if (job->state != JOB_RESERVED && strcmp(job->owner, owner->name) == 0 &&
                strcmp(job->handle, handle) == 0)
                return job;
        }
    return NULL;
}

/* ---- the life of a job ---- */

struct job *job_reserve(struct job_table *j, struct tool_call *call)
{
    if (j->stopping || j->active_count >= JOBS_MAX ||
        count_of(&j->active, call->identity->name, NULL) >= JOBS_OWNER_MAX)
        return NULL;
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->jobs = j;
    job->call = call;
    job->tool = call->tool;
    job->started_ns = call->started_ns;
    strcpy(job->owner, call->identity->name);
    job_log_init(&job->log);
    buf_init(&job->about, JOB_RESULT_MAX);
    buf_init(&job->result, JOB_RESULT_MAX);
    job_question_init(&job->question);
    job->question.can = call->can;
    list_init(&job->waiters);
    list_init(&job->told);
    if (call->view && call->view->redactor)
        job->redactor = redactor_hold(call->view->redactor);
    list_append(&j->active, &job->node);
    j->active_count++;
    return job;
}

void job_release(struct job *job)
{
    assert(job->state == JOB_RESERVED);
    job_wait_end(&job->detaching);
    job->jobs->active_count--;
    job_free(job);
}

static void make_handle(struct io *io, char handle[JOB_HANDLE_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t random[17] = {0}; /* 128 bits, and what the last digit lacks */
    char *at = handle + strlen(strcpy(handle, JOB_PREFIX));
    io_random(io, random, 16);
    for (size_t bit = 0; bit < 128; bit += 6) {
        unsigned pair = (unsigned)random[bit / 8] << 8 | random[bit / 8 + 1];
        *at++ = digits[pair >> (10 - bit % 8) & 63];
    }
    *at = '\0';
}

static void log_job(const struct job *job, const char *event, const char *code)
{
    const struct job_table *j = job->jobs;
    char seconds[32], bytes[32];
    if (!j->log)
        return;
    snprintf(seconds, sizeof seconds, "%.3f", (double)(io_now(j->io) - job->started_ns) / 1e9);
    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)job_log_end_offset(&job->log));
    log_event(j->log, LOG_INFO, event, "job", job->handle, "tool", job->tool->name, "host",
              job->host[0] ? job->host : NULL, "who", job->owner, "code", code, "total_s", seconds,
              "bytes", bytes, NULL);
}

void job_begin(struct job *job)
{
    assert(job->state == JOB_RESERVED);
    job->state = JOB_GOES_ON;
    job->jobs->going_on++;
    make_handle(job->jobs->io, job->handle);
    snprintf(job->host, sizeof job->host, "%s", job->call->act.host);
    job->created_ms = job->changed_ms = io_wall_ms(job->jobs->io);
    log_job(job, "job_begun", NULL);
}

static void on_idle(struct io_task *task)
{
    struct job_table *j = CONTAINER_OF(task, struct job_table, task);
    if (j->on_idle)
        j->on_idle(j->context);
}

/* It has its result. */
static void end(struct job *job, int error)
{
    struct job_table *j = job->jobs;
    if (!job->speaks)
        job_say_result(job);
    job_log_end(&job->log);
    job_settle(job);
    log_job(job, "job_ended", error ? error_code(error) : "ok");
    make_room(j, job->owner);
    job->state = JOB_ENDED;
    job->call = NULL;
    job->ended_ns = io_now(j->io);
    job->changed_ms = io_wall_ms(j->io);
    job->until_ns = job->ended_ns + JOB_KEEP_S * (uint64_t)NS_PER_S;
    list_remove(&job->node);
    list_append(&j->kept, &job->node);
    j->active_count--;
    j->going_on--;
    j->kept_count++;
    set_timer(j);
    if (j->stopping && j->going_on == 0)
        io_defer(j->io, &j->task, on_idle);
    job_tell(job);
}

void job_end(struct job *job, struct tool_call *call, const struct tool_result *result)
{
    struct log *log = job->jobs->log;
    if (result->questions && job_ask(job, call, result->questions)) {
        tool_call_log(log, TOOL_LOG_NOT_SLOW, call, result, "asks");
        job->call = NULL;
        job->changed_ms = io_wall_ms(job->jobs->io);
        job_tell(job);
        return;
    }
    if (result->questions) {
        struct failure why;
        failure_set(&why, SCOUT_E_UNSUPPORTED,
                    "It has to ask something, and nobody is there who could be asked");
        job_fail(job, &why);
        return;
    }
    job_take_result(job, result);
    call->answer_bytes = buf_len(&job->result);
    tool_call_log(log, TOOL_LOG_NOT_SLOW, call, result, "ended");
    job->was_cancelled = call->cancelled;
    end(job, job->fault ? job->fault : result->error);
}

void job_fail(struct job *job, const struct failure *why)
{
    const struct tool_result result = {
        .is_error = true, .error = why->error, .write = result_failed, .context = why};
    job_take_result(job, &result);
    end(job, job->fault ? job->fault : why->error);
}

void job_cancel(struct job *job)
{
    struct failure why;
    if (job->state != JOB_GOES_ON)
        return;
    if (job->call) {
        tool_call_cancel(job->call);
        return;
    }
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    job->was_cancelled = true;
    job_fail(job, &why); /* it waits for answers */
}

/* ---- the end of all ---- */

struct io *job_io(const struct job *job)
{
    return job->jobs->io;
}

bool job_table_is_stopping(const struct job_table *j)
{
    return j->stopping;
}

bool job_table_is_idle(const struct job_table *j)
{
    return j->going_on == 0;
}

void job_table_stop(struct job_table *j, void (*on_idle_fn)(void *context), void *context)
{
    struct job *list[JOBS_MAX];
    size_t count = 0;
    j->stopping = true;
    j->on_idle = on_idle_fn;
    j->context = context;
    for (struct list *at = j->active.next; at != &j->active; at = at->next)
        if (job_of(at)->state == JOB_GOES_ON)
            list[count++] = job_of(at);
    for (size_t i = 0; i < count; i++)
        if (list[i]->state == JOB_GOES_ON)
            job_cancel(list[i]);
}
