/* Helper threads: jobs go out through a locked queue and come back through a lock-free stack.
 *
 * The lock guards only the queue: no thread holds it while it works, so the loop never waits longer
 * than for a few instructions. A finished job is pushed onto `finished`; whoever pushes onto the
 * empty stack writes the eventfd, which the loop reads through an op of its own like any other
 * file. The loop takes the whole stack at once and reverses it, so that jobs that end in an order
 * are told in that order.
 *
 * Threads are started when a job finds none idle, IO_JOB_THREADS at most, with all signals blocked
 * (signals are the loop's). When not even a first thread can be started, the jobs wait and the start
 * is tried again by a timer: a job is late then, but never lost. */
#include "job.h"

#include "loop.h"
#include "scout/base/time.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define JOB_THREAD_RETRY_MS 100
#define JOB_STACK_SIZE      (1024u * 1024u)

struct job_pool {
    struct io *io;

    pthread_mutex_t lock; /* guards the four below */
    pthread_cond_t wake;
    struct io_job *first, **end;
    uint32_t waiting, idle;
    bool quit;

    _Atomic(struct io_job *) finished; /* a stack */

    /* The loop's own. */
    pthread_t threads[IO_JOB_THREADS];
    uint32_t thread_count;
    struct io_file wake_file;
    struct io_op wake_op;
    struct io_timer retry;
    uint64_t wake_count; /* what the eventfd's read fills */
};

/* ---- in the helper thread ---- */

static struct io_job *next_job(struct job_pool *p)
{
    struct io_job *job = NULL;
    pthread_mutex_lock(&p->lock);
    p->idle++;
    while (!p->first && !p->quit)
        pthread_cond_wait(&p->wake, &p->lock);
    p->idle--;
    job = p->first;
    if (job) {
        p->first = job->next;
        if (!p->first)
            p->end = &p->first;
        p->waiting--;
    }
    pthread_mutex_unlock(&p->lock);
    return job;
}

static void hand_back(struct job_pool *p, struct io_job *job, int event_fd)
{
    struct io_job *top = atomic_load_explicit(&p->finished, memory_order_relaxed);
    do
        job->next = top;
    while (!atomic_compare_exchange_weak_explicit(&p->finished, &top, job, memory_order_release,
                                                  memory_order_relaxed));
    if (top)
        return; /* the one who made it non-empty wakes the loop */
    uint64_t one = 1;
    ssize_t got;
    do
        got = write(event_fd, &one, sizeof one);
    while (got < 0 && errno == EINTR);
    assert(got == sizeof one || errno == EAGAIN); /* EAGAIN: the count is far from read, and full */
}

static void *thread_main(void *arg)
{
    struct job_pool *p = arg;
    int event_fd = p->wake_file.fd; /* not changed while a thread lives */
    for (struct io_job *job = next_job(p); job; job = next_job(p)) {
        job->run(job);
        hand_back(p, job, event_fd);
    }
    return NULL;
}

/* ---- in the loop ---- */

static void take_finished(struct job_pool *p)
{
    struct io_job *top = atomic_exchange_explicit(&p->finished, NULL, memory_order_acquire);
    struct io_job *in_order = NULL;
    while (top) {
        struct io_job *next = top->next;
        top->next = in_order;
        in_order = top;
        top = next;
    }
    while (in_order) {
        struct io_job *next = in_order->next;
        io_job_finished(p->io, in_order);
        in_order = next;
    }
}

static void arm_wake(struct job_pool *p);

static void on_wake(struct io_op *op, struct io_event event)
{
    struct job_pool *p = CONTAINER_OF(op, struct job_pool, wake_op);
    if (p->wake_file.closing)
        return;
    assert(event.res == sizeof p->wake_count);
    take_finished(p);
    arm_wake(p);
}

static void arm_wake(struct job_pool *p)
{
    io_read(&p->wake_file, &p->wake_op, &p->wake_count, sizeof p->wake_count, -1, on_wake);
}

static int start_thread(struct job_pool *p)
{
    sigset_t all, before;
    pthread_attr_t attr;
    sigfillset(&all);
    int error = pthread_attr_init(&attr);
    if (error)
        return error;
    (void)pthread_attr_setstacksize(&attr, JOB_STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&p->threads[p->thread_count], &attr, thread_main, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (!error)
        p->thread_count++;
    return error;
}

static void on_retry(struct io_timer *timer);

static void ensure_thread(struct job_pool *p)
{
    pthread_mutex_lock(&p->lock);
    bool enough = p->idle >= p->waiting;
    pthread_mutex_unlock(&p->lock);
    if (enough || p->thread_count == IO_JOB_THREADS)
        return;
    if (start_thread(p) != 0 && p->thread_count == 0)
        io_timer_start(p->io, &p->retry, io_now(p->io) + JOB_THREAD_RETRY_MS * NS_PER_MS, on_retry);
}

static void on_retry(struct io_timer *timer)
{
    ensure_thread(CONTAINER_OF(timer, struct job_pool, retry));
}

void job_pool_start(struct job_pool *p, struct io_job *job)
{
    if (!p->wake_op.armed)
        arm_wake(p);
    pthread_mutex_lock(&p->lock);
    job->next = NULL;
    *p->end = job;
    p->end = &job->next;
    p->waiting++;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    ensure_thread(p);
}

int job_pool_new(struct job_pool **out, struct io *io)
{
    struct job_pool *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        int error = -errno;
        free(p);
        return error;
    }
    p->io = io;
    p->end = &p->first;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    io_file_adopt(io, &p->wake_file, fd);
    *out = p;
    return 0;
}

void job_pool_free(struct job_pool *p)
{
    pthread_mutex_lock(&p->lock);
    assert(!p->first);
    p->quit = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);

    io_timer_stop(p->io, &p->retry);
    io_close(&p->wake_file, NULL);
    while (p->wake_file.fd >= 0)
        io_run_once(p->io, NS_PER_S);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
