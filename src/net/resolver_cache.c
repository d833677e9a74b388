/* The table of names: buckets by a seeded hash, answered entries in the order of their last use.
 *
 * What it is not: it asks nobody and knows no time.
 *
 * Invariants: an entry in the table with state ANSWERED is in `used`, and only such are; an entry
 * is freed only without waiters, and not while it is being told or asked. The seed keeps somebody
 * who chooses names from making all of them fall into one bucket. */
#include "resolver_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024u

int resolver_cache_init(struct resolver_cache *c, uint64_t seed)
{
    *c = (struct resolver_cache){.seed = seed};
    list_init(&c->used);
    c->buckets = calloc(BUCKETS, sizeof(struct resolver_entry *));
    return c->buckets ? 0 : SCOUT_E_NOMEM;
}

void resolver_cache_fini(struct resolver_cache *c)
{
    for (uint32_t i = 0; c->buckets && i < BUCKETS; i++)
        while (c->buckets[i]) {
            struct resolver_entry *e = c->buckets[i];
            resolver_cache_remove(c, e);
            resolver_entry_free(e);
        }
    free(c->buckets);
    assert(c->count == 0);
}

static uint64_t hash_of(const struct resolver_cache *c, const char *name)
{
    uint64_t hash = 14695981039346656037u ^ c->seed;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 1099511628211u;
    return hash ^ (hash >> 32);
}

struct resolver_entry *resolver_cache_find(const struct resolver_cache *c, const char *name)
{
    uint64_t hash = hash_of(c, name);
    struct resolver_entry *e = c->buckets[hash % BUCKETS];
    while (e && (e->hash != hash || strcmp(e->name, name) != 0))
        e = e->next;
    return e;
}

struct resolver_entry *resolver_entry_new(struct resolver *r, const char *name)
{
    size_t size = strlen(name) + 1;
    struct resolver_entry *e = calloc(1, sizeof *e + size);
    if (!e)
        return NULL;
    e->resolver = r;
    list_init(&e->waiters);
    list_init(&e->node);
    list_init(&e->ready);
    memcpy(e->name, name, size);
    return e;
}

void resolver_entry_free(struct resolver_entry *e)
{
    assert(list_empty(&e->waiters) && e->state != RESOLVER_ASKED && !e->in_table && !e->telling);
    list_remove(&e->node);
    list_remove(&e->ready);
    free(e->servers);
    free(e->list);
    free(e);
}

/* An answered entry that nobody waits for; NULL when all are in use. */
static struct resolver_entry *least_used(const struct resolver_cache *c)
{
    for (struct list *n = c->used.next; n != &c->used; n = n->next) {
        struct resolver_entry *e = CONTAINER_OF(n, struct resolver_entry, node);
        if (list_empty(&e->waiters) && !e->telling)
            return e;
    }
    return NULL;
}

bool resolver_cache_add(struct resolver_cache *c, struct resolver_entry *e)
{
    if (c->count == RESOLVER_CACHE_MAX) {
        struct resolver_entry *old = least_used(c);
        if (!old)
            return false;
        resolver_cache_remove(c, old);
        resolver_entry_free(old);
    }
    e->hash = hash_of(c, e->name);
    e->next = c->buckets[e->hash % BUCKETS];
    c->buckets[e->hash % BUCKETS] = e;
    e->in_table = true;
    c->count++;
    return true;
}

void resolver_cache_remove(struct resolver_cache *c, struct resolver_entry *e)
{
    struct resolver_entry **link = &c->buckets[e->hash % BUCKETS];
    assert(e->in_table);
    while (*link != e)
        link = &(*link)->next;
    *link = e->next;
    e->in_table = false;
    list_remove(&e->node);
    c->count--;
}

void resolver_cache_used(struct resolver_cache *c, struct resolver_entry *e)
{
    assert(e->in_table && e->state == RESOLVER_ANSWERED);
    list_remove(&e->node);
    list_append(&c->used, &e->node);
}

void resolver_cache_expire(struct resolver_cache *c)
{
    for (struct list *n = c->used.next; n != &c->used; n = n->next)
        CONTAINER_OF(n, struct resolver_entry, node)->expires_ns = 0;
}
