/* The pool's face: acquire, release, and the end.
 *
 * A connection is found by its destination in a fixed table; one that is not there is made, and
 * waits for a place when there is none (queue.c). A warm acquire is a hash, a probe or two and a
 * compare: it allocates nothing and touches no timer (see pulse.c). The lanes of a destination are
 * entries of their own: the lane is added to the hash, so equal hash and equal destination mean the
 * same lane.
 *
 * An ending connection leaves the table at once, so that the next wish makes a new one, but keeps
 * its place until its socket is closed. The pool itself is freed by a task after the last
 * connection. */
#include "pool_state.h"

#include "scout/base/time.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define POOL_SIZE_MAX (1u << 20) /* of connections_max, requests_max and queue_max */

struct io *pool_io(const struct pool *p)
{
    return p->io;
}

const struct pool_config *pool_config(const struct pool *p)
{
    return &p->config;
}

const struct pool_stats *pool_stats(const struct pool *p)
{
    return &p->stats;
}

struct pool_stats *pool_stats_of(struct pool *p)
{
    return &p->stats;
}

/* ---- life ---- */

static bool is_size(uint32_t n)
{
    return n > 0 && n <= POOL_SIZE_MAX;
}

int pool_new(struct pool **out, struct io *io, const struct pool_config *config)
{
    if (!is_size(config->connections_max) || !is_size(config->requests_max) ||
        !is_size(config->queue_max))
        return SCOUT_E_INVALID_ARGUMENT;
    struct pool *p = calloc(1, sizeof *p);
    if (!p)
        return SCOUT_E_NOMEM;
    /* Each connection without a place has a wait, so these are all that there can be. */
    if (table_init(&p->table, config->connections_max + config->queue_max) != 0) {
        free(p);
        return SCOUT_E_NOMEM;
    }
    p->io = io;
    p->config = *config;
    io_random(io, &p->hash_seed, sizeof p->hash_seed);
    gates_init(&p->gates);
    list_init(&p->queue);
    list_init(&p->idle);
    list_init(&p->admission);
    list_init(&p->agents);
    io_task_init(&p->serve_task);
    io_task_init(&p->free_task);
    *out = p;
    return 0;
}

static void on_free(struct io_task *task)
{
    struct pool *p = CONTAINER_OF(task, struct pool, free_task);
    void (*on_freed)(void *) = p->on_freed;
    void *context = p->on_freed_context;
    io_task_cancel(&p->serve_task);
    table_fini(&p->table);
    free(p);
    on_freed(context);
}

static void free_if_closed(struct pool *p)
{
    if (p->closing && p->alive == 0)
        io_defer(p->io, &p->free_task, on_free);
}

void pool_free(struct pool *p, void (*on_freed)(void *context), void *context)
{
    struct failure why;
    struct pool_connection *c;
    uint32_t from = 0;
    p->closing = true;
    p->on_freed = on_freed;
    p->on_freed_context = context;
    failure_set(&why, SCOUT_E_SHUTTING_DOWN, "The daemon is shutting down");
    /* Ending one shifts others into its slot, also from the table's begin to its end. */
    while (p->table.used > 0) {
        c = table_any(&p->table, &from);
        if (c)
            connection_end(c, &why);
        else
            from = 0;
    }
    free_if_closed(p);
}

/* ---- what becomes of connections ---- */

static void count_end(struct pool *p, const struct pool_connection *c)
{
    int error = c->failure.error;
    size_t causes = sizeof p->stats.failures_by_cause / sizeof p->stats.failures_by_cause[0];
    if (!c->counted || error == SCOUT_E_SHUTTING_DOWN)
        return;
    if (error == SCOUT_E_CANCELLED) {
        p->stats.idle_closed++;
    } else if (c->was_ready) {
        p->stats.stale++;
    } else {
        p->stats.connect_failures++;
        if (error < 0 && (size_t)-error < causes)
            p->stats.failures_by_cause[-error]++;
    }
}

void pool_on_ending(struct pool_connection *c)
{
    struct pool *p = c->pool;
    if (c->counted)
        p->ending++;
    else
        queue_forget(c);
    count_end(p, c);
    table_remove(&p->table, c->hash, c->generation);
    list_remove(&c->node);
    queue_withdraw(c);
}

void pool_on_closed(struct pool_connection *c)
{
    struct pool *p = c->pool;
    if (!c->counted)
        return;
    c->counted = false;
    p->ending--;
    p->stats.connections--;
    queue_places(p);
}

void pool_on_gone(struct pool_connection *c)
{
    c->pool->alive--;
    free_if_closed(c->pool);
}

/* ---- uses ---- */

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
