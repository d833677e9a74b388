/* Each hash has one place. Only tokens that somebody signed come here, so nobody can push others
 * out on purpose without being an issuer; who is pushed out is checked again, no more. */
#include "jwt_cache.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

_Static_assert(JWT_CACHE_HASH == SHA256_DIGEST_LENGTH, "the hash is SHA-256");

static size_t place_of(const uint8_t hash[JWT_CACHE_HASH])
{
    return ((size_t)hash[0] << 8 | hash[1]) % JWT_CACHE_MAX;
}

void jwt_cache_clear(struct jwt_cache *c)
{
    memset(c, 0, sizeof *c);
}

void jwt_cache_hash(struct slice token, uint8_t out[JWT_CACHE_HASH])
{
    SHA256(token.data, token.len, out);
}

const struct jwt_claims *jwt_cache_find(const struct jwt_cache *c,
                                        const uint8_t hash[JWT_CACHE_HASH], uint64_t now_s)
{
    size_t i = place_of(hash);
    bool is_it = CRYPTO_memcmp(c->list[i].hash, hash, JWT_CACHE_HASH) == 0;
    return is_it && c->list[i].claims.expires_s > now_s ? &c->list[i].claims : NULL;
}

void jwt_cache_put(struct jwt_cache *c, const uint8_t hash[JWT_CACHE_HASH],
                   const struct jwt_claims *claims)
{
    size_t i = place_of(hash);
    memcpy(c->list[i].hash, hash, JWT_CACHE_HASH);
    c->list[i].claims = *claims;
}
