/* The result of a job: written once, when its call ends, since what the call wrote it from goes. */
#include "job.h"

#include "result.h"
#include <stdlib.h>

void job_say_result(struct job *job)
{
    struct json_walk walk;
    struct slice key, item;
    json_walk_begin(&walk, json_member(buf_peek(&job->result), "content"));
    if (!json_walk_next(&walk, &key, &item))
        return;
    struct slice raw = json_member(item, "text");
    char *text = malloc(raw.len + 1);
    int len = text ? json_string(raw, text, raw.len + 1) : -1;
    if (len > 0)
        job_log_add_clean(&job->log, slice_of(text, (size_t)len));
    free(text);
}

static const char no_room[] = "{\"content\":[{\"type\":\"text\",\"text\":\"Error: there was no "
                              "room to keep the result\"}],\"isError\":true}";

void job_take_result(struct job *job, const struct tool_result *result)
{
    job->fault = result_object(&job->result, result);
    if (job->fault) {
        buf_clear(&job->result);
        if (buf_append_str(&job->result, no_room) != 0)
            job->fault = SCOUT_E_NOMEM;
    }
    job->is_error = result->is_error || job->fault;
}
