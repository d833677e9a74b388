/* The table of connections and those who wait for them.
 *
 * The table is open-addressed by the destination's hash, at most a quarter full, and deletion
 * shifts back, so a hit is a probe or two and a compare. An ending connection leaves the table at
 * once but is counted against connections_max until its socket is closed; a new one that finds the
 * pool full waits in the queue for the place of one that is ending, evicting the least recently
 * used idle connection if need be. */
#include "scout/pool/pool.h"

#include "connection.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct pool {
    struct io *io;
    struct pool_config config;
    struct pool_connection **table;
    uint32_t mask;
    struct list lru;   /* counted connections, least recently used first */
    struct list queue; /* QUEUED ones */
    uint32_t queued, ending, alive;
    bool closing;
    void (*on_freed)(void *);
    void *on_freed_context;
    struct io_task free_task;
    struct pool_stats stats;
};

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

/* ---- the table ---- */

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *bytes = data; /* FNV-1a: names come from the user's own configuration */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
    return hash;
}

static uint64_t hash_destination(const struct ssh_host *h)
{
    uint64_t hash = hash_bytes(0xcbf29ce484222325ULL, h->hostname, strlen(h->hostname) + 1);
    hash = hash_bytes(hash, h->user, strlen(h->user) + 1);
    hash = hash_bytes(hash, &h->port, sizeof h->port);
    return hash ^ hash >> 32;
}

/* Whether a login for `a` may serve `b`: everything that decides who logs in where, and whom we
 * believe. */
static bool same_destination(const struct ssh_host *a, const struct ssh_host *b)
{
    if (a->port != b->port || strcmp(a->hostname, b->hostname) != 0 ||
        strcmp(a->user, b->user) != 0 || a->identity_count != b->identity_count ||
        a->known_hosts_count != b->known_hosts_count)
        return false;
    for (uint32_t i = 0; i < a->identity_count; i++)
        if (strcmp(a->identities[i], b->identities[i]) != 0)
            return false;
    for (uint32_t i = 0; i < a->known_hosts_count; i++)
        if (strcmp(a->known_hosts[i], b->known_hosts[i]) != 0)
            return false;
    return true;
}

static struct pool_connection *table_find(const struct pool *p, const struct ssh_host *host,
                                          uint64_t hash)
{
    for (uint32_t i = (uint32_t)hash & p->mask; p->table[i]; i = (i + 1) & p->mask)
        if (p->table[i]->hash == hash && same_destination(&p->table[i]->host, host))
            return p->table[i];
    return NULL;
}

static void table_insert(struct pool *p, struct pool_connection *c)
{
    uint32_t i = (uint32_t)c->hash & p->mask;
    while (p->table[i])
        i = (i + 1) & p->mask;
    p->table[i] = c;
}

static void table_remove(struct pool *p, struct pool_connection *c)
{
    uint32_t hole = (uint32_t)c->hash & p->mask;
    while (p->table[hole] != c)
        hole = (hole + 1) & p->mask;
    for (uint32_t i = (hole + 1) & p->mask; p->table[i]; i = (i + 1) & p->mask) {
        uint32_t home = (uint32_t)p->table[i]->hash & p->mask;
        if (((i - home) & p->mask) < ((i - hole) & p->mask))
            continue; /* its home lies behind the hole: it stays */
        p->table[hole] = p->table[i];
        hole = i;
    }
    p->table[hole] = NULL;
}

/* ---- life ---- */

int pool_new(struct pool **out, struct io *io, const struct pool_config *config)
{
    if (config->connections_max == 0 || config->connections_max > (1u << 20))
        return SCOUT_E_INVALID_ARGUMENT;
    struct pool *p = calloc(1, sizeof *p);
    if (!p)
        return SCOUT_E_NOMEM;
    uint32_t size = 8;
    while (size < config->connections_max * 4)
        size *= 2;
    p->table = calloc(size, sizeof *p->table);
    if (!p->table) {
        free(p);
        return SCOUT_E_NOMEM;
    }
    p->io = io;
    p->config = *config;
    p->mask = size - 1;
    list_init(&p->lru);
    list_init(&p->queue);
    io_task_init(&p->free_task);
    *out = p;
    return 0;
}

