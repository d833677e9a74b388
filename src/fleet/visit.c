/* The life of one look at a host: a connection, a deadline, a second attempt, and the end.
 *
 * The end is always the same: requests that are still in flight are forgotten, handles are closed
 * behind them, the connection goes back to the pool, and the task delivers. Delivery never comes
 * from within a call, and never from within an event of the connection.
 *
 * A host without SFTP gets one command instead (visit_run.c). When no more of its output is needed
 * it is abandoned, which stops it at the host; that is done outside its own events, by the task. */
#include "visit.h"

#include "scout/pool/command.h"
#include <stdio.h>

static void acquire(struct visit *v);

/* ---- the end ---- */

static void drop_command(struct visit *v)
{
    if (v->command)
        command_abandon(v->command);
    v->command = NULL;
}

void visit_fini(struct visit *v)
{
    holding_end(&v->holding);
    io_task_cancel(&v->task);
    io_timer_stop(fleet_io(v->fleet), &v->timer);
    drop_command(v);
}

static void on_deliver(struct io_task *task)
{
    struct visit *v = CONTAINER_OF(task, struct visit, task);
    drop_command(v);
    v->parts->deliver(v);
}

static void on_again(struct io_task *task)
{
    struct visit *v = CONTAINER_OF(task, struct visit, task);
    drop_command(v);
    if (v->parts->reset)
        v->parts->reset(v);
    holding_end(&v->holding);
    v->failure = (struct failure){0};
    v->printed = v->finished = false;
    acquire(v);
}

struct sftp *visit_sftp(const struct visit *v)
{
    return v->use.connection && !v->use.waiting ? pool_sftp(&v->use) : NULL;
}

static void take_back(struct visit *v)
{
    struct sftp *s = visit_sftp(v);
    if (s) {
        v->parts->take_back(v, s);
        pool_flush(&v->use);
    }
}

static void end(struct visit *v, io_task_fn *next)
{
    if (v->finished)
        return;
    v->finished = true;
    io_timer_stop(fleet_io(v->fleet), &v->timer);
    take_back(v);
    pool_release(&v->use);
    io_defer(fleet_io(v->fleet), &v->task, next);
}

void visit_finish(struct visit *v)
{
    end(v, on_deliver);
}

/* With the failure in place. */
static void end_failed(struct visit *v)
{
    struct failure *f = &v->failure;
    if (!f->stage)
        f->stage = "running";
    bool again = f->error == SCOUT_E_CONNECTION_LOST && !v->retried && !v->finished &&
                 io_now(fleet_io(v->fleet)) < v->deadline_ns;
    v->retried = v->retried || again;
    end(v, again ? on_again : on_deliver);
}

/* The first failure is the one that is told: a connection that ends answers whatever else was in
 * flight with its own. */
void visit_fail(struct visit *v, int error, const char *text)
{
    if (v->finished)
        return;
    failure_set(&v->failure, error, "%s", text);
    end_failed(v);
}

void visit_fail_as(struct visit *v, const struct failure *why)
{
    if (v->finished)
        return;
    v->failure = *why;
    end_failed(v);
}

void visit_fail_path(struct visit *v, int error)
{
    if (v->finished)
        return;
    failure_set(&v->failure, error, "%s: %.400s",
                error == SCOUT_E_PERMISSION ? "Permission denied" : "Path not found", v->shown);
    end_failed(v);
}

void visit_fail_shown(struct visit *v, int error, const char *text)
{
    if (v->finished)
        return;
    failure_set(&v->failure, error, "%.400s %s", v->shown, text);
    end_failed(v);
}

void visit_fail_reply(struct visit *v, const char *what, const struct sftp_reply *reply)
{
    struct failure *f = &v->failure;
    int error = reply->error ? reply->error : SCOUT_E_SFTP_PROTOCOL;
    if (v->finished)
        return;
    if (error == SCOUT_E_NOT_FOUND || error == SCOUT_E_PERMISSION) {
        visit_fail_path(v, error);
        return;
    }
    if (error == SCOUT_E_CONNECTION_LOST && v->use.connection) {
        *f = *pool_failure(&v->use);
        if (!f->error)
            failure_set(f, error, "The connection to %s was lost", v->host->name);
    } else {
        struct slice why = reply->message.len ? reply->message : slice_str(error_text(error));
        failure_set(f, error, "Failed to %s %.256s: %.*s", what, v->shown,
                    (int)(why.len > 128 ? 128 : why.len), (const char *)why.data);
    }
    end_failed(v);
}

void visit_fail_start(struct visit *v, int error)
{
    char text[256];
    snprintf(text, sizeof text, "The request to %.128s could not be made: %s", v->host->name,
             error_text(error));
    visit_fail(v, error, text);
}

/* ---- what it holds ---- */

