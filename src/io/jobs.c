/* Helper threads: a queue towards them, a lock-free stack and an eventfd back.
 *
 * The queue is guarded by a mutex that is held for a few instructions only; the threads sleep on
 * its condition. Finished jobs are pushed onto a stack that only the loop takes from, and always
 * as a whole, so that there is no ABA: a pushed job never comes back to the stack's head by itself.
 * Only the push that finds the stack empty writes the eventfd: the loop then takes all that has
 * gathered.
 *
 * Threads are started one by one as jobs find no idle thread, and stay. They block every signal:
 * the process's signals belong to the loop. */
#include "jobs.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

int jobs_init(struct jobs *jobs)
{
    *jobs = (struct jobs){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (jobs->wake_fd < 0)
        return -errno;
    jobs->end = &jobs->first;
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->wake, NULL);
    return 0;
}

void jobs_free(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    assert(!jobs->first);
    jobs->stopping = true;
    pthread_cond_broadcast(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < jobs->thread_count; i++)
        pthread_join(jobs->threads[i], NULL);
    assert(!atomic_load(&jobs->finished));
    pthread_cond_destroy(&jobs->wake);
    pthread_mutex_destroy(&jobs->lock);
    close(jobs->wake_fd);
}

/* ---- on the threads ---- */

static void push_finished(struct jobs *jobs, struct io_job *job)
{
    struct io_job *head = atomic_load_explicit(&jobs->finished, memory_order_relaxed);
    bool was_empty;
    do {
        job->next = head;
        was_empty = head == NULL; /* after the exchange the job is the loop's */
    } while (!atomic_compare_exchange_weak_explicit(&jobs->finished, &head, job,
                                                    memory_order_release, memory_order_relaxed));
    if (was_empty) {
        uint64_t one = 1;
        ssize_t wrote = write(jobs->wake_fd, &one, sizeof one);
        assert(wrote == sizeof one); /* the counter holds at most one per take: it cannot be full */
        (void)wrote;
    }
}

/* The next job; NULL when the threads shall end. */
static struct io_job *next_job(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->idle++;
    while (!jobs->first && !jobs->stopping)
        pthread_cond_wait(&jobs->wake, &jobs->lock);
    jobs->idle--;
    struct io_job *job = jobs->first;
    if (job) {
        jobs->waiting--;
        jobs->first = job->next;
        if (!jobs->first)
            jobs->end = &jobs->first;
    }
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

static void *thread_main(void *arg)
{
    struct jobs *jobs = arg;
    for (struct io_job *job = next_job(jobs); job; job = next_job(jobs)) {
        job->run(job);
        push_finished(jobs, job);
    }
    return NULL;
}

/* ---- on the loop ---- */

static bool start_thread(struct jobs *jobs)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a thread inherits the mask */
    int error = pthread_create(&jobs->threads[jobs->thread_count], NULL, thread_main, jobs);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return false;
    jobs->thread_count++;
    return true;
}

bool jobs_submit(struct jobs *jobs, struct io_job *job)
{
    pthread_mutex_lock(&jobs->lock);
    bool busy = jobs->waiting >= jobs->idle; /* no idle thread is left for this one */
    pthread_mutex_unlock(&jobs->lock);
    if (busy && jobs->thread_count < IO_JOB_THREADS && !start_thread(jobs) &&
        jobs->thread_count == 0)
        return false;

    pthread_mutex_lock(&jobs->lock);
    job->next = NULL;
    *jobs->end = job;
    jobs->end = &job->next;
    jobs->waiting++;
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
    return true;
}

struct io_job *jobs_take_finished(struct jobs *jobs)
{
    uint64_t count;
    ssize_t got = read(jobs->wake_fd, &count, sizeof count); /* before the take: no push is lost */
    (void)got;                                               /* nothing to read is fine */
    struct io_job *stack = atomic_exchange_explicit(&jobs->finished, NULL, memory_order_acquire);
    struct io_job *oldest = NULL;
    while (stack) {
        struct io_job *next = stack->next;
        stack->next = oldest;
        oldest = stack;
        stack = next;
    }
    return oldest;
}
