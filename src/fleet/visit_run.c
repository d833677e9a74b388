/* The command that a visit is on a host without SFTP.
 *
 * It takes a use of its own and keeps the deadline itself, since only it knows where it waits. It
 * has no effect, so it may run again after a lost connection: the pool repeats it while nothing was
 * printed, the visit begins again afterwards. */
#include "visit.h"

#include "scout/base/buf.h"
#include "scout/pool/command.h"
#include <stdio.h>

#define SIGNAL_MAX 64

void visit_fail_output(struct visit *v, int error)
{
    char text[256];
    snprintf(text, sizeof text,
             "%.128s offers no SFTP, and its shell did not answer as a POSIX shell does",
             v->host->name);
    visit_fail(v, error == SCOUT_E_NOMEM ? error : SCOUT_E_SFTP_UNAVAILABLE, text);
}

static void fail_killed(struct visit *v)
{
    char text[640];
    snprintf(text, sizeof text, "The command that looks at %.400s was killed at %.128s", v->shown,
             v->host->name);
    visit_fail(v, SCOUT_E_REMOTE, text);
}

static void on_started(void *context)
{
    struct visit *v = context;
    v->connected_ns = io_now(fleet_io(v->fleet));
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct visit *v = context;
    if (is_stderr || v->finished)
        return;
    v->printed = true;
    int result = v->parts->feed(v, data);
    if (result < 0)
        visit_fail_output(v, result);
    else if (result > 0)
        v->parts->fed(v, 0);
}

static void fail_command(struct visit *v, const struct failure *why)
{
    struct failure own = *why;
    if (why->error == SCOUT_E_DEADLINE) {
        failure_set(&own, SCOUT_E_DEADLINE, "%s did not answer in time", v->host->name);
        own.stage = why->stage;
    }
    /* What had not printed anything was repeated by the pool already. */
    v->retried = v->retried || !v->printed;
    visit_fail_as(v, &own);
}

/* Its shell by a signal, or the last of its programs: then what it printed says nothing. */
static bool was_killed(const struct command_result *result)
{
    return result->signal[0] ||
           (result->has_status && result->status > 128 && result->status <= 128 + SIGNAL_MAX);
}

static void on_end(void *context, const struct command_result *result)
{
    struct visit *v = context;
    v->command = NULL;
    if (v->finished)
        return;
    if (result->end == COMMAND_EXITED && was_killed(result))
        fail_killed(v);
    else if (result->end == COMMAND_EXITED)
        v->parts->fed(v, result->has_status ? result->status : -1);
    else if (result->failure.error == SCOUT_E_DEADLINE && v->parts->expire && v->parts->expire(v))
        visit_finish(v);
    else
        fail_command(v, &result->failure);
}

static const struct command_events events = {
    .on_started = on_started, .on_output = on_output, .on_end = on_end};

static void run(struct visit *v, const char *command)
{
    struct command_request request = {
        .host = v->host,
        .principal = v->principal,
        .client = v->client,
        .command = command,
        .deadline_ns = v->deadline_ns,
        .repeatable = true,
    };
    io_timer_stop(fleet_io(v->fleet), &v->timer);
    pool_release(&v->use);
    if (command_start(fleet_pool(v->fleet), &request, &events, v, &v->command, &v->failure) != 0) {
        v->failure.stage = "queued";
        visit_finish(v);
    }
}

const char *visit_line(struct visit *v, struct buf *line, int error, const char *purpose)
{
    char text[128];
    if (!error)
        error = buf_append(line, slice_of("", 1));
    if (!error)
        return (const char *)buf_peek(line).data;
    snprintf(text, sizeof text, "The command that %s could not be made", purpose);
    visit_fail(v, error, text);
    return NULL;
}

void visit_run_line(struct visit *v, struct buf *line, int error, const char *purpose)
{
    const char *text = visit_line(v, line, error, purpose);
    if (text)
        run(v, text);
    buf_fini(line);
}
