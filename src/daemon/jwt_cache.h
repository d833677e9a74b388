/* Tokens whose signature was checked, by their hash, for as long as they count: the next request of
 * the same client costs a hash. Bounded; nothing of a token is kept but its hash. */
#ifndef SCOUT_DAEMON_JWT_CACHE_H
#define SCOUT_DAEMON_JWT_CACHE_H

#include "jwt.h"

#define JWT_CACHE_MAX  1024 /* one that comes to another's place takes it */
#define JWT_CACHE_HASH 32

struct jwt_cache {
    struct {
        uint8_t hash[JWT_CACHE_HASH];
        struct jwt_claims claims; /* expires_s 0: nothing is here */
    } list[JWT_CACHE_MAX];
};

void jwt_cache_clear(struct jwt_cache *c);
void jwt_cache_hash(struct slice token, uint8_t out[JWT_CACHE_HASH]);
/* NULL: it is not there, or it has expired. */
const struct jwt_claims *jwt_cache_find(const struct jwt_cache *c,
                                        const uint8_t hash[JWT_CACHE_HASH], uint64_t now_s);
void jwt_cache_put(struct jwt_cache *c, const uint8_t hash[JWT_CACHE_HASH],
                   const struct jwt_claims *claims);

#endif
