/* A command's life: from the request to its one end.
 *
 *   QUEUED --connection--> CHANNEL --its turn--> OPENING --accepted--> RUNNING --exit--> ended
 *     ^ \                   |  ^  \                |  \                 |   \
 *     |  \                  |  \   \---refused-----/   \                |    \ stop, deadline
 *     |   \                 |   \                       \               |     \
 *     \----\------ AGAIN <--+----\--- connection lost ---+--------------/      STOPPING --> ended
 *           \_____________________\ stop, deadline, failure: ENDING --> ended
 *
 * The pool's wait has the deadline while QUEUED, our timer afterwards. A command asks for another
 * connection (AGAIN) once at most, and only when repeating it cannot do anything twice: when the
 * request cannot have reached the host, or the command is repeatable and nobody has seen output of
 * it or given it input that is gone.
 *
 * Events of a result come from the engine's own on_end, where nobody can be inside a call on the
 * command, or from the task. A command holds its use until just before its end; what is left of
 * its exec is closed by the engine behind it. */
#include "command_state.h"

#include <assert.h>
#include <stdlib.h>

static void on_task(struct io_task *task);

/* ---- the end ---- */

static void let_go(struct command *c)
{
    struct pool_connection *conn = c->use.waiting ? NULL : c->use.connection;
    stop_cancel(&c->stop);
    pool_release(&c->stop_use);
    if (conn) {
        channels_leave(conn, &c->channel);
        command_drop_exec(c);
    }
    io_timer_stop(pool_io(c->pool), &c->timer);
    pool_release(&c->use);
}

static void command_free(struct command *c)
{
    io_task_cancel(&c->task);
    destination_free(c->destination);
    buf_fini(&c->input);
    free(c);
}

static void deliver(struct command *c)
{
    if (!c->silent)
        c->events->on_end(c->context, &c->result);
    command_free(c);
}

void command_finish(struct command *c)
{
    let_go(c);
    c->state = COMMAND_ENDING;
    deliver(c);
}

void command_finish_soon(struct command *c)
{
    assert(c->state != COMMAND_ENDING);
    let_go(c);
    c->state = COMMAND_ENDING;
    io_defer(pool_io(c->pool), &c->task, on_task);
}

void command_fail(struct command *c, const struct failure *why)
{
    c->result.end = COMMAND_FAILED;
    c->result.failure = *why;
    if (!why->stage) /* the pool refused at once */
        c->result.failure.stage = "queued";
    command_finish_soon(c);
}

/* ---- another connection ---- */

static void ask_again(struct command *c)
{
    let_go(c);
    c->state = COMMAND_AGAIN;
    io_defer(pool_io(c->pool), &c->task, on_task);
}

void command_lost(struct command *c, const struct failure *why, bool requested)
{
    bool harmless = !requested || (c->repeatable && !c->output_seen && !c->input_sent);
    bool closing = why->error == SCOUT_E_SHUTTING_DOWN;
    c->result.may_have_run |= requested;
    if (c->retried || closing || !harmless) {
        command_fail(c, why);
        return;
    }
    c->retried = true;
    pool_stats_of(c->pool)->command_retries++;
    ask_again(c);
}

void command_elsewhere(struct command *c)
{
    c->lane = POOL_LANE_COMMANDS;
    ask_again(c);
}

static void on_ready(struct pool_use *use, const struct failure *failure)
{
    struct command *c = CONTAINER_OF(use, struct command, use);
    struct failure why;
    if (failure)
        command_fail(c, failure);
    else if (command_run(c, &why) != 0)
        command_fail(c, &why);
}

/* The first time. 0 or an error with *why. */
static int acquire(struct command *c, const struct ssh_host *host, const char *principal,
                   struct failure *why)
{
    c->state = COMMAND_QUEUED;
    if (pool_has_lane(c->pool, host, principal, POOL_LANE_COMMANDS))
        c->lane = POOL_LANE_COMMANDS; /* it was needed a moment ago */
    int rc = pool_acquire_lane(c->pool, host, principal, c->lane, c->begin_by_ns, &c->use, on_ready,
                               why);
    if (rc < 0)
        return rc;
    c->destination = destination_ref(c->use.connection->destination);
    return rc == 0 ? 0 : command_run(c, why);
}

