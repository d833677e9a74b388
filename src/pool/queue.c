/* Who waits, and for what: places of connections, turns of uses.
 *
 *   use:  acquire --ready, turn free--> holds --release--> out
 *            \--waits for its connection --ready--> waits for its turn --> holds
 *                    \_________________________________\__ deadline, failure, release: out
 *
 * A use that waits is in its connection's `waits` throughout; when the connection is ready it is in
 * `admission`, too. Turns are given from a task (or from the connection's), never from within
 * pool_release: that call must not run somebody else's callback. Nobody overtakes: while anybody
 * waits for a turn, a new use waits behind.
 *
 * Eviction takes only what nobody wants: neither a connection with a use or a channel, nor one that
 * somebody waits for. A connect that all have given up is unwanted, too. */
#include "pool_state.h"

#include <assert.h>

static struct pool_use *of_node(struct list *n)
{
    return CONTAINER_OF(n, struct pool_use, node);
}

/* ---- turns ---- */

static void admit_later(struct pool *p, struct pool_use *use)
{
    list_append(&p->admission, &use->queue_node);
    p->admission_count++;
}

static void withdraw(struct pool *p, struct pool_use *use)
{
    if (!list_linked(&use->queue_node))
        return;
    list_remove(&use->queue_node);
    p->admission_count--;
}

void queue_hold(struct pool_use *use, struct pool_connection *c)
{
    struct pool_stats *stats = &c->pool->stats;
    use->connection = c;
    if (!use->carries && ++stats->holds > stats->holds_max_seen)
        stats->holds_max_seen = stats->holds;
    if (c->users++ == 0)
        stats->in_use++;
    list_remove(&c->node); /* of the idle ones */
}

static void serve(struct pool *p)
{
    /* Only those who wait now: one that comes back from within its callback waits again. */
    for (uint32_t left = p->admission_count; left > 0; left--) {
        if (list_empty(&p->admission) || p->stats.holds >= p->config.requests_max)
            return;
        struct pool_use *use = CONTAINER_OF(p->admission.next, struct pool_use, queue_node);
        struct pool_connection *c = use->connection;
        queue_leave(use);
        queue_hold(use, c);
        if (io_now(p->io) > use->since_ns)
            histogram_add(&p->stats.stages[POOL_STAGE_QUEUED], io_now(p->io) - use->since_ns);
        use->on_ready(use, NULL);
    }
}

static void on_serve(struct io_task *task)
{
    struct pool *p = CONTAINER_OF(task, struct pool, serve_task);
    serve(p);
    queue_places(p);
}

void queue_serve_soon(struct pool *p)
{
    io_defer(p->io, &p->serve_task, on_serve);
}

/* What it carries begins later, from a task: nobody else's wait ends within. */
static void carry(struct pool_connection *c, struct pool_use *use)
{
    queue_leave(use);
    queue_hold(use, c);
    use->on_ready(use, NULL);
}

void pool_on_ready(struct pool_connection *c)
{
    uint64_t now = io_now(c->pool->io);
    for (struct list *n = c->waits.next, *next; n != &c->waits; n = next) {
        struct pool_use *use = of_node(n);
        next = n->next;
        use->since_ns = now; /* until here it waited for the connect, which has its stages */
        if (use->carries)
            carry(c, use);
        else
            admit_later(c->pool, use);
    }
    serve(c->pool);
}

void queue_withdraw(struct pool_connection *c)
{
    for (struct list *n = c->waits.next; n != &c->waits; n = n->next)
        withdraw(c->pool, of_node(n));
}

/* ---- waiting ---- */

void queue_leave(struct pool_use *use)
{
    list_remove(&use->node);
    withdraw(use->pool, use);
    io_timer_stop(use->pool->io, &use->timer);
    use->waiting = false;
    if (!use->carries)
        use->pool->stats.waits--;
}

static void on_deadline(struct io_timer *timer)
{
    struct pool_use *use = CONTAINER_OF(timer, struct pool_use, timer);
    struct pool_connection *c = use->connection;
    struct failure why;
    connection_late(c, &why);
    queue_leave(use);
    use->connection = NULL;
    pool_on_unwanted(c);
    use->on_ready(use, &why);
}

