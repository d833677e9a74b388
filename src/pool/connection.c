/* A connection's state machine: see connection.h for its states.
 *
 * All that arrives in one pass is fed to the session first and stepped once, by the task at the end
 * of the pass; so are all requests that were started meanwhile. Reading pauses while the session
 * has enough, and the session's output waits while the socket takes no more. */
#include "connection.h"

#include "scout/base/time.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_OUT_MAX (SSH_OUT_MAX * 2)

static void on_task(struct io_task *task);

struct pool_connection *connection_new(struct pool *p, const struct ssh_host *host, uint64_t hash)
{
    struct pool_connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->pool = p;
    c->host = *host;
    c->hash = hash;
    list_init(&c->node);
    list_init(&c->waits);
    io_task_init(&c->task);
    io_timer_init(&c->timer);
    return c;
}

const char *connection_stage(const struct pool_connection *c)
{
    switch (c->state) {
    case CONNECTION_QUEUED:
    case CONNECTION_LOADING:
        return "queued";
    case CONNECTION_DIALING:
        return c->dial.address_count ? "connecting" : "resolving";
    case CONNECTION_SSH:
    case CONNECTION_READY:
        return ssh_session_stage_name(c->ssh);
    case CONNECTION_ENDING:
        break;
    }
    return c->failure.stage;
}

/* ---- ending ---- */

static void free_if_unused(struct pool_connection *c)
{
    if (!c->torn_down || c->dialing || c->streaming || c->users > 0)
        return;
    io_timer_stop(pool_io(c->pool), &c->timer);
    io_task_cancel(&c->task);
    if (c->credentials)
        credentials_drop(c->credentials, c->credentials_loaded);
    pool_on_gone(c);
    free(c);
}

static void tear_down(struct pool_connection *c)
{
    if (c->torn_down)
        return;
    c->torn_down = true;
    c->users++; /* replies and waits release their uses meanwhile */
    if (c->ssh) {
        ssh_session_free(c->ssh);
        c->ssh = NULL;
    }
    pool_fail_waits(c);
    if (c->dialing)
        dial_cancel(&c->dial);
    if (c->streaming)
        stream_close(&c->stream);
    c->users--;
    free_if_unused(c);
}

void connection_end(struct pool_connection *c, const struct failure *why)
{
    if (c->state == CONNECTION_ENDING)
        return;
    const char *stage = why->stage ? why->stage : connection_stage(c);
    c->failure = *why;
    c->failure.stage = stage;
    c->state = CONNECTION_ENDING;
    io_timer_stop(pool_io(c->pool), &c->timer);
    pool_on_ending(c);
    io_defer(pool_io(c->pool), &c->task, on_task);
}

/* ---- the session's pump ---- */

static void move_output(struct pool_connection *c)
{
    struct buf *out = ssh_session_output(c->ssh);
    struct slice bytes = buf_peek(out);
    if (bytes.len == 0 || stream_pending(&c->stream) > SSH_OUT_HIGH)
        return;
    if (buf_append(stream_out(&c->stream), bytes) != 0)
        return; /* goes on when the stream has drained */
    buf_consume(out, bytes.len);
    stream_push(&c->stream);
}

static void step(struct pool_connection *c)
{
    bool again = ssh_session_step(c->ssh);
    if (c->state == CONNECTION_ENDING)
        return;
    if (c->state == CONNECTION_SSH && ssh_session_stage(c->ssh) == SSH_READY) {
        c->state = CONNECTION_READY;
        c->was_ready = true;
        io_timer_stop(pool_io(c->pool), &c->timer);
        pool_on_ready(c);
        if (c->state == CONNECTION_ENDING)
            return;
        again = ssh_session_step(c->ssh);
    }
    move_output(c);
    if (ssh_session_stage(c->ssh) == SSH_ENDED) {
        connection_end(c, ssh_session_failure(c->ssh));
        return;
    }
    if (ssh_session_wants_input(c->ssh))
        stream_resume(&c->stream);
    if (again)
        io_defer(pool_io(c->pool), &c->task, on_task);
}

static void on_task(struct io_task *task)
{
    struct pool_connection *c = CONTAINER_OF(task, struct pool_connection, task);
    if (c->state == CONNECTION_ENDING)
        tear_down(c);
    else if (c->ssh)
        step(c);
}

void connection_flush(struct pool_connection *c)
{
    if (c->state != CONNECTION_ENDING)
        io_defer(pool_io(c->pool), &c->task, on_task);
}

static struct pool_connection *of_stream(struct stream *s)
{
    return CONTAINER_OF(s, struct pool_connection, stream);
}

