/* Calls that go on after they were answered (docs/wire.md, "Jobs"): a job has its output so far,
 * and later its end, for its owner alone, behind a handle. In memory: a restart forgets them. */
#ifndef SCOUT_TOOLS_JOB_TABLE_H
#define SCOUT_TOOLS_JOB_TABLE_H

#include "scout/base/json_write.h"
#include "scout/base/log.h"
#include "scout/fleet/identity.h"
#include "scout/io/io.h"

#define JOBS_OWNER_MAX      16   /* of one owner that go on, or may */
#define JOBS_MAX            64   /* of all */
#define JOBS_OWNER_KEPT_MAX 16   /* of one owner that have ended; then his oldest go */
#define JOBS_KEPT_MAX       64   /* of all; then the oldest go */
#define JOB_KEEP_S          3600 /* that one is kept when it has ended */

struct job_table;

/* NULL without memory. `log` may be NULL. */
struct job_table *job_table_new(struct io *io, struct log *log);
/* No call ends any more. */
void job_table_free(struct job_table *j);

/* The daemon ends: no call becomes a job any more, and those that go on are cancelled. `on_idle` is
 * called later, when the last of them has ended; never when there are none, nor when it is NULL. */
void job_table_stop(struct job_table *j, void (*on_idle)(void *context), void *context);
/* Whether none goes on. */
bool job_table_is_idle(const struct job_table *j);

struct job;

/* ---- for callers who know tasks (the MCP extension io.modelcontextprotocol/tasks) ---- */

/* The job of that owner behind a handle, valid until the loop goes on; NULL: there is none. */
struct job *job_table_find(const struct job_table *j, const struct identity *owner,
                           const char *handle);
/* The members of a Task; `is_whole`: with its result, error or questions. */
void job_write_task(struct json_writer *w, const struct job *job, bool is_whole);
/* Stops it; one that has ended stays as it is. */
void job_cancel(struct job *job);
/* Answers to its questions, a raw object: what is no question of it, or answered, means nothing. */
void job_take_answers(struct job *job, struct slice answers);

#endif