void queue_wait(struct pool_use *use, struct pool_connection *c, uint64_t deadline_ns)
{
    struct pool *p = c->pool;
    use->connection = c;
    use->waiting = true;
    use->since_ns = io_now(p->io);
    if (!use->carries && ++p->stats.waits > p->stats.waits_max_seen)
        p->stats.waits_max_seen = p->stats.waits;
    list_append(&c->waits, &use->node);
    if (c->counted)
        list_remove(&c->node); /* it is wanted again */
    if (use->carries)
        return; /* the one it is for has a deadline */
    if (c->state == CONNECTION_READY)
        admit_later(p, use);
    io_timer_start(p->io, &use->timer, deadline_ns, on_deadline);
}

void pool_fail_waits(struct pool_connection *c)
{
    while (!list_empty(&c->waits)) {
        struct pool_use *use = of_node(c->waits.next);
        queue_leave(use);
        use->connection = NULL;
        use->on_ready(use, &c->failure);
    }
}

/* ---- places ---- */

/* The places that it takes now: its own, and those of the connections on its way that have none.
 * One that has a place has those of its own way. */
static uint32_t places_now(const struct pool *p, const struct pool_connection *c)
{
    const struct destination *d = c->destination;
    uint32_t places = 1;
    for (const struct ssh_host *via = d->host->via; via; via = via->via) {
        const struct pool_connection *other = pool_find(p, via, d->principal, POOL_LANE_JUMPS);
        if (!other)
            other = pool_find(p, via, d->principal, POOL_LANE_FIRST);
        if (other && other->counted)
            break;
        places++;
    }
    return places;
}

static bool fits(const struct pool *p, const struct pool_connection *c)
{
    return p->stats.connections + places_now(p, c) <= p->config.connections_max;
}

/* Its start takes the places of those on its way, from within, for which there is room (fits). */
static void take_place(struct pool *p, struct pool_connection *c)
{
    bool within = p->taking;
    c->counted = true;
    if (++p->stats.connections > p->stats.connections_max_seen)
        p->stats.connections_max_seen = p->stats.connections;
    p->stats.connects++;
    p->taking = true;
    connection_start(c);
    p->taking = within;
}

static void leave_queue(struct pool *p, struct pool_connection *c)
{
    list_remove(&c->node);
    p->queued--;
    p->queued_places -= c->places;
}

void queue_forget(struct pool_connection *c)
{
    leave_queue(c->pool, c);
    queue_serve_soon(c->pool); /* it may have been the one that the others waited behind */
}

void queue_promote(struct pool_connection *c)
{
    if (c->state != CONNECTION_QUEUED || !c->pool->taking)
        return;
    leave_queue(c->pool, c);
    take_place(c->pool, c);
}

void queue_places(struct pool *p)
{
    while (!list_empty(&p->queue)) {
        struct pool_connection *c = CONTAINER_OF(p->queue.next, struct pool_connection, node);
        if (!fits(p, c))
            return;
        leave_queue(p, c);
        take_place(p, c);
    }
}

/* Whether what waits needs more places than are free or coming. */
static bool wants_room(const struct pool *p)
{
    return p->queued > 0 &&
           p->stats.connections - p->ending + p->queued_places > p->config.connections_max;
}

void queue_make_room(struct pool *p)
{
    struct list *n = p->idle.next, *next;
    for (; wants_room(p) && n != &p->idle; n = next) {
        struct pool_connection *c = CONTAINER_OF(n, struct pool_connection, node);
        next = n->next;
        if (!connection_unwanted(c))
            continue; /* a channel is still being closed or a command stopped */
        struct failure why;
        failure_set(&why, SCOUT_E_CANCELLED,
                    "The connection to %s was closed to make room for another host", c->name);
        p->stats.evictions++;
        connection_end(c, &why);
    }
}

void queue_place(struct pool *p, struct pool_connection *c)
{
    if (p->taking || (p->queued == 0 && fits(p, c))) {
        take_place(p, c);
        return;
    }
    list_append(&p->queue, &c->node);
    p->queued++;
    p->queued_places += c->places;
    queue_make_room(p);
}

void pool_on_unwanted(struct pool_connection *c)
{
    struct pool *p = c->pool;
    if (c->state == CONNECTION_ENDING || c->users > 0 || c->pinned || !list_empty(&c->waits))
        return;
    if (c->state == CONNECTION_QUEUED) { /* nobody waits for it any more: no connect for nobody */
        struct failure why;
        failure_set(&why, SCOUT_E_CANCELLED, "Nobody waits for %s any more", c->name);
        connection_end(c, &why);
        return;
    }
    c->idle_since_ns = io_now(p->io);
    list_remove(&c->node);
    list_append(&p->idle, &c->node);
    connection_pulse(c);
    if (p->queued > 0)
        queue_make_room(p);
}
