/* The gates: two lists in each bucket, of those that are in and of those that wait. Addresses are
 * compared as they are written; who goes through a bastion is let through there (hop.c). */
#include "gate.h"

#include "pool_state.h"
#include "scout/base/time.h"
#include <string.h>

void gates_init(struct gates *g)
{
    for (unsigned i = 0; i < GATE_BUCKETS; i++) {
        list_init(&g->in[i]);
        list_init(&g->waiting[i]);
    }
}

static struct pool_connection *of_node(struct list *n)
{
    return CONTAINER_OF(n, struct pool_connection, pass.node);
}

static unsigned bucket_of(const struct pool_connection *c)
{
    uint32_t hash = 2166136261u ^ c->destination->host->port; /* FNV-1a, RFC 9923 */
    for (const char *at = c->destination->host->hostname; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    return (hash ^ hash >> 16) % GATE_BUCKETS;
}

static bool is_same(const struct pool_connection *a, const struct pool_connection *b)
{
    const struct ssh_host *x = a->destination->host, *y = b->destination->host;
    return x->port == y->port && strcmp(x->hostname, y->hostname) == 0;
}

static bool has_room(const struct list *in, const struct pool_connection *c)
{
    unsigned count = 0;
    for (struct list *n = in->next; n != in; n = n->next)
        count += is_same(of_node(n), c);
    return count < GATE_HANDSHAKES_MAX;
}

/* A host that says nothing does not keep the others out. */
static void on_slot(struct io_timer *timer)
{
    gate_leave(CONTAINER_OF(timer, struct pool_connection, pass.timer));
}

static void let_in(struct list *in, struct pool_connection *c)
{
    struct io *io = c->pool->io;
    c->pass.in = true;
    c->pass.waiting = false;
    list_append(in, &c->pass.node);
    io_timer_start(io, &c->pass.timer, io_now(io) + GATE_SLOT_MS * NS_PER_MS, on_slot);
}

bool gate_enter(struct pool_connection *c)
{
    struct gates *g = &c->pool->gates;
    unsigned bucket = bucket_of(c);
    if (has_room(&g->in[bucket], c)) {
        let_in(&g->in[bucket], c);
        return true;
    }
    c->pass.waiting = true;
    list_append(&g->waiting[bucket], &c->pass.node);
    return false;
}

void gate_leave(struct pool_connection *c)
{
    struct gates *g = &c->pool->gates;
    bool was_in = c->pass.in;
    if (!was_in && !c->pass.waiting)
        return;
    list_remove(&c->pass.node);
    io_timer_stop(c->pool->io, &c->pass.timer);
    c->pass.in = c->pass.waiting = false;
    if (!was_in)
        return;
    unsigned bucket = bucket_of(c);
    for (struct list *n = g->waiting[bucket].next; n != &g->waiting[bucket]; n = n->next) {
        struct pool_connection *next = of_node(n);
        if (!is_same(next, c))
            continue;
        list_remove(n);
        let_in(&g->in[bucket], next);
        connect_admitted(next);
        return;
    }
}