static void on_granted(struct holding *x)
{
    struct visit *v = CONTAINER_OF(x, struct visit, holding);
    if (!v->finished)
        v->on_held(v);
}

bool visit_hold(struct visit *v, uint64_t bytes, void (*go_on)(struct visit *v))
{
    if (!v->holdings || bytes <= HOLDINGS_SMALL || v->holding.of)
        return true;
    v->on_held = go_on;
    return holding_ask(&v->holding, v->holdings, v->client, bytes, on_granted);
}

bool visit_hold_more(struct visit *v, uint64_t bytes)
{
    struct failure why = {0};
    if (!v->holdings || bytes <= HOLDINGS_SMALL)
        return true;
    if (holding_try(&v->holding, v->holdings, v->client, bytes))
        return true;
    holdings_refuse(v->holdings, &why);
    visit_fail_as(v, &why);
    return false;
}

/* ---- the begin ---- */

/* When it will have taken too long, as far as is known now. */
static uint64_t due(const struct visit *v)
{
    uint64_t since = v->asking_ns ? v->asking_ns : io_now(fleet_io(v->fleet));
    return v->idle_ns ? since + v->idle_ns : v->deadline_ns;
}

static void tell_deadline(struct visit *v)
{
    if (v->idle_ns)
        failure_set(&v->failure, SCOUT_E_DEADLINE, "%s answered nothing for %.0f s", v->host->name,
                    (double)v->idle_ns / 1e9);
    else
        failure_set(&v->failure, SCOUT_E_DEADLINE, "%s did not answer in time", v->host->name);
    v->failure.stage = "running";
}

/* The timer is not moved with every answer: it looks when it fires. */
static void on_deadline(struct io_timer *timer)
{
    struct visit *v = CONTAINER_OF(timer, struct visit, timer);
    if (due(v) > io_now(fleet_io(v->fleet))) {
        io_timer_start(fleet_io(v->fleet), &v->timer, due(v), on_deadline);
        return;
    }
    if (v->holding.waits) {
        holdings_refuse(v->holdings, &v->failure);
        v->failure.stage = "queued";
    } else if (!v->parts->expire || !v->parts->expire(v)) {
        tell_deadline(v);
    }
    take_back(v); /* so that the end of the connection is not told to it as well */
    /* What was on its way when the host fell silent may still have come a moment later. */
    if (v->use.connection)
        pool_suspect(&v->use, v->asking_ns ? v->asking_ns + v->idle_ns / 2 : v->connected_ns);
    visit_finish(v);
}

void visit_idle(struct visit *v, uint64_t idle_ns)
{
    v->idle_ns = idle_ns;
    v->asking_ns = 0;
    if (!v->finished)
        io_timer_start(fleet_io(v->fleet), &v->timer, due(v), on_deadline);
}

void visit_moved(struct visit *v, bool asking)
{
    v->asking_ns = asking ? io_now(fleet_io(v->fleet)) : 0;
}

static void begin(struct visit *v)
{
    /* Until here the wait had the deadline. What the host said while it connected is no answer. */
    v->connected_ns = io_now(fleet_io(v->fleet));
    if (!pool_has_sftp(&v->use)) {
        v->parts->begin_shell(v);
        return;
    }
    io_timer_start(fleet_io(v->fleet), &v->timer, v->deadline_ns, on_deadline);
    v->parts->begin(v);
}

static void on_acquired(struct pool_use *use, const struct failure *failure)
{
    struct visit *v = CONTAINER_OF(use, struct visit, use);
    if (failure) {
        v->failure = *failure;
        visit_finish(v);
    } else {
        begin(v);
    }
}

static void acquire(struct visit *v)
{
    int ready = pool_acquire(fleet_pool(v->fleet), v->host, v->principal, v->deadline_ns, &v->use,
                             on_acquired, &v->failure);
    if (ready < 0) {
        v->failure.stage = "queued";
        visit_finish(v);
    } else if (ready) {
        begin(v);
    }
}

/* `~` is the login directory, where relative paths of SFTP and of commands begin. */
static const char *expand_home(const char *path)
{
    if (path[0] != '~')
        return path;
    path += path[1] == '/' ? 2 : 1;
    return path[0] ? path : ".";
}

void visit_start(struct visit *v, const struct visit_parts *parts, struct fleet *f,
                 const struct path_request *request, const char *shown)
{
    *v = (struct visit){
        .parts = parts,
        .fleet = f,
        .host = request->host,
        .principal = request->principal,
        .client = request->client,
        .deadline_ns = request->deadline_ns,
        .holdings = request->holdings,
        .shown = shown,
        .path = expand_home(shown),
    };
    io_timer_init(&v->timer);
    io_task_init(&v->task);
    acquire(v);
}

void visit_cancel(struct visit *v)
{
    v->finished = true;
    take_back(v);
    pool_release(&v->use);
}
