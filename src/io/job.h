/* Helper threads for blocking work, and the way back to the loop. For drivers on a kernel. */
#ifndef SCOUT_IO_JOB_H
#define SCOUT_IO_JOB_H

#include "scout/io/io.h"

struct job_pool;

/* Starts no thread yet. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int job_pool_new(struct job_pool **out, struct io *io);

/* Ends the threads and takes the pool's op off the loop by running passes. No job may be active. */
void job_pool_free(struct job_pool *p);

void job_pool_start(struct job_pool *p, struct io_job *job);

#endif
