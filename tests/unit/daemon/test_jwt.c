/* Signed tokens: those that count, and a corpus of forged ones. Keys are made here and sign as an
 * issuer would; one token is the example of RFC 7515. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "../../../src/daemon/jwt.h"
#include "../../../src/daemon/jwt_cache.h"

#define NOW       1800000000u
#define ISSUER    "https://issuer.example.org/"
#define AUDIENCE  "https://scout.example.org/mcp"
#define GOOD      "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":1800000060,\"sub\":\"ann\""
#define RS256_ONE "{\"alg\":\"RS256\",\"kid\":\"one\"}"
#define ES256_TWO "{\"alg\":\"ES256\",\"kid\":\"two\"}"

static const struct jwt_rules rules = {ISSUER, AUDIENCE};
static EVP_PKEY *rsa, *ec, *stranger;
static char set_text[4096];
static struct jwks *set;

/* ---- an issuer ---- */

static size_t encode(const void *bytes, size_t len, char *out)
{
    char text[16384];
    int n = EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    while (n > 0 && text[n - 1] == '=')
        n--;
    for (int i = 0; i < n; i++)
        out[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
    out[n] = '\0';
    return (size_t)n;
}

static size_t sign(EVP_PKEY *key, const char *text, uint8_t out[1024])
{
    size_t len = 1024;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, out, &len, (const uint8_t *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
        return len;
    const uint8_t *at = out;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
    uint8_t raw[64];
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32);
    ECDSA_SIG_free(pair);
    memcpy(out, raw, sizeof raw);
    return sizeof raw;
}

static const char *make_with(EVP_PKEY *key, const void *header, size_t header_len,
                             const void *claims, size_t claims_len)
{
    static char token[32768];
    uint8_t signature[1024];
    size_t at = encode(header, header_len, token);
    token[at++] = '.';
    at += encode(claims, claims_len, token + at);
    size_t len = sign(key, token, signature);
    token[at++] = '.';
    encode(signature, len, token + at);
    return token;
}

static const char *make(EVP_PKEY *key, const char *header, const char *claims)
{
    return make_with(key, header, strlen(header), claims, strlen(claims));
}

static const char *verify_at(const char *token, uint64_t now_s, struct jwt_claims *out)
{
    return jwt_verify(slice_str(token), set, &rules, now_s, out);
}

/* NULL when it counts. */
static const char *wrong_with(const char *token)
{
    struct jwt_claims claims;
    return verify_at(token, NOW, &claims);
}

static const char *wrong_claims(const char *claims)
{
    char text[9000];
    snprintf(text, sizeof text, "{%s}", claims);
    return wrong_with(make(rsa, RS256_ONE, text));
}

static void assert_wrong(const char *found, const char *expected)
{
    assert_non_null(found);
    assert_string_equal(found, expected);
}

static void jwk_of_rsa(EVP_PKEY *key, const char *more, char *out, size_t size)
{
    BIGNUM *n = NULL, *e = NULL;
    uint8_t bytes[1024];
    char n_text[2048], e_text[16];
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n);
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e);
    encode(bytes, (size_t)BN_bn2bin(n, bytes), n_text);
    encode(bytes, (size_t)BN_bn2bin(e, bytes), e_text);
    BN_free(n);
    BN_free(e);
    snprintf(out, size, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}", n_text, e_text, more);
}

static void jwk_of_ec(EVP_PKEY *key, const char *more, char *out, size_t size)
{
    BIGNUM *x = NULL, *y = NULL;
    uint8_t bytes[32];
    char x_text[64], y_text[64];
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x);
    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y);
    BN_bn2binpad(x, bytes, 32);
    encode(bytes, 32, x_text);
    BN_bn2binpad(y, bytes, 32);
    encode(bytes, 32, y_text);
    BN_free(x);
    BN_free(y);
    snprintf(out, size, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"%s}", x_text,
             y_text, more);
}