static void on_data(struct stream *s, struct slice data)
{
    struct pool_connection *c = of_stream(s);
    if (c->state == CONNECTION_ENDING)
        return;
    c->received_ns = io_now(pool_io(c->pool));
    if (ssh_session_feed(c->ssh, data) != 0) {
        struct failure why;
        failure_set(&why, SCOUT_E_NOMEM, "No memory for what %s sends", c->host.name);
        connection_end(c, &why);
        return;
    }
    if (!ssh_session_wants_input(c->ssh))
        stream_pause(s);
    connection_flush(c);
}

static void on_end(struct stream *s, int error)
{
    struct pool_connection *c = of_stream(s);
    if (c->state == CONNECTION_ENDING)
        return;
    ssh_session_feed_end(c->ssh, error);
    connection_flush(c);
}

static void on_drain(struct stream *s)
{
    struct pool_connection *c = of_stream(s);
    if (c->state != CONNECTION_ENDING && buf_len(ssh_session_output(c->ssh)) > 0)
        connection_flush(c);
}

static void on_stream_closed(struct stream *s)
{
    struct pool_connection *c = of_stream(s);
    c->streaming = false;
    free_if_unused(c);
}

static const struct stream_events stream_events = {on_data, on_end, on_drain, on_stream_closed};

/* ---- getting there ---- */

static void on_dialed(struct dial *d, const struct failure *failure)
{
    struct pool_connection *c = CONTAINER_OF(d, struct pool_connection, dial);
    c->dialing = false;
    if (failure->error == 0) {
        stream_init_file(&c->stream, &d->file, STREAM_OUT_MAX, &stream_events);
        c->streaming = true;
    }
    if (c->state == CONNECTION_ENDING) {
        if (c->streaming)
            stream_close(&c->stream);
        free_if_unused(c);
        return;
    }
    if (failure->error) {
        struct failure named;
        failure_set(&named, failure->error, "%s: %s", c->host.name, failure->text);
        named.stage = failure->stage;
        connection_end(c, &named);
        return;
    }
    const struct ssh_session_config config = {
        .name = c->host.name,
        .host = c->host.hostname,
        .port = c->host.port,
        .user = c->host.user,
        .known_hosts = c->credentials->known_hosts,
        .keys = (const struct ssh_key *const *)c->credentials->keys,
        .key_count = c->credentials->key_count,
    };
    int error = ssh_session_new(&c->ssh, &config);
    if (error) {
        struct failure why;
        failure_set(&why, error, "No SSH session for %s: %s", c->host.name, error_text(error));
        connection_end(c, &why);
        return;
    }
    c->state = CONNECTION_SSH;
    stream_resume(&c->stream);
    connection_flush(c);
}

static void on_connect_timeout(struct io_timer *timer)
{
    struct pool_connection *c = CONTAINER_OF(timer, struct pool_connection, timer);
    struct failure why;
    failure_set(&why, SCOUT_E_DEADLINE, "%s was not connected in time (it was %s)", c->host.name,
                connection_stage(c));
    connection_end(c, &why);
}

static void on_loaded(struct credentials *credentials)
{
    struct pool_connection *c = credentials->owner;
    c->credentials_loaded = true;
    if (c->state == CONNECTION_ENDING)
        return;
    if (credentials->failure.error) {
        connection_end(c, &credentials->failure);
        return;
    }
    c->state = CONNECTION_DIALING;
    c->dialing = true;
    dial_start(&c->dial, pool_io(c->pool), c->host.hostname, c->host.port, c->timer.node.key,
               on_dialed);
}

void connection_start(struct pool_connection *c)
{
    const struct pool_config *config = pool_config(c->pool);
    struct io *io = pool_io(c->pool);
    uint64_t timeout = c->host.connect_timeout_s ? c->host.connect_timeout_s * (uint64_t)NS_PER_S
                                                 : config->connect_timeout_ns;
    c->state = CONNECTION_LOADING;
    c->credentials = credentials_load(io, &c->host, config, on_loaded, c);
    if (!c->credentials) {
        struct failure why;
        failure_set(&why, SCOUT_E_NOMEM, "No memory to connect to %s", c->host.name);
        connection_end(c, &why);
        return;
    }
    io_timer_start(io, &c->timer, io_now(io) + timeout, on_connect_timeout);
}

/* ---- idle ---- */

static void on_idle(struct io_timer *timer)
{
    struct pool_connection *c = CONTAINER_OF(timer, struct pool_connection, timer);
    struct failure why;
    failure_set(&why, SCOUT_E_CANCELLED, "The idle connection to %s was closed", c->host.name);
    connection_end(c, &why);
}

void connection_settle(struct pool_connection *c)
{
    struct io *io = pool_io(c->pool);
    if (c->state == CONNECTION_ENDING)
        free_if_unused(c);
    else if (c->state == CONNECTION_READY && c->users > 0)
        io_timer_stop(io, &c->timer);
    else if (c->state == CONNECTION_READY)
        io_timer_start(io, &c->timer, io_now(io) + pool_config(c->pool)->idle_timeout_ns, on_idle);
}
