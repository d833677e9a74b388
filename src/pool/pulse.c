/* The slow beat of a READY connection: closed when idle for long, asked for a sign of life when
 * silent for long. One timer does both.
 *
 * It is lazy: taking and giving back a connection does not move the timer. It fires at what was due
 * when it was armed, looks at what is due now, and arms itself for that; so a hot connection pays
 * for one look per interval, not one per use. What is due lies always ahead of the clock when the
 * timer is armed from its own callback, or the connection ends: it cannot spin.
 *
 *   LISTENING --silent for ping_interval: ping--> ASKED --a byte--> LISTENING
 *                                                   \--ping_timeout: CONNECTION_LOST
 *
 * Silence is not the host's while we do not read, or while output still drains. */
#include "carrier.h"
#include "pool_state.h"

#include "scout/base/time.h"

static uint64_t later(uint64_t from_ns, uint64_t by_ns)
{
    return by_ns > UINT64_MAX - from_ns ? UINT64_MAX : from_ns + by_ns;
}

static uint64_t idle_due(const struct pool_connection *c)
{
    return connection_unwanted(c) ? later(c->idle_since_ns, c->pool->config.idle_timeout_ns)
                                  : UINT64_MAX;
}

/* ServerAliveInterval, where the host has it, else the pool's. 0: never. */
static uint64_t ping_interval(const struct pool_connection *c)
{
    const struct ssh_host *host = c->destination->host;
    return host->alive_set ? host->alive_interval_s * (uint64_t)NS_PER_S
                           : c->pool->config.ping_interval_ns;
}

/* With ServerAliveInterval, so many of them as ServerAliveCountMax says, which may be never. */
static uint64_t ping_timeout(const struct pool_connection *c)
{
    const struct ssh_host *host = c->destination->host;
    if (!host->alive_set)
        return c->pool->config.ping_timeout_ns;
    return host->alive_count_max ? ping_interval(c) * host->alive_count_max : UINT64_MAX;
}

static uint64_t ping_due(const struct pool_connection *c)
{
    uint64_t interval = ping_interval(c);
    if (interval == 0)
        return UINT64_MAX;
    if (c->ping_waits)
        return later(c->looked_ns, ping_timeout(c));
    uint64_t since = c->received_ns > c->looked_ns ? c->received_ns : c->looked_ns;
    return later(since, interval);
}

/* What the handshake and the last answers needed goes back; an idle connection is small. */
static void shrink(struct pool_connection *c)
{
    carrier_shrink(c);
    if (buf_len(&c->engine->out) == 0)
        buf_fini(&c->engine->out);
}

static void give_up(struct pool_connection *c)
{
    struct failure why;
    failure_set(&why, SCOUT_E_CONNECTION_LOST,
                "%s sent nothing for %.1f s and gave no sign of life within %.1f s more: the "
                "connection is taken for dead",
                c->name, (double)ping_interval(c) / 1e9, (double)ping_timeout(c) / 1e9);
    c->pool->stats.ping_misses++;
    connection_end(c, &why);
}

static size_t unsent(const struct pool_connection *c)
{
    return carrier_pending(c) + buf_len(&c->engine->out);
}

static void look(struct pool_connection *c, uint64_t now)
{
    size_t left = unsent(c);
    bool drains = left > 0 && left != c->unsent; /* the host takes what we send: it lives */
    c->looked_ns = now;
    c->unsent = left;
    if (!engine_wants_input(c->engine) || (c->ping_waits && drains)) {
        c->ping_waits = false;
    } else if (c->ping_waits) {
        give_up(c);
    } else if (engine_ping(c->engine)) {
        c->ping_waits = true;
        c->unsent = unsent(c);
        c->pool->stats.pings++;
        connection_flush(c);
    }
}

static void on_pulse(struct io_timer *timer)
{
    struct pool_connection *c = CONTAINER_OF(timer, struct pool_connection, timer);
    uint64_t now = io_now(c->pool->io);
    if (idle_due(c) <= now) {
        struct failure why;
        failure_set(&why, SCOUT_E_CANCELLED, "The idle connection to %s was closed", c->name);
        connection_end(c, &why);
        return;
    }
    if (c->users == 0)
        shrink(c);
    if (ping_due(c) <= now)
        look(c, now);
    connection_pulse(c);
}

void connection_heard(struct pool_connection *c)
{
    bool waited = c->ping_waits;
    c->received_ns = io_now(c->pool->io);
    c->ping_waits = false;
    if (waited)
        connection_pulse(c); /* the next one may be due before this one would have been missed */
}

void connection_pulse(struct pool_connection *c)
{
    if (c->state != CONNECTION_READY)
        return;
    uint64_t idle = idle_due(c), ping = ping_due(c), due = idle < ping ? idle : ping;
    if (due == UINT64_MAX || (io_timer_armed(&c->timer) && c->timer.node.key <= due))
        return;
    io_timer_start(c->pool->io, &c->timer, due, on_pulse);
}
