/* The table of connections: linear probing, deletion by shifting back, so that there are no
 * tombstones and a chain is never longer than its members need.
 *
 * Invariant: between a connection's home slot and where it lies, no slot is free. */
#include "table.h"

#include "scout/base/error.h"
#include <assert.h>
#include <stdlib.h>

#define TABLE_SIZE_MIN 8

int table_init(struct table *t, uint32_t count)
{
    uint32_t size = TABLE_SIZE_MIN;
    while (size / 2 < count)
        size *= 2;
    *t = (struct table){.mask = size - 1};
    t->slots = calloc(size, sizeof *t->slots);
    return t->slots ? 0 : SCOUT_E_NOMEM;
}

void table_fini(struct table *t)
{
    free(t->slots);
    *t = (struct table){0};
}

struct pool_connection *table_find(const struct table *t, uint64_t hash,
                                   const struct ssh_host *host, const char *principal)
{
    for (uint32_t i = (uint32_t)hash & t->mask; t->slots[i].generation; i = (i + 1) & t->mask)
        if (t->slots[i].hash == hash && destination_is(t->slots[i].destination, host, principal))
            return t->slots[i].connection;
    return NULL;
}

uint64_t table_insert(struct table *t, uint64_t hash, const struct destination *destination,
                      struct pool_connection *c)
{
    assert(t->used <= t->mask / 2);
    uint32_t i = (uint32_t)hash & t->mask;
    while (t->slots[i].generation)
        i = (i + 1) & t->mask;
    t->slots[i] = (struct table_slot){hash, ++t->generation, destination, c};
    t->used++;
    return t->generation;
}

void table_remove(struct table *t, uint64_t hash, uint64_t generation)
{
    uint32_t hole = (uint32_t)hash & t->mask;
    while (t->slots[hole].generation != generation) {
        assert(t->slots[hole].generation);
        hole = (hole + 1) & t->mask;
    }
    for (uint32_t i = (hole + 1) & t->mask; t->slots[i].generation; i = (i + 1) & t->mask) {
        uint32_t home = (uint32_t)t->slots[i].hash & t->mask;
        if (((i - home) & t->mask) < ((i - hole) & t->mask))
            continue; /* its home lies behind the hole: it stays */
        t->slots[hole] = t->slots[i];
        hole = i;
    }
    t->slots[hole] = (struct table_slot){0};
    t->used--;
}

struct pool_connection *table_any(const struct table *t, uint32_t *from)
{
    for (; *from <= t->mask; ++*from)
        if (t->slots[*from].generation)
            return t->slots[*from].connection;
    return NULL;
}
