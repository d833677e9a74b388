/* The tool `output` with the handle of a job: a page of what it has said, maybe after a wait, and
 * its end on request.
 *
 *   start --found--> settle --> there is something to read, or its end, or no time left --> answer
 *                      ^  \--nothing yet: wait--|
 *
 * It contacts nothing: what has to be done at a host is done by the call that the job is. Nobody
 * waits longer than the call's own deadline allows. */
#include "job.h"
#include "result.h"
#include "scout/base/container.h"
#include "scout/base/time.h"
#include <cjson/cJSON.h>

#define JOB_WAIT_MAX_S 40
#define JOB_CANCEL_S   8 /* that a cancelled job has to end before it is told that it still runs */
#define JOB_MARGIN_MS  500 /* before the call's deadline */
#define JOB_OFFSET_MAX (INT64_C(1) << 53)

struct job_call {
    struct tool_call *call;
    struct job_waiter waiter;
    struct io_timer timer;
    struct job *job;
    uint64_t offset;
    size_t size;
    bool cancels, time_is_over;
};

static struct io *io_of(const struct job_call *c)
{
    return c->call->registry->io;
}

static void leave(struct job_call *c)
{
    c->call->state = NULL;
    job_wait_end(&c->waiter);
    io_timer_stop(io_of(c), &c->timer);
}

static void fail(struct job_call *c, const char *handle)
{
    struct failure why;
    leave(c);
    failure_set(&why, SCOUT_E_NO_HANDLE,
                "There is no job %.40s: it was never yours, or it ended over %d minutes ago, or "
                "newer ones took its room",
                handle, JOB_KEEP_S / 60);
    tool_call_fail(c->call, &why);
}

static void answer(struct job_call *c)
{
    struct job_page page;
    leave(c);
    job_page_make(&page, c->job, c->offset, c->size);
    page.now_ns = io_now(io_of(c));
    const struct tool_result result = {
        .write = job_page_write, .context = &page, .is_clean = true, .is_whole = true};
    tool_call_finish(c->call, &result); /* `c` is in the call's arena */
}

/* Whether there is something that the caller wants to know. */
static bool is_worth_it(const struct job_call *c)
{
    return c->job->state == JOB_ENDED ||
           (!c->cancels && job_log_end_offset(&c->job->log) > c->offset);
}

static void look(struct job_call *c)
{
    bool settled = job_settle(c->job);
    if (settled && (c->time_is_over || is_worth_it(c)))
        answer(c);
}

static void on_told(struct job_waiter *w)
{
    struct job_call *c = CONTAINER_OF(w, struct job_call, waiter);
    if (w->job)
        look(c);
    else
        fail(c, "any more"); /* it went while it was waited for */
}

static void on_time(struct io_timer *timer)
{
    struct job_call *c = CONTAINER_OF(timer, struct job_call, timer);
    c->time_is_over = true;
    look(c);
}

static uint64_t number_of(const struct cJSON *args, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(args, name);
    return value ? (uint64_t)value->valuedouble : 0;
}

/* Until when it may wait: an answer comes before the deadline, and before the call would become a
 * job itself, since one that only waits for another is of no use. */
static uint64_t end_of_wait(const struct job_call *c, uint64_t seconds)
{
    const struct tool_call *call = c->call;
    uint64_t now = io_now(io_of(c)), end = now + seconds * NS_PER_S;
    uint64_t last = call->deadline_ns - JOB_MARGIN_MS * (uint64_t)NS_PER_MS;
    if (call->on_detach && last > call->started_ns + call->view->detach_after_ns / 8 * 7)
        last = call->started_ns + call->view->detach_after_ns / 8 * 7;
    if (last < now)
        return now;
    return end < last ? end : last;
}

static void begin(struct job_call *c, const struct cJSON *args)
{
    const struct tool_view *view = c->call->view;
    const cJSON *wait = cJSON_GetObjectItemCaseSensitive(args, "wait");
    c->offset = number_of(args, "offset");
    c->cancels = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "cancel"));
    c->size = number_of(args, "limit");
    if (!c->size)
        c->size = view && view->output_budget ? view->output_budget : TOOL_OUTPUT_MAX;
    job_wait(c->job, &c->waiter, on_told);
    uint64_t seconds = wait ? number_of(args, "wait") : c->cancels ? JOB_CANCEL_S : 0;
    c->time_is_over = seconds == 0;
    if (seconds)
        io_timer_start(io_of(c), &c->timer, end_of_wait(c, seconds), on_time);
    if (c->cancels && c->job->state == JOB_GOES_ON)
        job_cancel(c->job); /* which may end it, and so this call */
    else
        look(c);
}

void job_read_start(struct tool_call *call, const struct cJSON *args)
{
    const char *handle = cJSON_GetObjectItemCaseSensitive(args, "handle")->valuestring;
    struct job_call *c = arena_alloc(&call->arena, sizeof *c);
    struct failure why;
    if (!c) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        tool_call_fail(call, &why);
        return;
    }
    *c = (struct job_call){.call = call};
    io_timer_init(&c->timer);
    call->state = c;
    c->job =
        call->registry->jobs ? job_table_find(call->registry->jobs, call->identity, handle) : NULL;
    if (c->job)
        begin(c, args);
    else
        fail(c, handle);
}

void job_read_cancel(struct tool_call *call)
{
    struct failure why;
    if (!call->state)
        return;
    leave(call->state);
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled; the job goes on");
    tool_call_fail(call, &why);
}
