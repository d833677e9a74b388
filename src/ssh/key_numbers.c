/* The private section's fields, by type, as OpenSSH writes them (sshkey.c's order, which is the
 * agent protocol's, draft-ietf-sshm-ssh-agent, 3.2):
 *
 *   Ed25519  string public key, string seed and public key
 *   ECDSA    string curve, string point, mpint secret
 *   RSA      mpint n, e, d, q^-1 mod p, p, q
 *
 * Each is taken in one spelling only (a number without leading zeros, a point uncompressed), and
 * what is said twice must agree. RSA's numbers are checked against each other, because libcrypto
 * would take wrong ones and correct them silently; that the factors are primes is not checked here,
 * which costs seconds with a large key: key_wrap's proof finds it. Secrets are in numbers of
 * libcrypto's secure heap, wiped when freed. */
#include "key_numbers.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#define ED25519_SIZE 32

static int refuse_parts(const struct key_file *f)
{
    return key_refuse_damaged(f, "its private part cannot be read");
}

static int refuse_pair(const struct key_file *f)
{
    return key_refuse_damaged(f, "its public and private halves do not belong together");
}

static int read_ed25519(EVP_PKEY **out, struct wire *w, const struct key_file *f)
{
    uint8_t derived[ED25519_SIZE];
    size_t len = sizeof derived;
    struct slice public_key = wire_string(w), secret = wire_string(w);
    if (w->bad)
        return refuse_parts(f);
    if (public_key.len != ED25519_SIZE || secret.len != 2 * ED25519_SIZE)
        return key_refuse_damaged(f, "its parts have the wrong length");
    if (!slice_equal(slice_skip(secret, ED25519_SIZE), public_key))
        return refuse_pair(f);
    *out = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret.data, ED25519_SIZE);
    if (!*out || !EVP_PKEY_get_raw_public_key(*out, derived, &len))
        return failure_set(f->why, SCOUT_E_KEY,
                           "The key file %s cannot be used: libcrypto refuses its Ed25519 key",
                           f->name);
    return slice_equal(public_key, slice_of(derived, sizeof derived)) ? 0 : refuse_pair(f);
}

/* An mpint (RFC 4251, 5) that is positive and in its one spelling. NULL otherwise; also without
 * memory, which then reads as damage: no harm, it can be tried again. */
static BIGNUM *read_mpint(struct wire *w, BIGNUM *out)
{
    struct slice bytes = wire_string(w);
    if (bytes.len == 0 || bytes.len > KEY_RSA_BITS_MAX / 8 + 1 || bytes.data[0] & 0x80 ||
        (bytes.data[0] == 0 && (bytes.len == 1 || !(bytes.data[1] & 0x80))))
        w->bad = true;
    if (w->bad || !out || !BN_bin2bn(bytes.data, (int)bytes.len, out)) {
        w->bad = true;
        return NULL;
    }
    return out;
}

/* Makes the key of `parameters`, which are freed. NULL when libcrypto refuses them. */
static EVP_PKEY *make(const char *type, OSSL_PARAM *parameters)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!ctx || !parameters || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, parameters) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(parameters);
    return pkey;
}

/* ---- ECDSA ---- */

static EVP_PKEY *make_ecdsa(const struct key_type *type, struct slice point, const BIGNUM *secret)
{
    OSSL_PARAM *parameters = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (build &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, type->group, 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret))
        parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *pkey = make("EC", parameters);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static int read_ecdsa(EVP_PKEY **out, const struct key_type *type, struct wire *w,
                      const struct key_file *f)
{
    struct slice curve = wire_string(w), point = wire_string(w);
    BIGNUM *secret = BN_secure_new();
    read_mpint(w, secret);
    bool good = !w->bad && slice_is(curve, type->curve) &&
                point.len == 2 * (size_t)type->coordinate_size + 1 && point.data[0] == 4;
    if (good)
        *out = make_ecdsa(type, point, secret);
    BN_clear_free(secret);
    return !good ? refuse_parts(f) : *out ? 0 : refuse_pair(f);
}

