/* The fixed table of connections, by destination. Private to the layer.
 *
 * Open-addressed, at most half full, never grows: a look-up is a probe or two and a compare. A slot
 * holds hash and generation; the generation is given once and travels with the connection, so that
 * (hash, generation) names one connection across time and never its successor. */
#ifndef SCOUT_POOL_TABLE_H
#define SCOUT_POOL_TABLE_H

#include "destination.h"

struct pool_connection;

struct table_slot {
    uint64_t hash;
    uint64_t generation; /* 0: free */
    const struct destination *destination;
    struct pool_connection *connection;
};

struct table {
    struct table_slot *slots;
    uint32_t mask, used;
    uint64_t generation; /* the last one given */
};

/* For at most `count` connections at a time. 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int table_init(struct table *t, uint32_t count);
void table_fini(struct table *t);

/* NULL: there is none. */
struct pool_connection *table_find(const struct table *t, uint64_t hash,
                                   const struct ssh_host *host, const char *principal);
/* Returns its generation. There must be room: the caller counts. */
uint64_t table_insert(struct table *t, uint64_t hash, const struct destination *destination,
                      struct pool_connection *c);
/* It must be there. */
void table_remove(struct table *t, uint64_t hash, uint64_t generation);
/* Any one, or NULL when the table is empty; `from` (0 at first) is where to look on. */
struct pool_connection *table_any(const struct table *t, uint32_t *from);

#endif
