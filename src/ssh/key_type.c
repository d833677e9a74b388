/* From a libcrypto key to ours: its type, its public blob, and the proof that it is whole.
 *
 * The blob is written from the key's public numbers, never taken from the file, so a caller that
 * compares it with the file's has compared everything. The proof is a signature that must verify
 * under the public half: it holds for every type and finds what arithmetic on single fields would
 * not (an RSA factor that is no prime, a secret that belongs to another point). */
#include "key_private.h"
#include "wire.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdlib.h>

static const struct key_type types[] = {
    {"ssh-ed25519", KEY_ED25519, NULL, NULL, NULL, 0},
    {"ecdsa-sha2-nistp256", KEY_ECDSA, "SHA256", "nistp256", "prime256v1", 32},
    {"ecdsa-sha2-nistp384", KEY_ECDSA, "SHA384", "nistp384", "secp384r1", 48},
    {"ecdsa-sha2-nistp521", KEY_ECDSA, "SHA512", "nistp521", "secp521r1", 66},
    {"ssh-rsa", KEY_RSA, NULL, NULL, NULL, 0},
};

#define TYPE_COUNT   (sizeof types / sizeof types[0])
#define ED25519_SIZE 32

const struct key_type *key_type_find(struct slice name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (slice_is(name, types[i].name))
            return &types[i];
    return NULL;
}

static const struct key_type *type_of(EVP_PKEY *pkey)
{
    char group[32] = "";
    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return &types[0];
    if (EVP_PKEY_is_a(pkey, "RSA"))
        return key_type_find(slice_str("ssh-rsa"));
    if (!EVP_PKEY_is_a(pkey, "EC") ||
        !EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                        NULL))
        return NULL;
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (types[i].group && strcmp(types[i].group, group) == 0)
            return &types[i];
    return NULL;
}

/* ---- the blob ---- */

static BIGNUM *number(EVP_PKEY *pkey, const char *name)
{
    BIGNUM *n = NULL;
    return EVP_PKEY_get_bn_param(pkey, name, &n) ? n : NULL;
}

static uint8_t *put_ed25519(uint8_t *at, EVP_PKEY *pkey)
{
    size_t len = ED25519_SIZE;
    at = wire_put_u32(at, ED25519_SIZE);
    return EVP_PKEY_get_raw_public_key(pkey, at, &len) == 1 ? at + len : NULL;
}

/* The curve, and the point in its uncompressed form (SEC 1, 2.3.3), however the file had it. */
static uint8_t *put_ecdsa(uint8_t *at, EVP_PKEY *pkey, const struct key_type *type)
{
    int size = (int)type->coordinate_size;
    BIGNUM *x = number(pkey, OSSL_PKEY_PARAM_EC_PUB_X), *y = number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
    at = wire_put_string(at, slice_str(type->curve));
    at = wire_put_u32(at, 2 * type->coordinate_size + 1);
    *at++ = 4;
    bool good =
        x && y && BN_bn2binpad(x, at, size) == size && BN_bn2binpad(y, at + size, size) == size;
    BN_free(x);
    BN_free(y);
    return good ? at + 2 * size : NULL;
}

static uint8_t *put_mpint(uint8_t *at, const BIGNUM *n)
{
    size_t len = (size_t)BN_num_bits(n) / 8 + 1; /* with the bit that says it is positive */
    at = wire_put_u32(at, (uint32_t)len);
    return BN_bn2binpad(n, at, (int)len) == (int)len ? at + len : NULL;
}

static uint8_t *put_rsa(uint8_t *at, EVP_PKEY *pkey)
{
    BIGNUM *n = number(pkey, OSSL_PKEY_PARAM_RSA_N), *e = number(pkey, OSSL_PKEY_PARAM_RSA_E);
    if (!n || !e || BN_num_bits(n) > KEY_RSA_BITS_MAX || BN_num_bits(e) > KEY_RSA_EXPONENT_BITS)
        at = NULL;
    if (at)
        at = put_mpint(at, e);
    if (at)
        at = put_mpint(at, n);
    BN_free(n);
    BN_free(e);
    return at;
}

static bool write_blob(struct ssh_key *k)
{
    uint8_t *at = wire_put_string(k->blob, slice_str(k->type->name));
    switch (k->type->family) {
    case KEY_ED25519:
        at = put_ed25519(at, k->pkey);
        break;
    case KEY_ECDSA:
        at = put_ecdsa(at, k->pkey, k->type);
        break;
    case KEY_RSA:
        at = put_rsa(at, k->pkey);
        break;
    }
    k->blob_len = at ? (uint32_t)(at - k->blob) : 0;
    return at != NULL;
}

/* ---- the proof ---- */

/* An Ed25519 public half is derived from the secret whenever libcrypto makes such a key. */
static bool halves_agree(const struct ssh_key *k)
{
    if (k->type->family == KEY_ED25519)
        return true;
    static const uint8_t message[] = "the halves of a key";
    const char *digest = k->type->family == KEY_RSA ? "SHA256" : k->type->digest;
    uint8_t raw[KEY_RAW_MAX];
    size_t len = sizeof raw;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx &&
                key_sign_raw(k->pkey, digest, slice_of(message, sizeof message), raw, &len) &&
                EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, k->pkey, NULL) == 1 &&
                EVP_DigestVerify(ctx, raw, len, message, sizeof message) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

/* libcrypto knows a curve's order, which a secret must be below. */
static bool in_range(const struct ssh_key *k)
{
    if (k->type->family != KEY_ECDSA)
        return true;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
    bool good = ctx && EVP_PKEY_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static int refuse_size(const struct key_file *f, int bits)
{
    return failure_set(f->why, SCOUT_E_KEY,
                       "The key file %s holds an RSA key of %d bits, and %d to %d are taken: make "
                       "a new key (ssh-keygen -t ed25519) and name that",
                       f->name, bits, KEY_RSA_BITS_MIN, KEY_RSA_BITS_MAX);
}

static int fill(struct ssh_key *k, const struct key_file *f)
{
    k->type = type_of(k->pkey);
    if (!k->type)
        return key_refuse_type(f, slice_str(EVP_PKEY_is_a(k->pkey, "DSA") ? "ssh-dss" : ""));
    int bits = EVP_PKEY_get_bits(k->pkey);
    if (k->type->family == KEY_RSA && (bits < KEY_RSA_BITS_MIN || bits > KEY_RSA_BITS_MAX))
        return refuse_size(f, bits);
    if (!write_blob(k))
        return key_refuse_damaged(f, "its public key cannot be used");
    if (!in_range(k) || !halves_agree(k))
        return key_refuse_damaged(f, "its public and private halves do not belong together");
    return 0;
}

int key_wrap(struct ssh_key **out, EVP_PKEY *pkey, const struct key_file *f)
{
    struct ssh_key *k = calloc(1, sizeof *k);
    if (!k) {
        EVP_PKEY_free(pkey);
        return key_refuse_memory(f);
    }
    k->pkey = pkey;
    k->refs = 1;
    int error = fill(k, f);
    if (error)
        ssh_key_free(k);
    else
        *out = k;
    return error;
}
