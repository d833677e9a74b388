/* Stopping a command: its deadline, command_stop, command_abandon.
 *
 *   OPENING, RUNNING --> STOPPING --report known--> killer at work --verdict--> ended
 *                            \__ COMMAND_STOP_MS, no group, silence: unconfirmed __/
 *
 * Before the exec there is nothing to stop. Afterwards only the host can say that nothing is left:
 * the killer's verdict on the process group. Everything else is unconfirmed, also when the command
 * itself has ended meanwhile, since what it has started may still run.
 *
 * The answer comes at the deadline at the latest, so the stop begins before it: a share of the time
 * that the command had when it began is kept for that. What is not confirmed by then is told as
 * unconfirmed; the stop goes on behind the answer, silently, for as long as it may take.
 *
 *   begin ------ listen ------ stop ---- deadline: answered ---- silence, give up
 *                  |___________COMMAND_SILENCE_MS__|
 *
 * A host that is silent after it was asked for a sign of life costs its connection, so that one
 * dead host is not waited for by each of its commands in turn. It is asked early enough to be known
 * as dead at the deadline, where there is so much time.
 *
 * While STOPPING no output is delivered, and none is held back: it is read and dropped, so that the
 * command's end can get through. */
#include "command_state.h"

#include "scout/base/time.h"
#include <assert.h>
#include <string.h>

static uint64_t now_of(const struct command *c)
{
    return io_now(pool_io(c->pool));
}

/* ---- the result ---- */

static const char *reason(const struct command *c)
{
    return c->stop_error == SCOUT_E_DEADLINE ? "did not end in time" : "was cancelled";
}

static void set_result(struct command *c, enum command_end end, const char *stage, const char *what)
{
    struct command_result *r = &c->result;
    r->end = end;
    failure_set(&r->failure, c->stop_error, "The command on %s %s: %s", c->destination->host->name,
                reason(c), what);
    r->failure.stage = stage;
}

static void conclude(struct command *c, enum command_end end, const char *stage, const char *what)
{
    if (!c->answered) {
        set_result(c, end, stage, what);
        if (end == COMMAND_STOP_UNCONFIRMED)
            pool_stats_of(c->pool)->stops_unconfirmed++;
    }
    command_finish_soon(c);
}

static void unconfirmed(struct command *c, const char *why)
{
    c->result.may_have_run = true;
    conclude(c, COMMAND_STOP_UNCONFIRMED, c->accepted ? "running" : "channel", why);
}

/* It never began. */
static void take_back(struct command *c)
{
    struct failure why;
    bool queued = c->state == COMMAND_QUEUED || c->state == COMMAND_AGAIN;
    failure_set(&why, c->stop_error, "The command on %s %s: it was still waiting for a %s",
                c->destination->host->name, reason(c), queued ? "connection" : "channel");
    why.stage = queued ? "queued" : "channel";
    command_fail(c, &why);
}

/* ---- the steps ---- */

static void kill_from_elsewhere(struct command *c);

static uint64_t give_up_ns(const struct command *c)
{
    return c->stopped_ns + COMMAND_STOP_MS * NS_PER_MS;
}

static void on_verdict(struct stop *s, enum kill_verdict v)
{
    struct command *c = CONTAINER_OF(s, struct command, stop);
    switch (v) {
    case KILL_NONE: /* it had exited by itself, and what was waited for was its output */
        conclude(c, COMMAND_STOPPED, "draining",
                 "it had exited, but not all of its output had come");
        break;
    case KILL_GONE:
        conclude(c, COMMAND_STOPPED, "running", "it was stopped, no process of its group is left");
        break;
    case KILL_LEFT:
        unconfirmed(c, "processes of its group could not be ended and may still run");
        break;
    case KILL_UNKNOWN:
        unconfirmed(c, "the host could not be asked to stop it, it may still run");
        break;
    case KILL_REFUSED:
        kill_from_elsewhere(c);
        break;
    }
}

/* ---- over another connection, where no channel is kept for killers ---- */

static void on_stops_ready(struct pool_use *use, const struct failure *failure)
{
    struct command *c = CONTAINER_OF(use, struct command, stop_use);
    if (failure)
        unconfirmed(c, "there was no connection to stop it over, it may still run");
    else
        stop_start(use->connection, &c->stop, c->group.id, on_verdict);
}

static void kill_from_elsewhere(struct command *c)
{
    struct failure why;
    int rc = command_acquire(c, POOL_LANE_STOPS, give_up_ns(c), &c->stop_use, on_stops_ready, &why);
    if (rc != 0)
        on_stops_ready(&c->stop_use, rc < 0 ? &why : NULL);
}

/* A group may be killed only where the server gives each command one of its own; OpenSSH does. */
static bool has_own_group(const struct command *c)
{
    const struct pool_connection *conn = c->use.connection;
    switch (c->group.shell.groups) {
    case SHELL_GROUPS_OWN:
        return true;
    case SHELL_GROUPS_SHARED:
        return false;
    case SHELL_GROUPS_UNKNOWN:
        break;
    }
    return strstr(conn->engine->banner, "OpenSSH") != NULL;
}

static void kill_group(struct command *c)
{
    if (has_own_group(c))
        stop_start(c->use.connection, &c->stop, c->group.id, on_verdict);
    else
        unconfirmed(c, "its SSH server gives commands no process group of their own, so that it "
                       "could only be left alone and may still run");
}

void command_stop_reported(struct command *c)
{
    if (!c->stop.active && !c->stop_use.connection)
        kill_group(c);
}

/* ---- time ---- */

static const char *give_up_reason(const struct command *c)
{
    return c->group.id
               ? "stopping it was not confirmed in time, it may still run"
               : "it has not reported its process group, so that it could not be stopped and may "
                 "still run";
}

