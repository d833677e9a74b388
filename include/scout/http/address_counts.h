/* How many connections each address has. Pure.
 *
 * An address is kept while it has one: the table holds at most as many as there are connections. */
#ifndef SCOUT_HTTP_ADDRESS_COUNTS_H
#define SCOUT_HTTP_ADDRESS_COUNTS_H

#include "scout/base/siphash.h"
#include "scout/net/address.h"

#define ADDRESS_COUNTS_BUCKETS 4096

struct address_count;

struct address_counts {
    uint8_t key[SIPHASH_KEY_SIZE];
    uint32_t addresses;
    struct address_count *buckets[ADDRESS_COUNTS_BUCKETS];
};

/* `key` is random: nobody can choose addresses that share a chain. */
void address_counts_init(struct address_counts *t, const uint8_t key[SIPHASH_KEY_SIZE]);
/* Frees what is left; nobody may leave afterwards. */
void address_counts_fini(struct address_counts *t);

/* One connection more of `address` (its scope does not count), when it has less than `most`: *out
 * is for its end. SCOUT_E_LIMIT, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int address_counts_enter(struct address_counts *t,
                                                             const struct address *address,
                                                             uint32_t most,
                                                             struct address_count **out);
/* The connection has ended. */
void address_counts_leave(struct address_counts *t, struct address_count *count);

uint32_t address_counts_of(const struct address_counts *t, const struct address *address);

#endif
