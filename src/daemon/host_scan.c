/* One type after the other, each over a connection of its own, since a server shows one key in a
 * key exchange:
 *
 *   dial --> exchange --key, or an end--> close --> the next type, or done
 *
 * A type that the host does not have ends in a failed exchange and is passed over. A host that
 * cannot be dialled ends all of it. The engine is stepped by a task and freed by the same task, so
 * never from within its own events. */
#include "host_scan.h"

#include "scout/base/time.h"
#include "scout/ssh/session.h"
#include <string.h>

static const char *const algorithms[HOST_SCAN_TYPES] = {
    "ssh-ed25519",         "ecdsa-sha2-nistp256",       "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521", "rsa-sha2-512,rsa-sha2-256",
};

static void next_type(struct host_scan *s);

static void finish(struct host_scan *s)
{
    io_timer_stop(s->io, &s->timer);
    io_task_cancel(&s->task);
    known_hosts_free(s->none);
    if (s->stopped && !s->failure.error)
        failure_set(&s->failure, SCOUT_E_CANCELLED, "The scan of %s was stopped", s->name);
    else if (s->key_count > 0)
        s->failure.error = 0;
    s->on_done(s);
}

/* ---- one exchange ---- */

static void on_host_key(void *context, struct slice key)
{
    struct host_scan *s = context;
    struct trust_key *k = &s->keys[s->key_count];
    if (key.len == 0 || key.len > sizeof k->blob)
        return;
    memcpy(k->blob, key.data, key.len);
    k->len = key.len;
    s->key_count++;
}

static const struct engine_events engine_events = {.on_host_key = on_host_key};

static void close_exchange(struct host_scan *s)
{
    if (s->engine->failure.error != SCOUT_E_CANCELLED && !s->stopped)
        s->failure = s->engine->failure; /* told when there is no key of any type */
    engine_free(s->engine);
    s->engine = NULL;
    stream_close(&s->stream);
}

static void on_task(struct io_task *task)
{
    struct host_scan *s = CONTAINER_OF(task, struct host_scan, task);
    if (!s->engine)
        return;
    bool again = engine_step(s->engine);
    struct slice out = buf_peek(&s->engine->out);
    if (out.len > 0 && stream_write(&s->stream, out) == 0)
        buf_consume(&s->engine->out, out.len);
    if (s->engine->stage == ENGINE_ENDED || s->stopped)
        close_exchange(s);
    else if (again)
        io_defer(s->io, &s->task, on_task);
}

static void on_data(struct stream *stream, struct slice data)
{
    struct host_scan *s = CONTAINER_OF(stream, struct host_scan, stream);
    if (!s->engine)
        return;
    if (engine_feed(s->engine, data) != 0)
        s->stopped = true;
    io_defer(s->io, &s->task, on_task);
}

static void on_end(struct stream *stream, int error)
{
    struct host_scan *s = CONTAINER_OF(stream, struct host_scan, stream);
    if (!s->engine)
        return;
    engine_feed_end(s->engine, error);
    io_defer(s->io, &s->task, on_task);
}

static void on_closed(struct stream *stream)
{
    struct host_scan *s = CONTAINER_OF(stream, struct host_scan, stream);
    s->streaming = false;
    s->type++;
    next_type(s);
}

static const struct stream_events stream_events = {on_data, on_end, NULL, on_closed};

static void on_dialed(struct dial *d, const struct failure *failure)
{
    struct host_scan *s = CONTAINER_OF(d, struct host_scan, dial);
    s->dialing = false;
    if (failure->error) {
        if (!s->stopped)
            failure_set(&s->failure, failure->error, "%s: %s", s->name, failure->text);
        finish(s);
        return;
    }
    const struct engine_config config = {
        .name = s->name,
        .host = s->host,
        .port = s->port,
        .user = "",
        .known_hosts = s->none,
        .host_key_algorithms = algorithms[s->type],
        .events = &engine_events,
        .context = s,
    };
    s->streaming = true;
    stream_init_file(&s->stream, &d->file, ENGINE_OUT_MAX, &stream_events);
    if (ssh_session_new(&s->engine, &config) != 0) { /* libssh2 does not know this type */
        s->engine = NULL;
        stream_close(&s->stream);
        return;
    }
    stream_resume(&s->stream);
    io_defer(s->io, &s->task, on_task);
}

static void next_type(struct host_scan *s)
{
    if (s->stopped || s->type == HOST_SCAN_TYPES) {
        finish(s);
        return;
    }
    s->dialing = true;
    const struct dial_target target = {s->host, s->from, s->family, s->port};
    dial_start(&s->dial, s->io, s->resolver, &target, io_now(s->io) + HOST_SCAN_TIME_MS * NS_PER_MS,
               on_dialed);
}

/* ---- all of them ---- */

void host_scan_stop(struct host_scan *s)
{
    s->stopped = true;
    if (s->dialing)
        dial_cancel(&s->dial);
    else
        io_defer(s->io, &s->task, on_task);
}

static void on_late(struct io_timer *timer)
{
    struct host_scan *s = CONTAINER_OF(timer, struct host_scan, timer);
    failure_set(&s->failure, SCOUT_E_DEADLINE, "%s did not show its keys within %d s", s->name,
                HOST_SCAN_TIME_MS / 1000);
    host_scan_stop(s);
}

static void on_begin(struct io_timer *timer)
{
    struct host_scan *s = CONTAINER_OF(timer, struct host_scan, timer);
    io_timer_start(s->io, &s->timer, io_now(s->io) + HOST_SCAN_TIME_MS * NS_PER_MS, on_late);
    if (known_hosts_new(&s->none) != 0)
        s->stopped = true;
    next_type(s);
}

void host_scan_start(struct host_scan *s, struct io *io, struct resolver *resolver,
                     void (*on_done)(struct host_scan *s))
{
    s->io = io;
    s->resolver = resolver;
    s->on_done = on_done;
    io_task_init(&s->task);
    io_timer_init(&s->timer);
    io_timer_start(io, &s->timer, io_now(io), on_begin);
}
