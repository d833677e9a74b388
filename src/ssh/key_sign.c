/* Signatures as SSH encodes them: string format, string bytes (RFC 4253, 6.6; RFC 8709 for Ed25519;
 * RFC 5656, 3.1.2 for ECDSA, whose bytes are mpint r, mpint s; RFC 8332 for RSA, where the format
 * names the digest and SHA-1 is not spoken). libcrypto does the arithmetic. */
#include "key_private.h"
#include "wire.h"
#include <openssl/ec.h>

/* The digest that `algorithm` asks for, NULL for Ed25519. False: it is not one of the key's. */
static bool find_digest(const struct key_type *type, struct slice algorithm, const char **digest)
{
    *digest = type->digest;
    if (type->family != KEY_RSA)
        return slice_is(algorithm, type->name);
    *digest = slice_is(algorithm, "rsa-sha2-256") ? "SHA256" : "SHA512";
    return slice_is(algorithm, "rsa-sha2-256") || slice_is(algorithm, "rsa-sha2-512");
}

bool key_sign_raw(EVP_PKEY *pkey, const char *digest, struct slice data, uint8_t *raw, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, pkey, NULL) == 1 &&
                EVP_DigestSign(ctx, raw, len, data.data, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static uint8_t *put_mpint(uint8_t *at, const BIGNUM *n)
{
    size_t len = (size_t)BN_num_bytes(n);
    bool zero_first = len > 0 && BN_num_bits(n) % 8 == 0; /* else it would read as negative */
    at = wire_put_u32(at, (uint32_t)(len + zero_first));
    if (zero_first)
        *at++ = 0;
    return at + BN_bn2bin(n, at);
}

/* libcrypto's DER to mpint r, mpint s, in the same memory. */
static bool recode_ecdsa(uint8_t *raw, size_t *len)
{
    const uint8_t *der = raw;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)*len);
    if (!signature)
        return false;
    uint8_t *at = put_mpint(raw, ECDSA_SIG_get0_r(signature));
    at = put_mpint(at, ECDSA_SIG_get0_s(signature));
    *len = (size_t)(at - raw);
    ECDSA_SIG_free(signature);
    return true;
}

int ssh_key_sign(const struct ssh_key *k, struct slice algorithm, struct slice data,
                 struct buf *out)
{
    uint8_t raw[KEY_RAW_MAX];
    size_t len = sizeof raw;
    const char *digest;
    if (!find_digest(k->type, algorithm, &digest) ||
        !key_sign_raw(k->pkey, digest, data, raw, &len) ||
        (k->type->family == KEY_ECDSA && !recode_ecdsa(raw, &len)))
        return SCOUT_E_KEY;
    uint8_t *at = buf_reserve(out, 8 + algorithm.len + len);
    if (!at)
        return SCOUT_E_NOMEM;
    at = wire_put_string(at, algorithm);
    wire_put_string(at, slice_of(raw, len));
    buf_commit(out, 8 + algorithm.len + len);
    return 0;
}
