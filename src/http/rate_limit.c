/* Buckets of credit, counted in ns: a request costs the time in which one is earned, so nothing is
 * lost to rounding, and a bucket is brought up to date when somebody asks for it and never else.
 *
 * Entries are chained by a keyed hash, and in the order of their last request. A full bucket and
 * none are the same, so whoever has had time to fill up is forgotten when its place is wanted: that
 * is the oldest, and also when the table is full of the busy, since a place has to come from
 * somewhere. Each request looks at its own chain and at the two oldest entries, however many
 * clients there are. */
#include "scout/http/rate_limit.h"

#include "scout/base/container.h"
#include "scout/base/error.h"
#include "scout/base/list.h"
#include "scout/base/time.h"
#include <stdlib.h>

#define BUCKETS      8192
#define NS_PER_MIN   (60 * NS_PER_S)
#define FORGET_STEPS 2 /* old entries that are looked at for each request */

struct entry {
    struct list of_age;
    struct entry *next; /* of its chain, or of the free ones */
    uint64_t credit_ns, at_ns;
    uint8_t len;
    uint8_t name[RATE_LIMIT_NAME_MAX];
};

struct rate_limit {
    uint8_t key[SIPHASH_KEY_SIZE];
    struct list by_age; /* the one that asked last is last */
    struct entry *free;
    uint32_t count, made; /* in use; of `entries` that were ever used */
    struct entry *buckets[BUCKETS];
    struct entry entries[RATE_LIMIT_CLIENTS_MAX];
};

int rate_limit_new(struct rate_limit **out, const uint8_t key[SIPHASH_KEY_SIZE])
{
    struct rate_limit *r = calloc(1, sizeof *r);
    if (!r)
        return SCOUT_E_NOMEM;
    memcpy(r->key, key, sizeof r->key);
    list_init(&r->by_age);
    *out = r;
    return 0;
}

void rate_limit_free(struct rate_limit *r)
{
    free(r);
}

uint32_t rate_limit_count(const struct rate_limit *r)
{
    return r->count;
}

/* ---- credit ---- */

static uint64_t cost_of(const struct rate *rate)
{
    return NS_PER_MIN / rate->per_minute;
}

static uint64_t credit_of(const struct entry *e, const struct rate *rate, uint64_t now_ns)
{
    uint64_t most = cost_of(rate) * rate->burst, earned = now_ns - e->at_ns;
    return e->credit_ns < most && earned < most - e->credit_ns ? e->credit_ns + earned : most;
}

/* ---- the table ---- */

static struct slice cut(struct slice name)
{
    return slice_of(name.data, name.len < RATE_LIMIT_NAME_MAX ? name.len : RATE_LIMIT_NAME_MAX);
}

static size_t bucket_of(const struct rate_limit *r, struct slice name)
{
    return siphash(r->key, name) % BUCKETS;
}

static struct entry *find(const struct rate_limit *r, struct slice name)
{
    struct entry *e = r->buckets[bucket_of(r, name)];
    while (e && !slice_equal(slice_of(e->name, e->len), name))
        e = e->next;
    return e;
}

static void forget(struct rate_limit *r, struct entry *e)
{
    struct entry **at = &r->buckets[bucket_of(r, slice_of(e->name, e->len))];
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    list_remove(&e->of_age);
    e->next = r->free;
    r->free = e;
    r->count--;
}

static struct entry *oldest(struct rate_limit *r)
{
    return list_empty(&r->by_age) ? NULL : CONTAINER_OF(r->by_age.next, struct entry, of_age);
}

static void forget_full(struct rate_limit *r, const struct rate *rate, uint64_t now_ns)
{
    for (int i = 0; i < FORGET_STEPS; i++) {
        struct entry *e = oldest(r);
        if (!e || credit_of(e, rate, now_ns) < cost_of(rate) * rate->burst)
            return;
        forget(r, e);
    }
}

static struct entry *add(struct rate_limit *r, const struct rate *rate, struct slice name,
                         uint64_t now_ns)
{
    if (!r->free && r->made == RATE_LIMIT_CLIENTS_MAX)
        forget(r, oldest(r));
    struct entry *e = r->free ? r->free : &r->entries[r->made++];
    struct entry **bucket = &r->buckets[bucket_of(r, name)];
    if (e == r->free)
        r->free = e->next;
    e->credit_ns = cost_of(rate) * rate->burst;
    e->at_ns = now_ns;
    e->len = (uint8_t)name.len;
    memcpy(e->name, name.data, name.len);
    e->next = *bucket;
    *bucket = e;
    list_init(&e->of_age);
    r->count++;
    return e;
}

/* ---- requests ---- */

uint64_t rate_limit_peek(const struct rate_limit *r, const struct rate *rate, struct slice name,
                         uint64_t now_ns)
{
    const struct entry *e = rate->per_minute ? find(r, cut(name)) : NULL;
    uint64_t credit = e ? credit_of(e, rate, now_ns) : 0;
    return e && credit < cost_of(rate) ? cost_of(rate) - credit : 0;
}

uint64_t rate_limit_take(struct rate_limit *r, const struct rate *rate, struct slice name,
                         uint64_t now_ns)
{
    if (rate->per_minute == 0)
        return 0;
    struct slice short_name = cut(name);
    struct entry *e = find(r, short_name);
    if (!e) {
        forget_full(r, rate, now_ns);
        e = add(r, rate, short_name, now_ns);
    }
    e->credit_ns = credit_of(e, rate, now_ns);
    e->at_ns = now_ns;
    list_remove(&e->of_age);
    list_append(&r->by_age, &e->of_age);
    if (e->credit_ns < cost_of(rate))
        return cost_of(rate) - e->credit_ns;
    e->credit_ns -= cost_of(rate);
    return 0;
}
