/* Who waits for what a job says, and the cleaning that comes before it is told.
 *
 * Cleaning runs on a helper thread, on copies of its own, for one job once at a time; a job that
 * goes meanwhile leaves it to itself. Waiters are told from there and from the end of the call:
 * they may stop waiting, or have the job ended, from within. */
#include "job.h"

#include "scout/base/container.h"
#include "scout/fleet/redact.h"
#include <stdlib.h>

struct job_cleaner {
    struct io_job io_job;
    struct job *job; /* NULL: gone */
    struct redactor *redactor;
    struct job_cleaning work;
};

/* ---- waiting ---- */

void job_wait(struct job *job, struct job_waiter *w, void (*fn)(struct job_waiter *w))
{
    list_init(&w->node);
    w->job = job;
    w->fn = fn;
    list_append(&job->waiters, &w->node);
}

void job_wait_end(struct job_waiter *w)
{
    if (!w->job)
        return;
    w->job = NULL;
    list_remove(&w->node);
}

/* Each that waits now; those that go on waiting are told again next time. */
void job_tell(struct job *job)
{
    if (job->telling)
        return;
    job->telling = true;
    list_splice(&job->told, &job->waiters);
    for (struct list *node; (node = list_shift(&job->told));) {
        struct job_waiter *w = CONTAINER_OF(node, struct job_waiter, node);
        list_append(&job->waiters, node);
        w->fn(w);
    }
    job->telling = false;
    if (job->gone)
        free(job);
}

/* ---- cleaning ---- */

static void run_cleaner(struct io_job *io_job)
{
    job_cleaning_run(&CONTAINER_OF(io_job, struct job_cleaner, io_job)->work);
}

/* What had to wait for the cleaning goes on. */
static void resume(struct job *job)
{
    if (job->paused && job->call && !job->call->output)
        job->tool->speech->pause(job->call, false);
    job->paused = false;
}

static void on_cleaned(struct io_job *io_job)
{
    struct job_cleaner *c = CONTAINER_OF(io_job, struct job_cleaner, io_job);
    struct job *job = c->job;
    redactor_free(c->redactor);
    if (job) {
        job->cleaner = NULL;
        job_log_put(&job->log, &c->work);
    } else {
        job_cleaning_fini(&c->work);
    }
    free(c);
    if (!job)
        return;
    resume(job);
    job_tell(job);
}

bool job_settle(struct job *job)
{
    if (job->cleaner)
        return false;
    if (!job->log.has_news)
        return true;
    struct job_cleaner *c = calloc(1, sizeof *c);
    if (!c)
        return true; /* what waits may be cleaned when there is memory again */
    c->job = job;
    c->redactor = job->redactor ? redactor_hold(job->redactor) : NULL;
    c->work.redactor = c->redactor;
    job->cleaner = c;
    job_log_take(&job->log, &c->work);
    io_job_start(job_io(job), &c->io_job, run_cleaner, on_cleaned);
    return false;
}

void job_leave_cleaner(struct job *job)
{
    if (job->cleaner)
        job->cleaner->job = NULL;
}