static void on_free(struct io_task *task)
{
    struct pool *p = CONTAINER_OF(task, struct pool, free_task);
    void (*on_freed)(void *) = p->on_freed;
    void *context = p->on_freed_context;
    free(p->table);
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
    p->closing = true;
    p->on_freed = on_freed;
    p->on_freed_context = context;
    failure_set(&why, SCOUT_E_SHUTTING_DOWN, "The daemon is shutting down");
    for (uint32_t i = 0; i <= p->mask; i++)
        while (p->table[i]) /* ending one shifts others into its place */
            connection_end(p->table[i], &why);
    free_if_closed(p);
}

/* ---- places ---- */

static void start_connection(struct pool *p, struct pool_connection *c)
{
    c->counted = true;
    p->stats.connections++;
    if (p->stats.connections > p->stats.connections_max_seen)
        p->stats.connections_max_seen = p->stats.connections;
    p->stats.connects++;
    list_append(&p->lru, &c->node);
    connection_start(c);
}

static void start_queued(struct pool *p)
{
    while (p->stats.connections < p->config.connections_max && !list_empty(&p->queue)) {
        struct pool_connection *c =
            CONTAINER_OF(list_shift(&p->queue), struct pool_connection, node);
        p->queued--;
        start_connection(p, c);
    }
}

static bool evict_one(struct pool *p)
{
    for (struct list *n = p->lru.next; n != &p->lru; n = n->next) {
        struct pool_connection *c = CONTAINER_OF(n, struct pool_connection, node);
        if (c->state != CONNECTION_READY || c->users > 0)
            continue;
        struct failure why;
        failure_set(&why, SCOUT_E_CANCELLED, "Closed to make room for another host");
        p->stats.evictions++;
        connection_end(c, &why);
        return true;
    }
    return false;
}

/* Makes a connection for `host` and starts it, or queues it for a place that is being freed. */
static int make_connection(struct pool *p, const struct ssh_host *host, uint64_t hash,
                           struct pool_connection **out, struct failure *why)
{
    bool full = p->stats.connections >= p->config.connections_max;
    if (full && p->ending <= p->queued && !evict_one(p))
        return failure_set(why, SCOUT_E_POOL_FULL,
                           "All %u connections are in use: wait, or raise max_connections",
                           p->config.connections_max);
    struct pool_connection *c = connection_new(p, host, hash);
    if (!c)
        return failure_set(why, SCOUT_E_NOMEM, "No memory to connect to %s", host->name);
    table_insert(p, c);
    p->alive++;
    *out = c;
    if (full) {
        list_append(&p->queue, &c->node);
        p->queued++;
    } else {
        start_connection(p, c);
    }
    return 0;
}

void pool_on_ending(struct pool_connection *c)
{
    struct pool *p = c->pool;
    int error = c->failure.error;
    if (!c->counted)
        p->queued--;
    else
        p->ending++;
    if (error == SCOUT_E_CANCELLED)
        p->stats.idle_closed++;
    else if (error != SCOUT_E_SHUTTING_DOWN && c->was_ready)
        p->stats.lost++;
    else if (error != SCOUT_E_SHUTTING_DOWN)
        p->stats.connect_failures++;
    table_remove(p, c);
    list_remove(&c->node);
}

void pool_on_gone(struct pool_connection *c)
{
    struct pool *p = c->pool;
    if (c->counted) {
        p->ending--;
        p->stats.connections--;
    }
    p->alive--;
    start_queued(p);
    free_if_closed(p);
}

/* ---- uses ---- */

static void hold(struct pool_use *use, struct pool_connection *c)
{
    use->connection = c;
    use->waiting = false;
    if (c->users++ == 0) {
        c->pool->stats.in_use++;
        connection_settle(c);
    }
    list_remove(&c->node);
    list_append(&c->pool->lru, &c->node);
}

