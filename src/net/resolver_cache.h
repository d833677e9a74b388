/* Names and what is known of them. Private to the resolver. Pure. */
#ifndef SCOUT_NET_RESOLVER_CACHE_H
#define SCOUT_NET_RESOLVER_CACHE_H

#include "resolver_dns.h"
#include "scout/net/resolver.h"

enum resolver_state {
    RESOLVER_UNROUTED, /* waits until the hosts file has been read */
    RESOLVER_QUEUED,   /* waits to be asked */
    RESOLVER_ASKED,    /* c-ares has it */
    RESOLVER_ANSWERED,
};

/* One name. In the table, except what the hosts file or the name itself answers: that is freed
 * after it was told. */
struct resolver_entry {
    struct resolver *resolver;
    struct resolver_entry *next; /* in its bucket */
    struct list waiters;         /* queries */
    struct list node;            /* unrouted or queued: among those; answered: by last use */
    struct list ready;           /* among those whose waiters are to be told */
    struct resolver_ask ask;
    enum resolver_state state;
    bool in_table, telling;
    int error;            /* answered: 0 or SCOUT_E_ */
    const char *reason;   /* of an error */
    char *servers;        /* that did not answer; NULL; owned */
    uint64_t expires_ns;  /* answered */
    uint32_t count;       /* addresses */
    struct address *list; /* NULL for none; owned */
    uint64_t hash;
    char name[]; /* lower case */
};

struct resolver_cache {
    struct resolver_entry **buckets;
    uint32_t count;
    uint64_t seed;
    struct list used; /* answered entries, the one unused for the longest first */
};

__attribute__((warn_unused_result)) int resolver_cache_init(struct resolver_cache *c,
                                                            uint64_t seed);
/* Frees all entries: none may have waiters or be asked. */
void resolver_cache_fini(struct resolver_cache *c);

struct resolver_entry *resolver_cache_find(const struct resolver_cache *c, const char *name);

/* An entry outside the table; NULL without memory. */
struct resolver_entry *resolver_entry_new(struct resolver *r, const char *name);
void resolver_entry_free(struct resolver_entry *e);

/* Puts the entry into the table. False when the table is full of entries that are in use; else the
 * one that was unused for the longest makes room. */
bool resolver_cache_add(struct resolver_cache *c, struct resolver_entry *e);
/* Out of the table and its lists; the entry stays. */
void resolver_cache_remove(struct resolver_cache *c, struct resolver_entry *e);

/* The entry is answered and was used just now. */
void resolver_cache_used(struct resolver_cache *c, struct resolver_entry *e);

/* All answers that are kept are too old from now on. */
void resolver_cache_expire(struct resolver_cache *c);

#endif
