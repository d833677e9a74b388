/* The way of a connection to its carrier: through the gate of its address, then a socket, a program
 * or a bastion; and the attempts after a failed one.
 *
 *   gate --> hop | ProxyCommand | dial --> engine, connection_opened
 *     ^_____ again, after a while: dialled in vain (ConnectionAttempts), or cut off */
#include "connect_state.h"

#include "hop.h"
#include "scout/base/time.h"

#define HANDSHAKE_RETRIES_MAX    4
#define HANDSHAKE_RETRY_FIRST_MS 50

static void pass_gate(struct pool_connection *c);

static void on_again(struct io_timer *timer)
{
    struct connect *w = CONTAINER_OF(timer, struct connect, again);
    pass_gate(w->connection);
}

/* A server that has too many connections that are not logged in yet (MaxStartups) drops some, so
 * the next attempt comes after a while that is longer each time, and not the same for everybody. */
bool connect_may_retry(struct pool_connection *c, const struct failure *why)
{
    struct connect *w = c->connect;
    return c->state == CONNECTION_SSH && why->error == SCOUT_E_CONNECTION_LOST &&
           c->stage == POOL_STAGE_HANDSHAKE && !c->process && w && !w->over && !w->new_host &&
           w->retries++ < HANDSHAKE_RETRIES_MAX;
}

void connect_retry(struct pool_connection *c)
{
    struct connect *w = c->connect;
    struct io *io = c->pool->io;
    uint64_t base = (HANDSHAKE_RETRY_FIRST_MS * NS_PER_MS) << (w->retries - 1), jitter;
    io_random(io, &jitter, sizeof jitter);
    gate_leave(c);
    io_timer_start(io, &w->again, io_now(io) + base / 2 + jitter % base, on_again);
}

/* ConnectionAttempts: one a second, as long as the connection's time lasts. */
static bool dial_again(struct pool_connection *c, const struct failure *failure)
{
    struct connect *w = c->connect;
    if (failure->error != SCOUT_E_CONNECT || c->state != CONNECTION_DIALING ||
        ++w->attempts >= c->destination->host->connection_attempts)
        return false;
    gate_leave(c);
    io_timer_start(c->pool->io, &w->again, io_now(c->pool->io) + NS_PER_S, on_again);
    return true;
}

static void on_dialed(struct dial *d, const struct failure *failure)
{
    struct connect *w = CONTAINER_OF(d, struct connect, dial);
    struct pool_connection *c = w->connection;
    w->dialing = false;
    connect_follow(c);
    if (dial_again(c, failure))
        return;
    if (failure->error && c->state != CONNECTION_ENDING) {
        struct failure named;
        failure_set(&named, failure->error, "%s: %s", c->name, failure->text);
        named.stage = failure->stage;
        connection_end(c, &named);
    }
    if (failure->error == 0) {
        if (c->state != CONNECTION_ENDING)
            connect_make_engine(c);
        connection_opened(c, &d->file);
    }
    connect_free_if_over(c);
    connection_settle(c);
}

static void dial_once(struct pool_connection *c)
{
    struct connect *w = c->connect;
    const struct ssh_host *host = c->destination->host;
    const struct dial_target target = {host->hostname, host->bind_address, ssh_host_family(host),
                                       host->port};
    w->dialing = true;
    /* The connection's own time-out comes first: it says more. */
    dial_start(&w->dial, c->pool->io, c->pool->config.resolver, &target,
               c->timer.node.key + NS_PER_MS, on_dialed);
}

void connect_hop_opened(struct pool_connection *c)
{
    if (c->state == CONNECTION_ENDING)
        return;
    connect_make_engine(c);
    connection_opened(c, NULL);
}

/* ---- ProxyCommand ---- */

static void on_started(void *context, struct io_file *file, const struct failure *failure)
{
    struct pool_connection *c = context;
    if (!file && c->state != CONNECTION_ENDING) {
        struct failure why;
        failure_set(&why, failure->error, "%s: %s", c->name, failure->text);
        why.stage = pool_stage_name(POOL_STAGE_CONNECTING);
        connection_end(c, &why);
    }
    if (!file)
        return;
    if (c->state != CONNECTION_ENDING)
        connect_make_engine(c);
    connection_opened(c, file);
}

static void on_over(void *context)
{
    connection_process_over(context);
}

static void on_process_gone(void *context)
{
    struct pool_connection *c = context;
    c->process = NULL;
    connection_settle(c);
}

static const struct process_events process_events = {on_started, on_over, on_process_gone};

static void start_process(struct pool_connection *c)
{
    c->process =
        process_start(c->pool->io, c->destination->host->proxy_command, &process_events, c);
    if (!c->process)
        connect_without_memory(c);
}

void connect_admitted(struct pool_connection *c)
{
    if (c->hop)
        hop_open(c->hop);
    else if (c->destination->host->proxy_command)
        start_process(c);
    else
        dial_once(c);
}

/* Who goes through a bastion waits there. */
static void pass_gate(struct pool_connection *c)
{
    if (c->hop || gate_enter(c))
        connect_admitted(c);
}

void connect_dial(struct pool_connection *c)
{
    c->state = CONNECTION_DIALING;
    connection_enter(c, POOL_STAGE_RESOLVING, io_now(c->pool->io));
    if (connect_is_led(c))
        connection_enter(c, POOL_STAGE_CONNECTING, io_now(c->pool->io));
    pass_gate(c);
}
