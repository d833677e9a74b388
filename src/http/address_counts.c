/* Counts chained by a keyed hash of the address. One accept looks at one chain, however many
 * connections there are.
 *
 * A count is made by the first connection of an address and freed by its last, so `count` is 1 or
 * more for all that are in a chain, and whoever entered may hold the pointer until it leaves. */
#include "scout/http/address_counts.h"

#include "scout/base/error.h"
#include <stdlib.h>
#include <string.h>

struct address_count {
    struct address_count *next; /* of its chain */
    uint32_t count;
    sa_family_t family;
    uint8_t bytes[16];
};

void address_counts_init(struct address_counts *t, const uint8_t key[SIPHASH_KEY_SIZE])
{
    memset(t, 0, sizeof *t);
    memcpy(t->key, key, sizeof t->key);
}

void address_counts_fini(struct address_counts *t)
{
    for (size_t i = 0; i < ADDRESS_COUNTS_BUCKETS; i++) {
        struct address_count *next;
        for (struct address_count *c = t->buckets[i]; c; c = next) {
            next = c->next;
            free(c);
        }
        t->buckets[i] = NULL;
    }
    t->addresses = 0;
}

static size_t bucket_of(const struct address_counts *t, const uint8_t bytes[16])
{
    return siphash(t->key, slice_of(bytes, 16)) % ADDRESS_COUNTS_BUCKETS;
}

static struct address_count *find(const struct address_counts *t, const struct address *address)
{
    struct address_count *c = t->buckets[bucket_of(t, address->bytes)];
    while (c && (c->family != address->family || memcmp(c->bytes, address->bytes, 16) != 0))
        c = c->next;
    return c;
}

int address_counts_enter(struct address_counts *t, const struct address *address, uint32_t most,
                         struct address_count **out)
{
    struct address_count *c = find(t, address);
    if ((c ? c->count : 0) >= most)
        return SCOUT_E_LIMIT;
    if (!c) {
        struct address_count **bucket = &t->buckets[bucket_of(t, address->bytes)];
        c = calloc(1, sizeof *c);
        if (!c)
            return SCOUT_E_NOMEM;
        c->family = address->family;
        memcpy(c->bytes, address->bytes, sizeof c->bytes);
        c->next = *bucket;
        *bucket = c;
        t->addresses++;
    }
    c->count++;
    *out = c;
    return 0;
}

void address_counts_leave(struct address_counts *t, struct address_count *count)
{
    if (--count->count > 0)
        return;
    struct address_count **at = &t->buckets[bucket_of(t, count->bytes)];
    while (*at != count)
        at = &(*at)->next;
    *at = count->next;
    t->addresses--;
    free(count);
}

uint32_t address_counts_of(const struct address_counts *t, const struct address *address)
{
    const struct address_count *c = find(t, address);
    return c ? c->count : 0;
}