static int set_up(void **state)
{
    char one[1024], two[512];
    struct failure why;
    (void)state;
    rsa = EVP_RSA_gen(2048);
    stranger = EVP_RSA_gen(2048);
    ec = EVP_EC_gen("P-256");
    jwk_of_rsa(rsa, ",\"kid\":\"one\",\"use\":\"sig\"", one, sizeof one);
    jwk_of_ec(ec, ",\"kid\":\"two\",\"alg\":\"ES256\",\"key_ops\":[\"verify\"]", two, sizeof two);
    snprintf(set_text, sizeof set_text, "{\"keys\":[%s,%s,{\"kty\":\"OKP\",\"kid\":\"x\"}]}", one,
             two);
    return jwks_parse(&set, "/k", slice_str(set_text), &why);
}

static int tear_down(void **state)
{
    (void)state;
    jwks_unref(set);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(stranger);
    return 0;
}

/* ---- tokens that count ---- */

static void what_counts(void **state)
{
    struct jwt_claims claims;
    (void)state;
    assert_null(verify_at(make(rsa, RS256_ONE, "{" GOOD "}"), NOW, &claims));
    assert_string_equal(claims.name, "jwt:ann");
    assert_int_equal(claims.role, ROLE_READER);
    assert_int_equal(claims.expires_s, 1800000060);
    assert_null(verify_at(make(ec, ES256_TWO, " {" GOOD "}\n"), NOW, &claims));
    assert_null(wrong_with(
        make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"at+JWT\"}", "{" GOOD "}")));
    assert_null(wrong_with(
        make(rsa, "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"one\",\"x5u\":\"http://e\"}",
             "{" GOOD ",\"other\":[{}]}")));
}

static void the_role(void **state)
{
    static const struct {
        const char *claims;
        enum identity_role role;
    } cases[] = {
        {"\"scope\":\"openid scoutd:operator\"", ROLE_OPERATOR},
        {"\"scope\":\"scoutd:operator\"", ROLE_OPERATOR},
        {"\"roles\":[\"a\",\"scoutd:operator\"]", ROLE_OPERATOR},
        {"\"roles\":\"scoutd:operator\"", ROLE_OPERATOR},
        {"\"scope\":\"scoutd:operators xscoutd:operator\"", ROLE_READER},
        {"\"scope\":\"SCOUTD:OPERATOR\"", ROLE_READER},
        {"\"scope\":[\"scoutd:operator\"]", ROLE_READER},
        {"\"roles\":\"a scoutd:operator\"", ROLE_READER},
        {"\"roles\":{\"scoutd:operator\":true}", ROLE_READER},
        {"\"roles\":[[\"scoutd:operator\"]]", ROLE_READER},
        {"\"role\":\"scoutd:operator\"", ROLE_READER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        struct jwt_claims claims;
        snprintf(text, sizeof text, "{" GOOD ",%s}", cases[i].claims);
        assert_null(verify_at(make(rsa, RS256_ONE, text), NOW, &claims));
        assert_int_equal(claims.role, cases[i].role);
    }
}

/* ---- forged ones ---- */

static void other_algorithms(void **state)
{
    static const char *const names[] = {"none",  "None",  "HS256", "HS512", "RS384",
                                        "PS256", "ES384", "rs256", "EdDSA", ""};
    static const char neither[] = "its algorithm is neither RS256 nor ES256";
    char header[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"one\"}", names[i]);
        assert_wrong(wrong_with(make(rsa, header, "{" GOOD "}")), neither);
    }
    assert_wrong(wrong_with(make(rsa, "{\"kid\":\"one\"}", "{" GOOD "}")), neither);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":[\"RS256\"],\"kid\":\"one\"}", "{" GOOD "}")),
                 neither);
    /* Without a signature, as `none` has it. */
    char token[1024];
    snprintf(token, sizeof token, "%s", make(rsa, "{\"alg\":\"none\"}", "{" GOOD "}"));
    *(strrchr(token, '.') + 1) = '\0';
    assert_wrong(wrong_with(token), neither);
    snprintf(token, sizeof token, "%s", make(rsa, RS256_ONE, "{" GOOD "}"));
    *(strrchr(token, '.') + 1) = '\0';
    assert_wrong(wrong_with(token), "its signature is wrong");
}

