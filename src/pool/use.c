/* Uses: acquire and release, and what a holder does with its connection.
 *
 * A connection is found by its destination in a fixed table; one that is not there is made, and
 * waits for a place when there is none (queue.c). A warm acquire is a hash, a probe or two and a
 * compare: it allocates nothing and touches no timer (see pulse.c). The lanes of a destination are
 * entries of their own: the lane is added to the hash, so equal hash and equal destination mean the
 * same lane. */
#include "pool_state.h"

#include "scout/base/time.h"
#include <assert.h>
#include <string.h>

static int refuse(struct pool *p, struct failure *why)
{
    p->stats.refused++;
    return failure_set(why, SCOUT_E_POOL_FULL,
                       "Too many requests: %u hold a connection (max_requests = %u, "
                       "max_connections = %u) and %u wait (max_queue = %u). Try again later, or "
                       "raise what is too low",
                       p->stats.holds, p->config.requests_max, p->config.connections_max,
                       p->stats.waits, p->config.queue_max);
}

static struct pool_connection *make_connection(struct pool *p, const struct ssh_host *host,
                                               const char *principal, enum pool_lane lane,
                                               uint64_t hash)
{
    struct pool_connection *c = connection_new(p, host, principal);
    if (!c)
        return NULL;
    c->lane = lane;
    c->hash = hash;
    c->generation = table_insert(&p->table, hash, c->destination, c);
    p->alive++;
    return c;
}

static uint32_t hops_of(const struct ssh_host *host)
{
    uint32_t hops = 0;
    for (; host->via; host = host->via)
        hops++;
    return hops;
}

static int refuse_way(struct pool *p, const struct ssh_host *host, struct failure *why)
{
    p->stats.refused++;
    return failure_set(why, SCOUT_E_POOL_FULL,
                       "%s is reached through %u other hosts (ProxyJump), which takes %u "
                       "connections, and there may be %u at a time: raise max_connections",
                       host->name, hops_of(host), hops_of(host) + 1, p->config.connections_max);
}

static int acquire_slowly(struct pool *p, const struct ssh_host *host, const char *principal,
                          enum pool_lane lane, uint64_t hash, struct pool_connection *c,
                          uint64_t deadline_ns, struct pool_use *use, struct failure *why)
{
    if (!use->carries && p->stats.waits >= p->config.queue_max)
        return refuse(p, why);
    bool is_new = !c;
    if (is_new) {
        assert(strlen(principal) <= POOL_PRINCIPAL_MAX);
        if (!use->carries && hops_of(host) >= p->config.connections_max)
            return refuse_way(p, host, why);
        c = make_connection(p, host, principal, lane, hash);
        if (!c)
            return failure_set(why, SCOUT_E_NOMEM, "No memory to connect to %s", host->name);
        p->stats.misses++;
    } else if (c->state != CONNECTION_READY) {
        p->stats.coalesced++;
    }
    queue_wait(use, c, deadline_ns);
    if (is_new)
        queue_place(p, c);
    else if (use->carries)
        queue_promote(c);
    return 0;
}

static uint64_t hash_of(const struct pool *p, const struct ssh_host *host, const char *principal,
                        enum pool_lane lane)
{
    return destination_hash(p->hash_seed, host, principal) + (uint64_t)lane;
}

struct pool_connection *pool_find(const struct pool *p, const struct ssh_host *host,
                                  const char *principal, enum pool_lane lane)
{
    return table_find(&p->table, hash_of(p, host, principal, lane), host, principal);
}

bool pool_has_lane(const struct pool *p, const struct ssh_host *host, const char *principal,
                   enum pool_lane lane)
{
    return pool_find(p, host, principal, lane) != NULL;
}

static void init_use(struct pool *p, struct pool_use *use, bool carries,
                     void (*on_ready)(struct pool_use *, const struct failure *))
{
    use->pool = p;
    use->connection = NULL;
    use->on_ready = on_ready;
    use->waiting = false;
    use->carries = carries;
    list_init(&use->node);
    list_init(&use->queue_node);
    io_timer_init(&use->timer);
}

