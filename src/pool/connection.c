/* A connection's state machine: see connection.h for its states.
 *
 * All that arrives in one pass is fed to the engine first and stepped once, by the task at the end
 * of the pass; so are all requests that were started meanwhile. Reading pauses while the engine has
 * enough, and the engine's output waits while the socket takes no more.
 *
 * Tear-down runs from the task only. It ends the channels, then the engine (which answers what is
 * in flight), then those who wait; then the socket is closed, and the place given back. */
#include "carrier.h"
#include "hop.h"
#include "pool_state.h"

#include "scout/base/time.h"
#include <assert.h>
#include <stdlib.h>

static void on_task(struct io_task *task);

struct pool_connection *connection_new(struct pool *p, const struct ssh_host *host,
                                       const char *principal)
{
    struct pool_connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->destination = destination_new(host, principal);
    if (!c->destination) {
        free(c);
        return NULL;
    }
    c->pool = p;
    c->name = c->destination->host->name;
    c->stage_since_ns = io_now(p->io);
    list_init(&c->node);
    list_init(&c->waits);
    io_task_init(&c->task);
    io_timer_init(&c->timer);
    channels_init(&c->channels);
    hops_init(&c->hops);
    list_init(&c->pass.node);
    io_timer_init(&c->pass.timer);
    c->places = 1;
    for (const struct ssh_host *via = c->destination->host->via; via; via = via->via)
        c->places++;
    return c;
}

bool connection_unwanted(const struct pool_connection *c)
{
    return c->users == 0 && !c->pinned && list_empty(&c->waits) && !channels_busy(c);
}

/* ---- ending ---- */

void connection_settle(struct pool_connection *c)
{
    if (!c->torn_down || c->streaming || c->process || !connect_is_over(c))
        return;
    if (c->counted)
        pool_on_closed(c);
    if (c->users > 0)
        return;
    io_timer_stop(c->pool->io, &c->timer);
    io_task_cancel(&c->task);
    pool_on_gone(c);
    destination_free(c->destination);
    free(c);
}

/* It ends because we want it to, mostly since it is idle: the host is told, as ssh tells it. */
static void say_goodbye(struct pool_connection *c)
{
    struct engine *e = c->engine;
    if (!e || !c->was_ready || !c->streaming || e->stage != ENGINE_READY || buf_len(&e->out) > 0)
        return;
    engine_goodbye(e);
    carrier_send_last(c, buf_peek(&e->out));
}

static void tear_down(struct pool_connection *c)
{
    assert(!c->torn_down); /* until it is, connection_settle frees nothing */
    say_goodbye(c);
    channels_fail(c);
    if (c->engine) {
        engine_free(c->engine);
        c->engine = NULL;
    }
    hops_fail(c);
    pool_fail_waits(c);
    connect_stop(c);
    if (c->streaming)
        carrier_close(c);
    if (c->hop)
        hop_free(c->hop);
    c->hop = NULL;
    if (c->process)
        process_end(c->process);
    c->torn_down = true;
    connection_settle(c);
}

void connection_end(struct pool_connection *c, const struct failure *why)
{
    if (c->state == CONNECTION_ENDING)
        return;
    if (!c->was_ready && c->counted) {
        connect_follow(c);
        connection_leave(c, io_now(c->pool->io));
    }
    c->failure = *why;
    if (!c->failure.stage)
        c->failure.stage = pool_stage_name(c->was_ready ? POOL_STAGE_RUNNING : connect_stage(c));
    c->state = CONNECTION_ENDING;
    io_timer_stop(c->pool->io, &c->timer);
    gate_leave(c);
    pool_on_ending(c);
    io_defer(c->pool->io, &c->task, on_task);
}

/* ---- the engine's pump ---- */

/* Returns whether the engine, which does nothing while its output is full, has room again. */
static bool move_output(struct pool_connection *c)
{
    struct buf *out = &c->engine->out;
    struct slice bytes = buf_peek(out);
    bool idle = c->engine->out_idle == bytes.len;
    if (bytes.len == 0 || carrier_pending(c) > ENGINE_OUT_HIGH)
        return false;
    struct buf *gather = carrier_out(c);
    if (!gather)
        return false;
    if (buf_len(gather) == 0)
        buf_swap(gather, out);
    else if (buf_append(gather, bytes) == 0)
        buf_consume(out, bytes.len);
    else
        return false; /* goes on when the stream has drained */
    c->engine->out_idle = 0;
    if (idle)
        carrier_push_late(c);
    else
        carrier_push(c);
    buf_relax(out);
    return bytes.len >= ENGINE_OUT_HIGH;
}

static void follow_stage(struct pool_connection *c)
{
    uint64_t now = io_now(c->pool->io);
    switch (c->engine->stage) {
    case ENGINE_HANDSHAKE:
        break;
    case ENGINE_AUTHENTICATING:
        connection_enter(c, POOL_STAGE_AUTHENTICATING, now);
        break;
    case ENGINE_CHANNEL:
        connection_enter(c, POOL_STAGE_CHANNEL, now);
        break;
    case ENGINE_READY:
    case ENGINE_ENDED:
        break;
    }
}