/* The public key's text as the key of an HMAC, which is what confuses naive readers. */
static void confused_algorithms(void **state)
{
    static const char other[] = "its algorithm is not that of its key";
    char token[4096], mac_text[64];
    uint8_t mac[32];
    unsigned len = sizeof mac;
    (void)state;
    size_t at = encode("{\"alg\":\"HS256\",\"kid\":\"one\"}", 29 - 2, token);
    token[at++] = '.';
    at += encode("{" GOOD "}", strlen("{" GOOD "}"), token + at);
    HMAC(EVP_sha256(), set_text, (int)strlen(set_text), (const uint8_t *)token, at, mac, &len);
    encode(mac, len, mac_text);
    snprintf(token + at, sizeof token - at, ".%s", mac_text);
    assert_wrong(wrong_with(token), "its algorithm is neither RS256 nor ES256");
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"ES256\",\"kid\":\"one\"}", "{" GOOD "}")), other);
    assert_wrong(wrong_with(make(ec, "{\"alg\":\"RS256\",\"kid\":\"two\"}", "{" GOOD "}")), other);
}

static void other_keys(void **state)
{
    static const char unknown[] = "its key is not known";
    (void)state;
    assert_wrong(wrong_with(make(stranger, RS256_ONE, "{" GOOD "}")), "its signature is wrong");
    assert_wrong(wrong_with(make(ec, "{\"alg\":\"ES256\",\"kid\":\"one\"}", "{" GOOD "}")),
                 "its algorithm is not that of its key");
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"three\"}", "{" GOOD "}")),
                 unknown);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"x\"}", "{" GOOD "}")), unknown);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":1}", "{" GOOD "}")), unknown);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"\"}", "{" GOOD "}")), unknown);
    /* Two keys: which one is it? */
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\"}", "{" GOOD "}")), unknown);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"crit\":[\"exp\"]}",
                                 "{" GOOD "}")),
                 "it has critical parameters");
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"logout+jwt\"}",
                                 "{" GOOD "}")),
                 "it is of another type");
}

static void one_key_needs_no_name(void **state)
{
    struct jwks *alone;
    struct failure why;
    struct jwt_claims claims;
    char jwk[1024], text[2048];
    (void)state;
    jwk_of_rsa(rsa, "", jwk, sizeof jwk);
    snprintf(text, sizeof text, "{\"keys\":[%s]}", jwk);
    assert_int_equal(jwks_parse(&alone, "/k", slice_str(text), &why), 0);
    const char *token = make(rsa, "{\"alg\":\"RS256\"}", "{" GOOD "}");
    assert_null(jwt_verify(slice_str(token), alone, &rules, NOW, &claims));
    token = make(rsa, RS256_ONE, "{" GOOD "}");
    assert_wrong(jwt_verify(slice_str(token), alone, &rules, NOW, &claims), "its key is not known");
    jwks_unref(alone);
}

static void claims_that_do_not_fit(void **state)
{
    static const char audience[] = "it is for another audience";
    static const char expiry[] = "it does not say when it expires";
    static const char name[] = "its subject cannot be a name here";
    (void)state;
    assert_wrong(wrong_claims("\"aud\":\"" AUDIENCE "\",\"exp\":1800000060,\"sub\":\"ann\""),
                 "it is of another issuer");
    assert_wrong(wrong_claims("\"iss\":\"https://issuer.example.org\",\"aud\":\"" AUDIENCE
                              "\",\"exp\":1800000060,\"sub\":\"ann\""),
                 "it is of another issuer");
#define WITHOUT_AUDIENCE "\"iss\":\"" ISSUER "\",\"exp\":1800000060,\"sub\":\"ann\""
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE), audience);
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":\"" AUDIENCE "/\""), audience);
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":[]"), audience);
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":[\"" AUDIENCE "\",1]"), audience);
    assert_wrong(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":{\"" AUDIENCE "\":\"" AUDIENCE "\"}"),
                 audience);
    assert_null(wrong_claims(WITHOUT_AUDIENCE ",\"aud\":[\"other\",\"" AUDIENCE "\"]"));
#define WITHOUT_EXPIRY "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"ann\""
    assert_wrong(wrong_claims(WITHOUT_EXPIRY), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":\"1800000060\""), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":null"), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":-1"), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":1e300"), expiry);
    assert_wrong(wrong_claims(WITHOUT_EXPIRY ",\"exp\":1800000000"), "it has expired");
    assert_null(wrong_claims(WITHOUT_EXPIRY ",\"exp\":1800000000.5"));
    assert_null(wrong_claims(GOOD ",\"nbf\":1800000060,\"iat\":1800000060"));
    assert_wrong(wrong_claims(GOOD ",\"nbf\":1800000061"), "it does not count yet");
    assert_wrong(wrong_claims(GOOD ",\"iat\":1800000061"), "it does not count yet");
    assert_wrong(wrong_claims(GOOD ",\"nbf\":\"1\""), "one of its times is no time");
    assert_wrong(wrong_claims(GOOD ",\"iat\":{}"), "one of its times is no time");
