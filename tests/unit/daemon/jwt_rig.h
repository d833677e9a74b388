/* What the tests of signed tokens share: keys that are made here and sign as an issuer would. */
#ifndef TESTS_UNIT_DAEMON_JWT_RIG_H
#define TESTS_UNIT_DAEMON_JWT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <openssl/evp.h>

#include "../../../src/daemon/jwt.h"

#define NOW       1800000000u
#define ISSUER    "https://issuer.example.org/"
#define AUDIENCE  "https://scout.example.org/mcp"
#define GOOD      "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":1800000060,\"sub\":\"ann\""
#define RS256_ONE "{\"alg\":\"RS256\",\"kid\":\"one\"}"
#define ES256_TWO "{\"alg\":\"ES256\",\"kid\":\"two\"}"

extern const struct jwt_rules rules;
extern EVP_PKEY *rsa, *ec, *stranger;
extern char set_text[4096];
extern struct jwks *set;
size_t encode(const void *bytes, size_t len, char *out);
size_t sign(EVP_PKEY *key, const char *text, uint8_t out[1024]);
const char *make_with(EVP_PKEY *key, const void *header, size_t header_len, const void *claims,
                      size_t claims_len);
const char *make(EVP_PKEY *key, const char *header, const char *claims);
const char *verify_at(const char *token, uint64_t now_s, struct jwt_claims *out);
/* NULL when it counts. */
const char *wrong_with(const char *token);
const char *wrong_claims(const char *claims);
void assert_wrong(const char *found, const char *expected);
void jwk_of_rsa(EVP_PKEY *key, const char *more, char *out, size_t size);
void jwk_of_ec(EVP_PKEY *key, const char *more, char *out, size_t size);
int set_up(void **state);
int tear_down(void **state);

#endif