static void become_ready(struct pool_connection *c)
{
    uint64_t now = io_now(c->pool->io);
    connection_enter(c, POOL_STAGE_CHANNEL, now);
    channels_measured(c, now - c->stage_since_ns);
    connection_leave(c, now);
    c->state = CONNECTION_READY;
    c->was_ready = true;
    c->has_sftp = c->engine->has_sftp;
    c->looked_ns = now;
    io_timer_stop(c->pool->io, &c->timer);
    connect_stop(c);
    gate_leave(c);
    if (c->hop)
        hop_settled(c->hop);
    c->pinned = true; /* so that it is not evicted before all who waited are served */
    pool_on_ready(c);
    c->pinned = false;
    pool_on_unwanted(c);
    connection_pulse(c);
}

/* It may have become unwanted only now: a channel was closed at last. */
static void step_channels(struct pool_connection *c)
{
    channels_step(c);
    if (c->state != CONNECTION_READY || !connection_unwanted(c))
        return;
    connection_pulse(c);
    if (c->pool->queued > 0)
        queue_make_room(c->pool);
}

static void end_by_engine(struct pool_connection *c)
{
    struct failure why = c->engine->failure;
    if (connect_may_retry(c, &why)) {
        engine_free(c->engine);
        c->engine = NULL;
        c->paused = false;
        c->state = CONNECTION_DIALING;
        c->retrying = true;
        carrier_close(c);
        return;
    }
    if (why.error == SCOUT_E_AUTH)
        connect_explain(c, &why);
    if (c->process && why.error == SCOUT_E_CONNECTION_LOST)
        process_explain(c->process, &why);
    connection_end(c, &why);
}

static void step(struct pool_connection *c)
{
    bool again = engine_step(c->engine);
    if (c->state == CONNECTION_SSH)
        follow_stage(c);
    if (c->state == CONNECTION_SSH && c->engine->stage == ENGINE_READY) {
        become_ready(c);
        if (c->state == CONNECTION_READY)
            again = engine_step(c->engine); /* what those who waited have started */
    }
    if (c->state == CONNECTION_READY)
        step_channels(c);
    if (c->state == CONNECTION_ENDING)
        return;
    again = move_output(c) || again;
    if (c->engine->stage == ENGINE_ENDED) {
        end_by_engine(c);
        return;
    }
    if (engine_wants_input(c->engine))
        carrier_resume(c);
    if (again)
        connection_flush(c);
}

static void on_task(struct io_task *task)
{
    struct pool_connection *c = CONTAINER_OF(task, struct pool_connection, task);
    if (c->state == CONNECTION_ENDING)
        tear_down(c);
    else if (c->engine)
        step(c);
}

void connection_flush(struct pool_connection *c)
{
    if (c->state != CONNECTION_ENDING)
        io_defer(c->pool->io, &c->task, on_task);
}

/* ---- the carrier ---- */

void connection_received(struct pool_connection *c, struct slice data)
{
    if (c->state == CONNECTION_ENDING || !c->engine)
        return;
    connection_heard(c);
    int error = engine_feed(c->engine, data);
    if (error) {
        struct failure why;
        failure_set(&why, error, "What %s sends cannot be kept: %s", c->name, error_text(error));
        connection_end(c, &why);
        return;
    }
    if (!engine_wants_input(c->engine))
        carrier_pause(c);
    connection_flush(c);
}

void connection_peer_ended(struct pool_connection *c, int error)
{
    if (c->state == CONNECTION_ENDING || !c->engine)
        return;
    if (c->process) {
        process_listen(c->process); /* connection_process_over follows */
        return;
    }
    engine_feed_end(c->engine, error);
    connection_flush(c);
}

void connection_process_over(struct pool_connection *c)
{
    if (c->state == CONNECTION_ENDING || !c->engine)
        return;
    engine_feed_end(c->engine, 0);
    connection_flush(c);
}

void connection_drained(struct pool_connection *c)
{
    if (c->state != CONNECTION_ENDING && c->engine && buf_len(&c->engine->out) > 0)
        connection_flush(c);
}

void connection_carrier_closed(struct pool_connection *c)
{
    bool retrying = c->retrying && c->state != CONNECTION_ENDING;
    c->streaming = c->retrying = false;
    if (retrying)
        connect_retry(c);
    connection_settle(c);
}

/* ---- getting there ---- */

void connection_opened(struct pool_connection *c, struct io_file *file)
{
    if (file)
        carrier_open(c, file);
    c->streaming = true;
    if (c->state == CONNECTION_ENDING) {
        if (c->torn_down)
            carrier_close(c); /* else the tear-down does it */
        return;
    }
    connection_enter(c, POOL_STAGE_HANDSHAKE, io_now(c->pool->io));
    c->state = CONNECTION_SSH;
    carrier_resume(c);
    connection_flush(c);
}

static void on_connect_timeout(struct io_timer *timer)
{
    struct pool_connection *c = CONTAINER_OF(timer, struct pool_connection, timer);
    struct failure why;
    connection_late(c, &why);
    connection_end(c, &why);
}

void connection_start(struct pool_connection *c)
{
    struct io *io = c->pool->io;
    uint32_t own = c->destination->host->connect_timeout_s;
    uint64_t timeout = own ? own * (uint64_t)NS_PER_S : c->pool->config.connect_timeout_ns;
    c->state = CONNECTION_LOADING;
    io_timer_start(io, &c->timer, io_now(io) + timeout, on_connect_timeout);
    connect_start(c);
}