static void end_wait(struct pool_use *use)
{
    list_remove(&use->node);
    io_timer_stop(use->pool->io, &use->timer);
    use->waiting = false;
    use->pool->stats.waits--;
}

void pool_on_ready(struct pool_connection *c)
{
    c->users++; /* so that no callback makes it idle before all are served */
    c->pool->stats.in_use++;
    while (c->state == CONNECTION_READY && !list_empty(&c->waits)) {
        struct pool_use *use = CONTAINER_OF(c->waits.next, struct pool_use, node);
        end_wait(use);
        hold(use, c);
        use->on_ready(use, NULL);
    }
    c->users--;
    if (c->users == 0) {
        c->pool->stats.in_use--;
        connection_settle(c);
    }
}

void pool_fail_waits(struct pool_connection *c)
{
    while (!list_empty(&c->waits)) {
        struct pool_use *use = CONTAINER_OF(c->waits.next, struct pool_use, node);
        end_wait(use);
        use->connection = NULL;
        use->on_ready(use, &c->failure);
    }
}

static void on_wait_timeout(struct io_timer *timer)
{
    struct pool_use *use = CONTAINER_OF(timer, struct pool_use, timer);
    struct pool_connection *c = use->connection;
    struct failure why;
    end_wait(use);
    use->connection = NULL;
    failure_set(&why, SCOUT_E_DEADLINE, "%s was not connected in time (it was %s)", c->host.name,
                connection_stage(c));
    why.stage = connection_stage(c);
    use->on_ready(use, &why);
}

int pool_acquire(struct pool *p, const struct ssh_host *host, uint64_t deadline_ns,
                 struct pool_use *use, void (*on_ready)(struct pool_use *, const struct failure *),
                 struct failure *why)
{
    *use = (struct pool_use){.pool = p, .on_ready = on_ready};
    list_init(&use->node);
    io_timer_init(&use->timer);
    if (p->closing)
        return failure_set(why, SCOUT_E_SHUTTING_DOWN, "The daemon is shutting down");
    uint64_t hash = hash_destination(host);
    struct pool_connection *c = table_find(p, host, hash);
    if (c && c->state == CONNECTION_READY) {
        p->stats.hits++;
        hold(use, c);
        return 1;
    }
    if (p->stats.waits >= POOL_WAITS_MAX)
        return failure_set(why, SCOUT_E_LIMIT, "Too many calls wait for connections");
    if (c) {
        p->stats.coalesced++;
    } else {
        p->stats.misses++;
        int error = make_connection(p, host, hash, &c, why);
        if (error)
            return error;
    }
    use->connection = c;
    use->waiting = true;
    p->stats.waits++;
    list_append(&c->waits, &use->node);
    io_timer_start(p->io, &use->timer, deadline_ns, on_wait_timeout);
    return 0;
}

void pool_release(struct pool_use *use)
{
    struct pool_connection *c = use->connection;
    if (!c)
        return;
    use->connection = NULL;
    if (use->waiting) {
        end_wait(use);
        return;
    }
    if (--c->users == 0) {
        c->pool->stats.in_use--;
        connection_settle(c);
    }
}

struct sftp *pool_sftp(const struct pool_use *use)
{
    struct pool_connection *c = use->connection;
    /* Also while it is ending: what is in flight must still be taken back before the session goes.
     */
    return c->was_ready && c->ssh ? ssh_session_sftp(c->ssh) : NULL;
}

void pool_flush(struct pool_use *use)
{
    connection_flush(use->connection);
}

void pool_suspect(struct pool_use *use, uint64_t since_ns)
{
    struct pool_connection *c = use->connection;
    if (c->state != CONNECTION_READY || c->received_ns >= since_ns)
        return;
    struct failure why;
    failure_set(&why, SCOUT_E_CONNECTION_LOST, "%s has stopped answering", c->host.name);
    connection_end(c, &why);
}

const struct failure *pool_failure(const struct pool_use *use)
{
    return &use->connection->failure;
}
