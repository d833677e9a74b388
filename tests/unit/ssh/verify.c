/* See verify.h. The blob is taken apart here again, so that a blob that is written wrongly does not
 * verify either. */
#include "verify.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

struct reader {
    struct slice rest;
    bool bad;
};

static struct slice next(struct reader *r)
{
    const uint8_t *at = r->rest.data;
    size_t len = r->rest.len < 4
                     ? SIZE_MAX
                     : (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    if (len > r->rest.len - (r->rest.len < 4 ? 0 : 4) || r->rest.len < 4) {
        r->bad = true;
        return (struct slice){0};
    }
    r->rest = slice_skip(r->rest, 4 + len);
    return slice_of(at + 4, len);
}

static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!parameters || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(parameters);
    return pkey;
}

static EVP_PKEY *read_ecdsa(struct reader *r, struct slice type)
{
    static const char *const groups[][2] = {
        {"nistp256", "P-256"}, {"nistp384", "P-384"}, {"nistp521", "P-521"}};
    struct slice curve = next(r), point = next(r);
    EVP_PKEY *pkey = NULL;
    if (r->bad || type.len < 8 || !slice_equal(slice_skip(type, type.len - 8), curve))
        return NULL;
    for (size_t i = 0; i < 3; i++) {
        OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        if (slice_is(curve, groups[i][0]) &&
            OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, groups[i][1], 0) &&
            OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len))
            pkey = from_parameters("EC", build);
        OSSL_PARAM_BLD_free(build);
    }
    return pkey;
}

static EVP_PKEY *read_rsa(struct reader *r)
{
    struct slice e = next(r), n = next(r);
    BIGNUM *big_e = BN_bin2bn(e.data, (int)e.len, NULL),
           *big_n = BN_bin2bn(n.data, (int)n.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    /* Positive numbers, and as long as they need to be (RFC 4251, 5). */
    bool good = e.len && n.len && !(e.data[0] & 0x80) && !(n.data[0] & 0x80) &&
                (size_t)BN_num_bits(big_n) / 8 + 1 == n.len &&
                (size_t)BN_num_bits(big_e) / 8 + 1 == e.len;
    if (good && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, big_n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, big_e))
        pkey = from_parameters("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(big_e);
    BN_free(big_n);
    return pkey;
}

static EVP_PKEY *read_blob(struct slice blob)
{
    struct reader r = {blob, false};
    struct slice type = next(&r);
    EVP_PKEY *pkey = NULL;
    if (slice_is(type, "ssh-ed25519")) {
        struct slice key = next(&r);
        pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key.data, key.len);
    } else if (slice_is(type, "ssh-rsa")) {
        pkey = read_rsa(&r);
    } else {
        pkey = read_ecdsa(&r, type);
    }
    if (!r.bad && r.rest.len == 0)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

/* mpint r, mpint s to DER (to be freed with OPENSSL_free). */
static int to_der(struct slice bytes, uint8_t **der)
{
    struct reader r = {bytes, false};
    struct slice first = next(&r), second = next(&r);
    if (r.bad || r.rest.len || !first.len || !second.len || first.data[0] & 0x80 ||
        second.data[0] & 0x80)
        return -1;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(first.data, (int)first.len, NULL),
                   BN_bin2bn(second.data, (int)second.len, NULL));
    int len = i2d_ECDSA_SIG(signature, der);
    ECDSA_SIG_free(signature);
    return len;
}

static const char *digest_of(const char *algorithm)
{
    static const char *const digests[][2] = {
        {"ecdsa-sha2-nistp256", "SHA256"}, {"ecdsa-sha2-nistp384", "SHA384"},
        {"ecdsa-sha2-nistp521", "SHA512"}, {"rsa-sha2-256", "SHA256"},
        {"rsa-sha2-512", "SHA512"},
    };
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
        if (strcmp(digests[i][0], algorithm) == 0)
            return digests[i][1];
    return NULL;
}

bool verify_signature(struct slice blob, const char *algorithm, struct slice data,
                      struct slice signature)
{
    struct reader r = {signature, false};
    struct slice format = next(&r), bytes = next(&r);
    uint8_t *der = NULL;
    if (r.bad || r.rest.len || !slice_is(format, algorithm))
        return false;
    if (strncmp(algorithm, "ecdsa", 5) == 0) {
        int len = to_der(bytes, &der);
        bytes = slice_of(der, len > 0 ? (size_t)len : 0);
    }
    EVP_PKEY *pkey = read_blob(blob);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        pkey && ctx && bytes.len &&
        EVP_DigestVerifyInit_ex(ctx, NULL, digest_of(algorithm), NULL, NULL, pkey, NULL) == 1 &&
        EVP_DigestVerify(ctx, bytes.data, bytes.len, data.data, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    OPENSSL_free(der);
    return good;
}
