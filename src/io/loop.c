/* The loop: passes, their order and their bounds.
 *
 * A pass reads the clock, lets the driver submit and wait, then runs events, finished jobs, timers,
 * deferred tasks, late tasks and closable files, in this order. Nothing calls back outside a pass.
 * A pass waits only when nothing is left to run: has_work is the one place that says what that
 * means.
 *
 * The time that a pass tells (io_now) does not change while callbacks run, so that two decisions of
 * one pass never disagree about it. */
#include "loop.h"

#include <assert.h>

void io_init(struct io *io, const struct io_driver *driver)
{
    io->driver = driver;
    heap_init(&io->timers);
    list_init(&io->tasks);
    list_init(&io->late);
    list_init(&io->closable);
    io->jobs_done_end = &io->jobs_done;
}

void io_free(struct io *io)
{
    assert(io->jobs_active == 0);
    io->driver->free(io);
}

static bool has_work(const struct io *io)
{
    const struct heap_node *first = heap_first(&io->timers);
    return io->ready_count > 0 || io->jobs_done || !list_empty(&io->tasks) ||
           !list_empty(&io->late) || !list_empty(&io->closable) ||
           (first && first->key <= io->now_ns);
}

/* Until when a pass that starts now may wait. */
static uint64_t wait_until(const struct io *io, uint64_t wait_ns)
{
    if (wait_ns == 0 || has_work(io))
        return io->now_ns;
    uint64_t until = wait_ns > UINT64_MAX - io->now_ns ? UINT64_MAX : io->now_ns + wait_ns;
    const struct heap_node *first = heap_first(&io->timers);
    return first && first->key < until ? first->key : until;
}

bool io_run_once(struct io *io, uint64_t wait_ns)
{
    io->stats.passes++;
    io->driver->update_clock(io);
    io->driver->wait(io, wait_until(io, wait_ns));
    io->started = false;
    struct list late; /* what is deferred late from here on is for the next pass */
    list_init(&late);
    list_splice(&late, &io->late);

    uint32_t events = io_ready_run(io, IO_EVENTS_PER_PASS);
    events += io_jobs_run(io, IO_EVENTS_PER_PASS - events);
    if (io->ready_count > 0 || io->jobs_done)
        io->stats.events_deferred++;
    bool timers = io_timers_run(io);
    bool tasks = io_tasks_run(io);
    tasks = io_late_run(&late) || tasks;
    bool closed = io_closable_run(io);
    return events > 0 || timers || tasks || closed;
}

void io_run(struct io *io)
{
    io->running = true;
    while (!io->stopping)
        io_run_once(io, UINT64_MAX);
    io->running = io->stopping = false;
}

void io_stop(struct io *io)
{
    io->stopping = true;
}

uint64_t io_now(const struct io *io)
{
    return io->now_ns;
}

uint64_t io_wall_ms(const struct io *io)
{
    return io->wall_ms;
}

void io_random(struct io *io, void *out, size_t len)
{
    io->driver->random(io, out, len);
}

const struct io_stats *io_stats(const struct io *io)
{
    return &io->stats;
}

/* ---- jobs: the driver runs them, the loop tells the end ---- */

void io_job_start(struct io *io, struct io_job *job, io_job_fn *run, io_job_fn *done)
{
    *job = (struct io_job){.run = run, .done = done};
    io->jobs_active++;
    io->driver->job_start(io, job);
}

uint32_t io_jobs_active(const struct io *io)
{
    return io->jobs_active;
}

void io_job_finished(struct io *io, struct io_job *job)
{
    job->next = NULL;
    *io->jobs_done_end = job;
    io->jobs_done_end = &job->next;
}

uint32_t io_jobs_run(struct io *io, uint32_t budget)
{
    uint32_t count = 0;
    while (count < budget && io->jobs_done) {
        struct io_job *job = io->jobs_done;
        io->jobs_done = job->next;
        if (!io->jobs_done)
            io->jobs_done_end = &io->jobs_done;
        io->jobs_active--;
        count++;
        job->done(job);
    }
    return count;
}