#define WITHOUT_SUBJECT "\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"exp\":1800000060"
    assert_wrong(wrong_claims(WITHOUT_SUBJECT), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"\""), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"a b\""), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"a*\""), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"a\\n\""), name);
    assert_wrong(wrong_claims(WITHOUT_SUBJECT ",\"sub\":7"), name);
    assert_null(wrong_claims(WITHOUT_SUBJECT ",\"sub\":\"google|12345-a@b.c\""));
    char longest[256] = WITHOUT_SUBJECT ",\"sub\":\"";
    size_t at = strlen(longest);
    memset(longest + at, 'a', 60);
    strcpy(longest + at + 59, "\"");
    assert_null(wrong_claims(longest));
    strcpy(longest + at + 59, "a\"");
    assert_wrong(wrong_claims(longest), name);
}

static void texts_that_are_no_tokens(void **state)
{
    static const char no[] = "it is no signed token";
    static const char *const texts[] = {"",    ".",     "..",       "...",   "a.b",
                                        "eyJ", "eyJ..", "e30.e30.", "a.b.c", "eyJ.eyJ.eyJ.eyJ"};
    char token[4096];
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_non_null(wrong_with(texts[i]));
    assert_wrong(wrong_with("a.b.c"), no);
    /* Something behind a token, or in front of it. */
    for (const char *more = ". =A,\n"; *more; more++) {
        snprintf(token, sizeof token, "%s%c", make(rsa, RS256_ONE, "{" GOOD "}"), *more);
        assert_non_null(wrong_with(token));
        snprintf(token, sizeof token, "%c%s", *more, make(rsa, RS256_ONE, "{" GOOD "}"));
        assert_non_null(wrong_with(token));
    }
    /* JSON that two readers could take differently. */
    assert_wrong(
        wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"alg\":\"none\"}", "{" GOOD "}")),
        no);
    assert_wrong(wrong_with(make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\",\"\\u0061lg\":\"none\"}",
                                 "{" GOOD "}")),
                 no);
    assert_wrong(wrong_claims(GOOD ",\"sub\":\"root\""), no);
    assert_wrong(wrong_claims(GOOD "}{"), no);
    assert_wrong(wrong_claims(GOOD ","), no);
    assert_wrong(wrong_with(make(rsa, RS256_ONE, "[]")), no);
    assert_wrong(wrong_with(make(rsa, RS256_ONE, "\"x\"")), no);
    assert_wrong(wrong_with(make(rsa, "[]", "{" GOOD "}")), no);
    const char nul[] = "{" GOOD ",\"a\":\"\0\"}";
    assert_wrong(wrong_with(make_with(rsa, RS256_ONE, strlen(RS256_ONE), nul, sizeof nul - 1)), no);
    assert_wrong(wrong_with(make(rsa, RS256_ONE, "{" GOOD ",\"a\":\"\xff\"}")), no);
}

/* Each other spelling of the same bytes is another token, and none. */
static void encodings_that_are_not_canonical(void **state)
{
    char token[4096];
    (void)state;
    /* 29 bytes of header: the last character has two bits that stand for nothing. */
    snprintf(token, sizeof token, "%s",
             make(rsa, "{\"alg\":\"RS256\",\"kid\":\"one\" }", "{" GOOD "}"));
    assert_null(wrong_with(token));
    char *last = strchr(token, '.') - 1;
    size_t header_len = (size_t)(last + 1 - token);
    assert_true(header_len % 4 != 0);
    char kept = *last;
    (*last)++;
    assert_wrong(wrong_with(token), "it is no signed token");
    *last = kept;
    /* The signature of 256 bytes ends with two digits, of the last of which 4 bits count. */
    last = token + strlen(token) - 1;
    kept = *last;
    *last = (char)(kept == 'A' ? 'B' : kept == 'Q' ? 'R' : kept == 'g' ? 'h' : 'x');
    assert_wrong(wrong_with(token), "its signature is wrong");
    *last = kept;
    assert_null(wrong_with(token));
    strcat(token, "==");
    assert_wrong(wrong_with(token), "its signature is wrong");
    /* The other alphabet. */
    snprintf(token, sizeof token, "%s", make(ec, ES256_TWO, "{" GOOD ",\"a\":\">>>>>>>>\"}"));
    assert_null(wrong_with(token));
    for (char *c = token; *c; c++)
        *c = (char)(*c == '-' ? '+' : *c == '_' ? '/' : *c);
    assert_non_null(wrong_with(token));
}

