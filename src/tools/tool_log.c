/* One line a call: `request` with what it was about, what came of it, and how long it took to come
 * to its connection (connection_s), from there to the end (run_s) and altogether (total_s). A time
 * that is not below the threshold makes the line a warning with slow=yes. One that goes on as a job
 * gets a line when its client is answered, and another one when it ends. */
#include "scout/tools/tool_log.h"

#include "job.h"

#define NUMBER_SIZE 32

static const char *number_text(uint64_t number, char *out)
{
    char *at = out + NUMBER_SIZE - 1;
    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return at;
}

/* Seconds with six digits behind the point. */
static const char *seconds_text(uint64_t ns, char *out)
{
    uint64_t us = ns / 1000, part = us % 1000000;
    char *at = out + NUMBER_SIZE - 1;
    *at = '\0';
    for (int i = 0; i < 6; i++, part /= 10)
        *--at = (char)('0' + part % 10);
    *--at = '.';
    us /= 1000000;
    do
        *--at = (char)('0' + us % 10);
    while ((us /= 10) > 0);
    return at;
}

void tool_call_log(struct log *log, uint64_t slow_ns, const struct tool_call *call,
                   const struct tool_result *result, const char *outcome)
{
    char client[NUMBER_SIZE], connection[NUMBER_SIZE], run[NUMBER_SIZE], total[NUMBER_SIZE],
        bytes[NUMBER_SIZE];
    const struct io *io = call->registry->io;
    const struct identity *who = call->identity;
    const struct audit_act *act = tool_call_act(call, result->error);
    uint64_t start = call->started_ns, connected = call->connected_ns, end = io ? io_now(io) : 0;
    bool slow = !call->tool->lasts && end - start >= slow_ns && end > start;
    enum log_level level = slow ? LOG_WARN : LOG_INFO;
    if (!log || level > log->level)
        return;
    log_event(
        log, level, "request", "tool", call->tool->name, "verb",
        act->known ? policy_verb_name(act->verb) : NULL, "host", act->host[0] ? act->host : NULL,
        "who", who ? who->name : NULL, "client", who ? number_text(who->client, client) : NULL,
        "code", result->error ? error_code(result->error) : "ok", "stage", result->stage,
        "connection_s", connected ? seconds_text(connected - start, connection) : NULL, "run_s",
        connected ? seconds_text(end - connected, run) : NULL, "total_s",
        seconds_text(end - start, total), "bytes", number_text(call->answer_bytes, bytes), "slow",
        slow ? "yes" : NULL, "outcome", outcome, "job", outcome ? call->job->handle : NULL, NULL);
}
