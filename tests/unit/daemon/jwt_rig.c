#include "jwt_rig.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

const struct jwt_rules rules = {ISSUER, AUDIENCE};
EVP_PKEY *rsa, *ec, *stranger;
char set_text[4096];
struct jwks *set;

size_t encode(const void *bytes, size_t len, char *out)
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

size_t sign(EVP_PKEY *key, const char *text, uint8_t out[1024])
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

const char *make_with(EVP_PKEY *key, const void *header, size_t header_len, const void *claims,
                      size_t claims_len)
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

const char *make(EVP_PKEY *key, const char *header, const char *claims)
{
    return make_with(key, header, strlen(header), claims, strlen(claims));
}

const char *verify_at(const char *token, uint64_t now_s, struct jwt_claims *out)
{
    return jwt_verify(slice_str(token), set, &rules, now_s, out);
}

const char *wrong_with(const char *token)
{
    struct jwt_claims claims;
    return verify_at(token, NOW, &claims);
}

const char *wrong_claims(const char *claims)
{
    char text[9000];
    snprintf(text, sizeof text, "{%s}", claims);
    return wrong_with(make(rsa, RS256_ONE, text));
}

void assert_wrong(const char *found, const char *expected)
{
    assert_non_null(found);
    assert_string_equal(found, expected);
}

void jwk_of_rsa(EVP_PKEY *key, const char *more, char *out, size_t size)
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

void jwk_of_ec(EVP_PKEY *key, const char *more, char *out, size_t size)
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

int set_up(void **state)
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

int tear_down(void **state)
{
    (void)state;
    jwks_unref(set);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(stranger);
    return 0;
}
