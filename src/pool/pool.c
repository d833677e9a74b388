/* The pool itself: its life, and what becomes of its connections.
 *
 * An ending connection leaves the table at once, so that the next wish makes a new one, but keeps
 * its place until its socket is closed. The pool itself is freed by a task after the last
 * connection. How connections are had and given back is in use.c. */
#include "pool_state.h"

#include <stdlib.h>

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