/* Nothing was confirmed by the time that the answer is due; the stop goes on behind it. */
static void answer(struct command *c)
{
    c->result.may_have_run = true;
    set_result(c, COMMAND_STOP_UNCONFIRMED, c->accepted ? "running" : "channel", give_up_reason(c));
    pool_stats_of(c->pool)->stops_unconfirmed++;
    c->answered = c->silent = true;
    c->events->on_end(c->context, &c->result);
}

static void ask_for_sign(struct command *c)
{
    struct pool_connection *conn = c->use.connection;
    c->asked_ns = now_of(c);
    c->asked_sign = conn->engine && engine_ping(conn->engine);
    connection_flush(conn);
}

static uint64_t silence_ns(const struct command *c)
{
    return c->asked_ns + COMMAND_SILENCE_MS * NS_PER_MS;
}

static void on_stopping(struct io_timer *timer);

static void wait_for_next(struct command *c)
{
    uint64_t next = give_up_ns(c);
    if (!c->silent && c->deadline_ns < next)
        next = c->deadline_ns;
    if (!c->silence_seen && silence_ns(c) < next)
        next = silence_ns(c);
    io_timer_start(pool_io(c->pool), &c->timer, next, on_stopping);
}

/* Whether its connection should have said something since it was asked. */
static bool owes_sign(const struct command *c)
{
    bool kills_here = c->stop.killer && !c->stop_use.connection;
    return c->asked_sign || kills_here || !c->accepted;
}

static void on_stopping(struct io_timer *timer)
{
    struct command *c = CONTAINER_OF(timer, struct command, timer);
    uint64_t now = now_of(c);
    if (!c->silence_seen && now >= silence_ns(c)) {
        c->silence_seen = true;
        if (owes_sign(c))
            pool_suspect(&c->use, c->asked_ns);
    }
    if (now >= give_up_ns(c)) {
        unconfirmed(c, give_up_reason(c));
        return;
    }
    if (!c->silent && now >= c->deadline_ns)
        answer(c);
    wait_for_next(c);
}

static void stop_exec(struct command *c)
{
    struct pool_connection *conn = c->use.connection;
    bool in_doubt = c->asked_ns > 0 && conn->received_ns <= c->asked_ns; /* asked, and silent */
    c->state = COMMAND_STOPPING;
    c->stopped_ns = now_of(c);
    pool_stats_of(c->pool)->stops++;
    if (c->as_is) {
        unconfirmed(c, "it was sent as it is, so that it could not be stopped and may still run");
        return;
    }
    if (c->exec && c->paused)
        exec_pause(c->exec, false);
    if (!in_doubt)
        ask_for_sign(c);
    connection_flush(conn);
    wait_for_next(c);
    if (c->group.id && conn->engine)
        kill_group(c);
}

void command_begin_stop(struct command *c, int error)
{
    switch (c->state) {
    case COMMAND_QUEUED:
    case COMMAND_CHANNEL:
    case COMMAND_AGAIN:
        c->stop_error = error;
        take_back(c);
        break;
    case COMMAND_OPENING:
    case COMMAND_RUNNING:
        c->stop_error = error;
        stop_exec(c);
        break;
    case COMMAND_STOPPING:
    case COMMAND_ENDING:
        break;
    }
}

/* ---- what may happen meanwhile ---- */

static void keep_status(struct command *c, const struct exec_result *result)
{
    c->result.has_status = result->has_status;
    c->result.status = result->status;
    memcpy(c->result.signal, result->signal, sizeof c->result.signal);
}

void command_stop_ended(struct command *c, const struct exec_result *result)
{
    bool refused = result->error == SCOUT_E_NO_CHANNEL || result->error == SCOUT_E_EXEC_REFUSED;
    keep_status(c, result);
    if (refused || (result->error && !result->requested)) {
        /* Here, that is: on a connection before it may have. */
        conclude(c, COMMAND_FAILED, "channel", "it had not begun to run");
    } else if (result->error) {
        unconfirmed(c, "the connection was lost while it was being stopped, it may still run");
    } else if (!c->group.id) {
        unconfirmed(c, "it ended by itself, but never reported its process group: processes that "
                       "it started may still run");
    }
    /* Else the killer says what is left of the group. */
}

static void on_deadline(struct io_timer *timer)
{
    command_begin_stop(CONTAINER_OF(timer, struct command, timer), SCOUT_E_DEADLINE);
}

void command_start_deadline(struct command *c)
{
    io_timer_start(pool_io(c->pool), &c->timer, c->begin_by_ns, on_deadline);
}

static void on_listen(struct io_timer *timer)
{
    struct command *c = CONTAINER_OF(timer, struct command, timer);
    ask_for_sign(c);
    io_timer_start(pool_io(c->pool), timer, c->stop_ns, on_deadline);
}

void command_start_clock(struct command *c)
{
    uint64_t now = now_of(c), left = c->deadline_ns - now;
    uint64_t reserve = left / COMMAND_RESERVE_SHARE, listen = COMMAND_SILENCE_MS * NS_PER_MS;
    if (reserve > COMMAND_RESERVE_MAX_MS * NS_PER_MS)
        reserve = COMMAND_RESERVE_MAX_MS * NS_PER_MS;
    c->asked_ns = 0;
    c->stop_ns = c->as_is ? c->deadline_ns : c->deadline_ns - reserve;
    if (left > listen && c->deadline_ns - listen < c->stop_ns)
        io_timer_start(pool_io(c->pool), &c->timer, c->deadline_ns - listen, on_listen);
    else
        io_timer_start(pool_io(c->pool), &c->timer, c->stop_ns, on_deadline);
}
