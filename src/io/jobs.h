/* Helper threads for blocking work: submitted and finished on the loop's thread, run elsewhere. */
#ifndef SCOUT_IO_JOBS_H
#define SCOUT_IO_JOBS_H

#include "scout/io/io.h"
#include <pthread.h>
#include <stdatomic.h>

struct jobs {
    pthread_mutex_t lock; /* guards from here to `stopping`; never held while a job runs */
    pthread_cond_t wake;
    struct io_job *first, **end;
    unsigned waiting; /* jobs in the queue */
    unsigned idle;    /* threads that wait for one */
    bool stopping;

    _Atomic(struct io_job *) finished; /* a stack: threads push, the loop takes all of it */
    int wake_fd;                       /* an eventfd, readable after a push onto the empty stack */
    pthread_t threads[IO_JOB_THREADS];
    unsigned thread_count; /* the loop's own */
};

/* Starts no thread yet. Returns 0 or -errno. */
int jobs_init(struct jobs *jobs);

/* Joins the threads. No job may be queued or running. */
void jobs_free(struct jobs *jobs);

/* Queues the job. Returns false when there is no thread and none can be started: then the job is
 * still the caller's. */
bool jobs_submit(struct jobs *jobs, struct io_job *job);

/* Takes what has finished, oldest first, linked by `next`; NULL if nothing. */
struct io_job *jobs_take_finished(struct jobs *jobs);

#endif
