/* How many requests a client may make: a token bucket for each, in a bounded table. Pure: `now` is
 * a parameter, never less than before. */
#ifndef SCOUT_HTTP_RATE_LIMIT_H
#define SCOUT_HTTP_RATE_LIMIT_H

#include "scout/base/siphash.h"

#define RATE_LIMIT_CLIENTS_MAX                                                                     \
    4096                       /* of one table; then whoever has been quiet the longest goes       \
                                */
#define RATE_LIMIT_NAME_MAX 64 /* bytes of a client's name */

struct rate {
    uint32_t per_minute; /* 0: no limit */
    uint32_t burst;      /* 1 at least: so many at once, after a rest */
};

struct rate_limit;

/* `key` is random. 0, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int rate_limit_new(struct rate_limit **out,
                                                       const uint8_t key[SIPHASH_KEY_SIZE]);
void rate_limit_free(struct rate_limit *r); /* NULL is fine */

/* One request of that client. 0: it may be; else the ns after which it may be made again, and
 * nothing was taken. */
uint64_t rate_limit_take(struct rate_limit *r, const struct rate *rate, struct slice name,
                         uint64_t now_ns);
/* What rate_limit_take would say. */
uint64_t rate_limit_peek(const struct rate_limit *r, const struct rate *rate, struct slice name,
                         uint64_t now_ns);

/* Clients in the table. */
uint32_t rate_limit_count(const struct rate_limit *r);

#endif