static int acquire(struct pool *p, const struct ssh_host *host, const char *principal,
                   enum pool_lane lane, uint64_t deadline_ns, struct pool_use *use,
                   struct failure *why)
{
    if (p->closing)
        return failure_set(why, SCOUT_E_SHUTTING_DOWN, "The daemon is shutting down");
    uint64_t hash = hash_of(p, host, principal, lane);
    struct pool_connection *c = table_find(&p->table, hash, host, principal);
    if (c && c->state == CONNECTION_READY) {
        p->stats.hits++;
        if (use->carries ||
            (p->stats.holds < p->config.requests_max && list_empty(&p->admission))) {
            queue_hold(use, c);
            return 1;
        }
    }
    return acquire_slowly(p, host, principal, lane, hash, c, deadline_ns, use, why);
}

int pool_acquire_lane(struct pool *p, const struct ssh_host *host, const char *principal,
                      enum pool_lane lane, uint64_t deadline_ns, struct pool_use *use,
                      void (*on_ready)(struct pool_use *, const struct failure *),
                      struct failure *why)
{
    init_use(p, use, false, on_ready);
    return acquire(p, host, principal, lane, deadline_ns, use, why);
}

int pool_carry(struct pool *p, const struct ssh_host *host, const char *principal,
               enum pool_lane lane, struct pool_use *use,
               void (*on_ready)(struct pool_use *, const struct failure *), struct failure *why)
{
    init_use(p, use, true, on_ready);
    return acquire(p, host, principal, lane, UINT64_MAX, use, why);
}

int pool_acquire(struct pool *p, const struct ssh_host *host, const char *principal,
                 uint64_t deadline_ns, struct pool_use *use,
                 void (*on_ready)(struct pool_use *, const struct failure *), struct failure *why)
{
    return pool_acquire_lane(p, host, principal, POOL_LANE_FIRST, deadline_ns, use, on_ready, why);
}

void pool_release(struct pool_use *use)
{
    struct pool_connection *c = use->connection;
    if (!c)
        return;
    struct pool *p = c->pool;
    use->connection = NULL;
    if (use->waiting) {
        queue_leave(use);
    } else {
        if (!use->carries)
            p->stats.holds--;
        if (!list_empty(&p->admission))
            queue_serve_soon(p);
        if (--c->users == 0)
            p->stats.in_use--;
    }
    if (c->state == CONNECTION_ENDING)
        connection_settle(c);
    else
        pool_on_unwanted(c);
}

struct engine *pool_engine(const struct pool_use *use)
{
    const struct pool_connection *c = use->connection;
    /* Also while it is ending: what is in flight must still be taken back before the session goes.
     */
    return c->was_ready ? c->engine : NULL;
}

struct sftp *pool_sftp(const struct pool_use *use)
{
    struct engine *e = pool_engine(use);
    return e && use->connection->has_sftp ? e->sftp : NULL;
}

bool pool_has_sftp(const struct pool_use *use)
{
    return use->connection->has_sftp;
}

void pool_flush(struct pool_use *use)
{
    connection_flush(use->connection);
}

void pool_suspect(struct pool_use *use, uint64_t since_ns)
{
    struct pool_connection *c = use->connection;
    /* What came in the very pass is older than what was asked in it. */
    if (c->state != CONNECTION_READY || c->received_ns > since_ns ||
        io_now(c->pool->io) < since_ns + POOL_SILENCE_MS * NS_PER_MS)
        return;
    struct failure why;
    failure_set(&why, SCOUT_E_CONNECTION_LOST, "%s has stopped answering", c->name);
    connection_end(c, &why);
}

const struct failure *pool_failure(const struct pool_use *use)
{
    const struct pool_connection *c = use->connection;
    /* Requests are answered before the connection follows its engine. */
    return !c->failure.error && c->engine ? &c->engine->failure : &c->failure;
}
