/* A job as the tasks extension of MCP shows it (SEP-2663): the same job, its handle being the id of
 * the task. That a tool failed is a completed task; "failed" is for when there is no result. */
#include "job.h"

#include "result.h"
#include "scout/base/time.h"
#include <stdio.h>

#define TASK_POLL_MS 1000 /* that a client is told to wait between two looks */

static const char *status_of(const struct job *job)
{
    if (job->state != JOB_ENDED)
        return job->question.is_open ? "input_required" : "working";
    return job->was_cancelled ? "cancelled" : job->fault ? "failed" : "completed";
}

static void write_time(struct json_writer *w, const char *key, uint64_t ms)
{
    char text[TIME_TEXT_SIZE];
    time_format(ms, text);
    result_str(w, key, text);
}

static void write_message(struct json_writer *w, const struct job *job)
{
    char text[160];
    if (job->state == JOB_ENDED || !job->message[0])
        return;
    if (job->progress_total)
        snprintf(text, sizeof text, "%llu of %llu %s", (unsigned long long)job->progress,
                 (unsigned long long)job->progress_total, job->message);
    else
        snprintf(text, sizeof text, "%llu %s", (unsigned long long)job->progress, job->message);
    result_str(w, "statusMessage", text);
}

static void write_error(struct json_writer *w, int error)
{
    json_key(w, "error");
    json_object_begin(w);
    json_key(w, "code");
    json_int(w, error_rpc_code(error));
    result_str(w, "message", error_text(error));
    json_key(w, "data");
    json_object_begin(w);
    result_str(w, "code", error_code(error));
    json_object_end(w);
    json_object_end(w);
}

static void write_outcome(struct json_writer *w, const struct job *job)
{
    if (job->question.is_open)
        job_write_questions(w, job);
    if (job->state != JOB_ENDED || job->was_cancelled)
        return;
    if (job->fault) {
        write_error(w, job->fault);
        return;
    }
    json_key(w, "result");
    json_raw(w, buf_peek(&job->result));
}

void job_write_task(struct json_writer *w, const struct job *job, bool is_whole)
{
    result_str(w, "taskId", job->handle);
    result_str(w, "status", status_of(job));
    write_message(w, job);
    write_time(w, "createdAt", job->created_ms);
    write_time(w, "lastUpdatedAt", job->changed_ms);
    result_uint(w, "ttlMs", JOB_KEEP_S * 1000u);
    result_uint(w, "pollIntervalMs", TASK_POLL_MS);
    if (is_whole)
        write_outcome(w, job);
}
