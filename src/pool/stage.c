/* Where the time of a connect goes, and what to tell those for whom it took too long.
 *
 * Each stage is counted once for each connect that came to it, also when it ended there; one that
 * was passed within a single step counts as 0 ns. A message names the host, what was waited for,
 * and what the user can do. */
#include "pool_state.h"

#include "scout/net/resolver.h"

const char *pool_stage_name(enum pool_stage stage)
{
    static const char *const names[POOL_STAGE_COUNT] = {
        [POOL_STAGE_QUEUED] = "queued",
        [POOL_STAGE_RESOLVING] = "resolving",
        [POOL_STAGE_CONNECTING] = "connecting",
        [POOL_STAGE_HANDSHAKE] = "handshake",
        [POOL_STAGE_AUTHENTICATING] = "authenticating",
        [POOL_STAGE_CHANNEL] = "channel",
        [POOL_STAGE_RUNNING] = "running",
    };
    return names[stage];
}

void connection_leave(struct pool_connection *c, uint64_t when_ns)
{
    histogram_add(&c->pool->stats.stages[c->stage], when_ns - c->stage_since_ns);
    c->stage_since_ns = when_ns;
}

void connection_enter(struct pool_connection *c, enum pool_stage stage, uint64_t when_ns)
{
    while (c->stage < stage) {
        connection_leave(c, when_ns);
        c->stage++;
    }
}

static void late_in_queue(const struct pool_connection *c, struct failure *why)
{
    const struct pool_config *config = &c->pool->config;
    if (c->pass.waiting)
        failure_set(why, SCOUT_E_DEADLINE,
                    "It was not the turn of %s in time: at most %d logins at %s port %u go on at a "
                    "time",
                    c->name, GATE_HANDSHAKES_MAX, c->destination->host->hostname,
                    c->destination->host->port);
    else if (c->state == CONNECTION_QUEUED)
        failure_set(why, SCOUT_E_DEADLINE,
                    "There was no place for a connection to %s in time: all %u are in use. Try "
                    "again later, or raise max_connections",
                    c->name, config->connections_max);
    else if (c->state == CONNECTION_READY)
        failure_set(why, SCOUT_E_DEADLINE,
                    "The request to %s did not get its turn in time: %u others hold a connection. "
                    "Try again later, or raise max_requests",
                    c->name, config->requests_max);
    else
        failure_set(why, SCOUT_E_DEADLINE,
                    "The keys for %s were not there in time: reading the files, or asking the ssh "
                    "agent, took too long",
                    c->name);
}

static const char *servers_of(const struct pool *p)
{
    return p->config.resolver ? resolver_servers(p->config.resolver) : "";
}

/* Its bastion is there, and has not connected to it. */
static void late_behind(const struct pool_connection *c, struct failure *why)
{
    const struct ssh_host *host = c->destination->host, *via = host->via;
    if (c->hop->state == HOP_WAITING)
        failure_set(why, SCOUT_E_DEADLINE,
                    "%s, via %s: it was not its turn in time: %s opens one way at a time, and at "
                    "most %d handshakes go through it at once",
                    c->name, via->name, via->name, HOP_HANDSHAKES_MAX);
    else
        failure_set(why, SCOUT_E_DEADLINE,
                    "%s, via %s: %s did not get through to %s port %u in time: check that it is up "
                    "and that no firewall drops the packets",
                    c->name, via->name, via->name, host->hostname, host->port);
}

void connection_late(struct pool_connection *c, struct failure *why)
{
    const struct destination *d = c->destination;
    if (c->state == CONNECTION_ENDING) { /* those who wait are just about to be told */
        *why = c->failure;
        return;
    }
    if (c->hop && c->hop->state == HOP_CONNECTING && c->state != CONNECTION_READY) {
        struct failure of_bastion;
        connection_late(c->hop->use.connection, &of_bastion);
        hop_explain(c->hop, &of_bastion, why);
        return;
    }
    enum pool_stage stage =
        c->state == CONNECTION_READY || c->pass.waiting ? POOL_STAGE_QUEUED : connect_stage(c);
    switch (stage) {
    case POOL_STAGE_QUEUED:
        late_in_queue(c, why);
        break;
    case POOL_STAGE_RESOLVING:
        failure_set(
            why, SCOUT_E_DEADLINE,
            "The name %s of %s was not resolved in time: check the name servers (%s), or give "
            "its address as HostName",
            d->host->hostname, c->name, servers_of(c->pool));
        break;
    case POOL_STAGE_CONNECTING:
        if (c->hop)
            late_behind(c, why);
        else
            failure_set(why, SCOUT_E_DEADLINE,
                        "%s (%s port %u) did not answer in time: check that it is up and that no "
                        "firewall drops the packets",
                        c->name, d->host->hostname, d->host->port);
        break;
    case POOL_STAGE_HANDSHAKE:
        failure_set(why, SCOUT_E_DEADLINE,
                    "%s (%s port %u) took the connection, but the SSH handshake did not end in "
                    "time: check that an SSH server listens there and is not overloaded",
                    c->name, d->host->hostname, d->host->port);
        break;
    case POOL_STAGE_AUTHENTICATING:
        failure_set(why, SCOUT_E_DEADLINE, "The login of %s at %s did not end in time",
                    d->host->user, c->name);
        connect_explain(c, why);
        break;
    case POOL_STAGE_CHANNEL:
    case POOL_STAGE_RUNNING:
    case POOL_STAGE_COUNT:
        failure_set(why, SCOUT_E_DEADLINE, "%s let %s in but opened no channel in time", c->name,
                    d->host->user);
        break;
    }
    if (c->process && stage <= POOL_STAGE_AUTHENTICATING)
        process_explain(c->process, why);
    why->stage = pool_stage_name(stage);
}
