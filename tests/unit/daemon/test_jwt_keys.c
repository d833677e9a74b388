/* Sets of keys, and the cache of tokens that counted. */
#include "jwt_rig.h"

#include "../../../src/daemon/jwt_cache.h"
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sets of keys ---- */

static void refused(const char *text, const char *expected)
{
    struct jwks *k;
    struct failure why = {0};
    assert_int_equal(jwks_parse(&k, "/k", slice_str(text), &why), SCOUT_E_INVALID_ARGUMENT);
    if (!strstr(why.text, expected))
        fail_msg("%s: %s", text, why.text);
}

static void sets_that_are_refused(void **state)
{
    char jwk[2048], text[8192];
    (void)state;
    refused("", "is no JSON");
    refused("{\"keys\":[]} x", "is no JSON");
    refused("{\"keys\":[],\"keys\":[]}", "is no JSON");
    refused("[]", "no array");
    refused("{\"keys\":{}}", "no array");
    refused("{\"keys\":[]}", "has no key");
    refused("{\"keys\":[1]}", "key 1: it is no object");
    refused("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", "private");
    refused("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}]}", "has no key");
    refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "2048 to 4096");
    refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\"}]}", "n or e");
    refused("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\"}]}", "n or e");
    refused("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}]}",
            "coordinate");
    refused("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
            "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
            "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}]}",
            "not on the curve");
    jwk_of_rsa(rsa, ",\"use\":\"enc\"", jwk, sizeof jwk);
    snprintf(text, sizeof text, "{\"keys\":[%s]}", jwk);
    refused(text, "has no key");
    jwk_of_rsa(rsa, ",\"key_ops\":[\"encrypt\"]", jwk, sizeof jwk);
    snprintf(text, sizeof text, "{\"keys\":[%s]}", jwk);
    refused(text, "has no key");
    jwk_of_rsa(rsa, ",\"alg\":\"RS512\"", jwk, sizeof jwk);
    snprintf(text, sizeof text, "{\"keys\":[%s]}", jwk);
    refused(text, "has no key");
    jwk_of_rsa(rsa, ",\"kid\":\"same\"", jwk, sizeof jwk);
    snprintf(text, sizeof text, "{\"keys\":[%s,%s]}", jwk, jwk);
    refused(text, "key 2: its kid is there already");
    jwk_of_rsa(rsa, ",\"kid\":5", jwk, sizeof jwk);
    snprintf(text, sizeof text, "{\"keys\":[%s]}", jwk);
    refused(text, "its kid must be");
    jwk_of_rsa(rsa, ",\"d\":\"AQAB\"", jwk, sizeof jwk);
    snprintf(text, sizeof text, "{\"keys\":[%s]}", jwk);
    refused(text, "private");
}

static void sizes_of_rsa(void **state)
{
    static const struct {
        unsigned bits;
        bool good;
    } cases[] = {{1024, false}, {2048, true}, {4096, true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EVP_PKEY *key = EVP_RSA_gen(cases[i].bits);
        char jwk[4096], text[8192];
        struct jwks *k = NULL;
        struct failure why;
        jwk_of_rsa(key, "", jwk, sizeof jwk);
        snprintf(text, sizeof text, "{\"keys\":[%s]}", jwk);
        assert_int_equal(jwks_parse(&k, "/k", slice_str(text), &why) == 0, cases[i].good);
        if (k) {
            struct jwt_claims claims;
            const char *token = make(key, "{\"alg\":\"RS256\"}", "{" GOOD "}");
            assert_null(jwt_verify(slice_str(token), k, &rules, NOW, &claims));
        }
        jwks_unref(k);
        EVP_PKEY_free(key);
    }
}

/* ---- the cache ---- */

static void what_is_kept(void **state)
{
    struct jwt_cache *c = calloc(1, sizeof *c);
    struct jwt_claims claims = {.name = "jwt:ann", .role = ROLE_OPERATOR, .expires_s = 100};
    uint8_t hash[JWT_CACHE_HASH], other[JWT_CACHE_HASH];
    (void)state;
    jwt_cache_hash(slice_str("token"), hash);
    jwt_cache_hash(slice_str("tokem"), other);
    assert_null(jwt_cache_find(c, hash, 0));
    jwt_cache_put(c, hash, &claims);
    assert_string_equal(jwt_cache_find(c, hash, 99)->name, "jwt:ann");
    assert_null(jwt_cache_find(c, hash, 100));
    assert_null(jwt_cache_find(c, other, 0));
    /* Of the same place: one of them has it. */
    memcpy(other, hash, sizeof other);
    other[31] ^= 1;
    assert_null(jwt_cache_find(c, other, 0));
    jwt_cache_put(c, other, &claims);
    assert_non_null(jwt_cache_find(c, other, 0));
    assert_null(jwt_cache_find(c, hash, 0));
    jwt_cache_clear(c);
    assert_null(jwt_cache_find(c, other, 0));
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_that_are_refused),
        cmocka_unit_test(sizes_of_rsa),
        cmocka_unit_test(what_is_kept),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