static void signatures_of_other_lengths(void **state)
{
    char token[4096], more[128];
    uint8_t der[80] = {0x30};
    (void)state;
    snprintf(token, sizeof token, "%s", make(ec, ES256_TWO, "{" GOOD "}"));
    char *signature = strrchr(token, '.') + 1;
    /* As DER, all zeros, too short, too long. */
    encode(der, 72, signature);
    assert_wrong(wrong_with(token), "its signature is wrong");
    memset(der, 0, sizeof der);
    encode(der, 64, signature);
    assert_wrong(wrong_with(token), "its signature is wrong");
    encode(der, 63, signature);
    assert_wrong(wrong_with(token), "its signature is wrong");
    snprintf(token, sizeof token, "%s", make(rsa, RS256_ONE, "{" GOOD "}"));
    encode(der, 72, more);
    strcat(token, more);
    assert_wrong(wrong_with(token), "its signature is wrong");
}

static void each_byte_counts(void **state)
{
    char token[4096];
    (void)state;
    snprintf(token, sizeof token, "%s", make(ec, ES256_TWO, "{" GOOD "}"));
    assert_null(wrong_with(token));
    for (char *c = token; *c; c++) {
        char kept = *c;
        *c = (char)(kept == 'A' ? 'B' : 'A');
        assert_non_null(wrong_with(token));
        *c = kept;
    }
    for (size_t len = strlen(token); len-- > 0;) {
        struct jwt_claims claims;
        assert_non_null(jwt_verify(slice_of(token, len), set, &rules, NOW, &claims));
    }
}

static void long_tokens(void **state)
{
    char claims[JWT_LEN_MAX] = GOOD ",\"a\":\"", *at = claims + strlen(claims);
    (void)state;
    memset(at, 'a', 5000);
    strcpy(at + 5000, "\"");
    assert_null(wrong_claims(claims));
    memset(at, 'a', 6500);
    strcpy(at + 6500, "\"");
    assert_wrong(wrong_claims(claims), "it is no signed token");
}

/* RFC 7515, A.3: the signature is right; there is no audience. */
static void the_examples_of_the_standard(void **state)
{
    static const char keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
                               "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                               "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";
    char token[] =
        "eyJhbGciOiJFUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
        "cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
        "Kg6NU1Q";
    const struct jwt_rules joe = {"joe", AUDIENCE};
    struct jwks *k;
    struct failure why;
    struct jwt_claims claims;
    (void)state;
    assert_int_equal(jwks_parse(&k, "/k", slice_str(keys), &why), 0);
    assert_wrong(jwt_verify(slice_str(token), k, &joe, 1300819379, &claims),
                 "it is for another audience");
    token[sizeof token - 10] = 'A';
    assert_wrong(jwt_verify(slice_str(token), k, &joe, 1300819379, &claims),
                 "its signature is wrong");
    jwks_unref(k);
}

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
        cmocka_unit_test(what_counts),
        cmocka_unit_test(the_role),
        cmocka_unit_test(other_algorithms),
        cmocka_unit_test(confused_algorithms),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(one_key_needs_no_name),
        cmocka_unit_test(claims_that_do_not_fit),
        cmocka_unit_test(texts_that_are_no_tokens),
        cmocka_unit_test(encodings_that_are_not_canonical),
        cmocka_unit_test(signatures_of_other_lengths),
        cmocka_unit_test(each_byte_counts),
        cmocka_unit_test(long_tokens),
        cmocka_unit_test(the_examples_of_the_standard),
        cmocka_unit_test(sets_that_are_refused),
        cmocka_unit_test(sizes_of_rsa),
        cmocka_unit_test(what_is_kept),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