int command_acquire(struct command *c, enum pool_lane lane, uint64_t deadline_ns,
                    struct pool_use *use, void (*ready)(struct pool_use *, const struct failure *),
                    struct failure *why)
{
    const struct destination *d = c->destination;
    return pool_acquire_lane(c->pool, d->host, d->principal, lane, deadline_ns, use, ready, why);
}

static void try_again(struct command *c)
{
    struct failure why;
    c->state = COMMAND_QUEUED;
    int rc = command_acquire(c, c->lane, c->begin_by_ns, &c->use, on_ready, &why);
    if (rc == 1)
        rc = command_run(c, &why);
    if (rc < 0)
        command_fail(c, &why);
}

static void on_task(struct io_task *task)
{
    struct command *c = CONTAINER_OF(task, struct command, task);
    if (c->state == COMMAND_AGAIN)
        try_again(c);
    else
        deliver(c);
}

/* ---- the calls ---- */

static struct command *command_new(struct pool *p, const struct command_request *r, size_t len)
{
    struct command *c = calloc(1, sizeof *c + len + 1);
    if (!c)
        return NULL;
    c->pool = p;
    c->deadline_ns = r->deadline_ns;
    c->begin_by_ns = r->deadline_ns;
    if (r->begin_by_ns && r->begin_by_ns < r->deadline_ns)
        c->begin_by_ns = r->begin_by_ns;
    c->has_input = r->has_input;
    c->input_ended = !r->has_input;
    c->repeatable = r->repeatable;
    c->as_is = r->as_is;
    c->channel.wait.client = r->client;
    memcpy(c->text, r->command, len);
    buf_init(&c->input, EXEC_INPUT_MAX);
    io_timer_init(&c->timer);
    io_task_init(&c->task);
    return c;
}

void command_expect(struct pool *p, const struct ssh_host *host, const char *principal)
{
    struct pool_connection *c = pool_find(p, host, principal, POOL_LANE_FIRST);
    if (c && !pool_has_lane(p, host, principal, POOL_LANE_COMMANDS))
        channels_expect(c);
}

int command_start(struct pool *p, const struct command_request *request,
                  const struct command_events *events, void *context, struct command **out,
                  struct failure *why)
{
    size_t len = strlen(request->command);
    if (len > COMMAND_TEXT_MAX)
        return failure_set(why, SCOUT_E_LIMIT, "The command has %zu bytes: %u are the most", len,
                           (unsigned)COMMAND_TEXT_MAX);
    struct command *c = command_new(p, request, len);
    if (!c)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for a command on %s",
                           request->host->name);
    c->events = events;
    c->context = context;
    int error = acquire(c, request->host, request->principal, why);
    if (error) {
        let_go(c);
        command_free(c);
        return error;
    }
    pool_stats_of(p)->commands++;
    *out = c;
    return 0;
}

int command_write(struct command *c, struct slice data)
{
    assert(c->has_input && !c->input_ended);
    if (c->state == COMMAND_STOPPING || c->state == COMMAND_ENDING)
        return 0; /* nobody will read it */
    int error = buf_append(&c->input, data);
    if (!error && c->exec)
        command_push_input(c);
    return error;
}

void command_end_input(struct command *c)
{
    assert(c->has_input && !c->input_ended);
    c->input_ended = true;
    if (c->exec)
        command_push_input(c);
}

void command_pause(struct command *c, bool paused)
{
    if (c->paused == paused)
        return;
    c->paused = paused;
    if (!c->exec || c->state == COMMAND_STOPPING)
        return;
    exec_pause(c->exec, paused);
    connection_flush(c->use.connection);
}

void command_stop(struct command *c)
{
    command_begin_stop(c, SCOUT_E_CANCELLED);
}

void command_abandon(struct command *c)
{
    c->silent = true;
    command_begin_stop(c, SCOUT_E_CANCELLED);
}
