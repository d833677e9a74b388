/* From a call to a job, when it takes longer than its client may wait for an answer.
 *
 *   start --detach_after--> the tool speaks --what it said is clean--> answered, and going on
 *
 * Until the answer the call is its caller's, and may end or be cancelled at any moment: then it was
 * no job. From the answer on it is the job's, and no end of a client or connection reaches it. The
 * identity is the call's own copy from the begin, since what the tool has started refers to it. */
#include "tool_detach.h"

#include "job.h"
#include "scout/base/container.h"
#include <stdio.h>

static void own_identity(struct tool_call *call)
{
    call->own_identity = *call->identity;
    call->identity = &call->own_identity;
}

void tool_detach_init(struct tool_call *call, const struct tool_round *round)
{
    io_timer_init(&call->detach_timer);
    if (round && round->job) {
        call->job = round->job;
        own_identity(call);
        return;
    }
    if (!round || !round->on_detach || call->raw || call->tool->takes_params ||
        !call->registry->jobs || !call->registry->io || !call->view || !call->view->detach_after_ns)
        return;
    call->on_detach = round->on_detach;
    call->can = round->can;
    own_identity(call);
}

void tool_detach_keep(struct tool_call *call, struct slice arguments)
{
    if (!(call->can & TOOL_CAN_TASKS) || arguments.len == 0)
        return;
    void *copy = arena_alloc(&call->arena, arguments.len);
    if (copy)
        call->arguments = slice_of(memcpy(copy, arguments.data, arguments.len), arguments.len);
}

bool tool_call_outlive(struct tool_call *call)
{
    if (!call->on_detach)
        return false;
    call->job = job_reserve(call->registry->jobs, call);
    if (!call->job)
        return false;
    call->deadline_ns = call->started_ns + call->view->job_timeout_ns;
    return true;
}

void tool_call_output(struct tool_call *call, bool is_stderr, struct slice data)
{
    struct job *job = call->job;
    job->speaks = true;
    job_log_add(&job->log, is_stderr, data);
    if (job->state != JOB_GOES_ON)
        return;
    bool is_much = buf_len(&job->log.raw) > JOB_RAW_HIGH;
    if (is_much || !list_empty(&job->waiters))
        job_settle(job);
    if (is_much && job->cleaner && !job->paused) {
        job->paused = true; /* until that is clean */
        call->tool->speech->pause(call, true);
    }
}

/* What the tool says of its work. Without memory it says nothing. */
static void write_about(struct tool_call *call, struct buf *out)
{
    struct json_writer w;
    if (!call->tool->speech)
        return;
    json_writer_init(&w, out);
    json_object_begin(&w);
    call->tool->speech->about(call, &w);
    json_object_end(&w);
    if (json_writer_end(&w) != 0)
        buf_clear(out);
}

/* ---- as a job ---- */

void job_on_done(struct tool_call *call, const struct tool_result *result)
{
    job_end(call->owner, call, result);
}

static void note_progress(struct job *job, uint64_t done, uint64_t total, const char *message)
{
    job->progress = done;
    job->progress_total = total;
    if (!job->speaks)
        snprintf(job->message, sizeof job->message, "%s", message ? message : "done");
}

void job_on_progress(struct tool_call *call, uint64_t done, uint64_t total, const char *message)
{
    note_progress(call->owner, done, total, message);
}

static void hand_over(struct tool_call *call)
{
    struct job *job = call->job;
    tool_detach_fn *on_detach = call->on_detach;
    struct job_page page;
    job_begin(job);
    if (call->progress.of)
        note_progress(job, call->progress.done, call->progress.total, call->progress.of);
    write_about(call, &job->about);
    size_t budget = call->view->output_budget;
    job_page_make(&page, job, 0, budget ? budget : TOOL_OUTPUT_MAX);
    page.now_ns = io_now(call->registry->io);
    const struct tool_result answer = {
        .write = job_page_write, .context = &page, .is_clean = true, .is_whole = true};
    call->on_detach = NULL;
    on_detach(call, &answer);
    call->on_done = job_on_done;
    call->owner = job;
    call->on_progress = job_on_progress;
    call->on_notify = NULL;
}

/* ---- the moment ---- */

static void on_settled(struct job_waiter *w)
{
    struct job *job = CONTAINER_OF(w, struct job, detaching);
    if (!job_settle(job))
        return;
    job_wait_end(w);
    if (!job->call->cancelled && !job->call->output && !job_table_is_stopping(job->jobs))
        hand_over(job->call);
}

static void on_time(struct io_timer *timer)
{
    struct tool_call *call = CONTAINER_OF(timer, struct tool_call, detach_timer);
    if (call->cancelled || call->output || job_table_is_stopping(call->registry->jobs))
        return;
    if (!call->job)
        call->job = job_reserve(call->registry->jobs, call);
    if (!call->job)
        return; /* it ends by its deadline */
    if (call->tool->speech)
        call->tool->speech->begin(call);
    job_wait(call->job, &call->job->detaching, on_settled);
    on_settled(&call->job->detaching);
}

void tool_detach_arm(struct tool_call *call)
{
    bool at_once = call->tool->is_task && call->can & TOOL_CAN_TASKS;
    uint64_t due = call->started_ns;
    if (!call->on_detach)
        return;
    if (!at_once)
        due += call->view->detach_after_ns;
    if (at_once || call->job || due < call->deadline_ns)
        io_timer_start(call->registry->io, &call->detach_timer, due, on_time);
}

void tool_detach_stop(struct tool_call *call)
{
    if (call->on_detach)
        io_timer_stop(call->registry->io, &call->detach_timer);
    if (call->job)
        job_wait_end(&call->job->detaching);
}

void tool_detach_fini(struct tool_call *call)
{
    if (call->job && call->job->state == JOB_RESERVED)
        job_release(call->job);
    call->job = NULL;
}