/* ---- RSA ---- */

/* In the file's order, then what libcrypto wants besides. */
enum rsa_number { N, E, D, INVERSE, P, Q, RSA_READ, D_P = RSA_READ, D_Q, RSA_COUNT };

static const char *const rsa_names[RSA_COUNT] = {
    [N] = OSSL_PKEY_PARAM_RSA_N,           [E] = OSSL_PKEY_PARAM_RSA_E,
    [D] = OSSL_PKEY_PARAM_RSA_D,           [INVERSE] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    [P] = OSSL_PKEY_PARAM_RSA_FACTOR1,     [Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
    [D_P] = OSSL_PKEY_PARAM_RSA_EXPONENT1, [D_Q] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
};

/* exponent = d mod (factor - 1), and whether e is its inverse there. */
static bool reduce(BIGNUM *const *n, enum rsa_number factor, enum rsa_number exponent, BN_CTX *ctx)
{
    BN_CTX_start(ctx);
    BIGNUM *less = BN_CTX_get(ctx), *product = BN_CTX_get(ctx);
    bool good = product && BN_sub(less, n[factor], BN_value_one()) && !BN_is_zero(less) &&
                BN_mod(n[exponent], n[D], less, ctx) &&
                BN_mod_mul(product, n[exponent], n[E], less, ctx) && BN_is_one(product);
    BN_CTX_end(ctx);
    return good;
}

static bool rsa_agrees(BIGNUM *const *n, BN_CTX *ctx)
{
    BN_CTX_start(ctx);
    BIGNUM *product = BN_CTX_get(ctx);
    bool good = product && BN_mul(product, n[P], n[Q], ctx) && BN_cmp(product, n[N]) == 0 &&
                BN_cmp(n[D], n[N]) < 0 && BN_cmp(n[INVERSE], n[P]) < 0 &&
                BN_mod_mul(product, n[INVERSE], n[Q], n[P], ctx) && BN_is_one(product) &&
                reduce(n, P, D_P, ctx) && reduce(n, Q, D_Q, ctx);
    BN_CTX_end(ctx);
    return good;
}

static EVP_PKEY *make_rsa(BIGNUM *const *n)
{
    OSSL_PARAM *parameters = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    bool good = build != NULL;
    for (int i = 0; i < RSA_COUNT && good; i++)
        good = OSSL_PARAM_BLD_push_BN(build, rsa_names[i], n[i]);
    if (good)
        parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *pkey = make("RSA", parameters);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static int read_rsa(EVP_PKEY **out, struct wire *w, const struct key_file *f)
{
    BIGNUM *n[RSA_COUNT];
    BN_CTX *ctx = BN_CTX_secure_new();
    for (int i = 0; i < RSA_COUNT; i++) {
        n[i] = i == N || i == E ? BN_new() : BN_secure_new();
        if (i < RSA_READ)
            read_mpint(w, n[i]);
        w->bad = w->bad || !n[i];
    }
    bool read = !w->bad && ctx && BN_num_bits(n[E]) <= KEY_RSA_EXPONENT_BITS;
    if (read && rsa_agrees(n, ctx))
        *out = make_rsa(n);
    for (int i = 0; i < RSA_COUNT; i++)
        BN_clear_free(n[i]);
    BN_CTX_free(ctx);
    return !read ? refuse_parts(f) : *out ? 0 : refuse_pair(f);
}

int key_numbers_read(EVP_PKEY **out, const struct key_type *type, struct wire *w,
                     const struct key_file *f)
{
    int error = 0;
    *out = NULL;
    switch (type->family) {
    case KEY_ED25519:
        error = read_ed25519(out, w, f);
        break;
    case KEY_ECDSA:
        error = read_ecdsa(out, type, w, f);
        break;
    case KEY_RSA:
        error = read_rsa(out, w, f);
        break;
    }
    if (error) {
        EVP_PKEY_free(*out);
        *out = NULL;
    }
    return error;
}
