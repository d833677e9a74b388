/* JSON Web Tokens (RFC 7519) in the compact form of JWS (RFC 7515), signed by RS256 or ES256
 * (RFC 7518); with what RFC 8725 says of reading them. Pure. */
#ifndef SCOUT_DAEMON_JWT_H
#define SCOUT_DAEMON_JWT_H

#include "jwks.h"
#include "scout/fleet/identity.h"

#define JWT_LEN_MAX    8192 /* bytes of a token */
#define JWT_HEADER_MAX 1024 /* bytes of its decoded header */
#define JWT_LEEWAY_S   60   /* for nbf and iat: clocks differ */
#define JWT_PREFIX     "jwt:"
#define JWT_OPERATOR   "scoutd:operator" /* among `scope` or `roles`: the role; else reader */

/* What a token must say. */
struct jwt_rules {
    const char *issuer, *audience;
};

struct jwt_claims {
    char name[IDENTITY_NAME_MAX + 1]; /* JWT_PREFIX and the subject */
    enum identity_role role;
    uint64_t expires_s; /* since 1970 */
};

/* Whether the text has the form of one: that decides what is told of a wrong one. */
bool jwt_has_form(struct slice token);

/* NULL with *out when the token counts at `now_s`; else what is wrong with it, static. */
const char *jwt_verify(struct slice token, const struct jwks *keys, const struct jwt_rules *rules,
                       uint64_t now_s, struct jwt_claims *out);

/* The part that comes after the signature: the claims' JSON. */
const char *jwt_check_claims(struct slice json, const struct jwt_rules *rules, uint64_t now_s,
                             struct jwt_claims *out);

#endif
