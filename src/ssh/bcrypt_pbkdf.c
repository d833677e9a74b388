/* bcrypt_pbkdf (OpenBSD's): PBKDF2 (RFC 8018, 5.2) with bcrypt over SHA-512 digests as its
 * pseudo-random function, and with the output bytes dealt out in turn, so that nobody who needs
 * only a part of the key has less to compute.
 *
 *   hash(p, s)  Blowfish keyed by p and s (64 further expansions with each), then the 32 bytes
 *               "OxychromaticBlowfishSwatDynamite" encrypted 64 times
 *   block n     xor of `rounds` hashes of SHA-512(passphrase) with SHA-512(salt, n), then with the
 *               SHA-512 of the hash before
 *
 * Blowfish's initial state does not depend on the secret and is made once per call. All that does
 * depend on it is wiped. */
#include "bcrypt_pbkdf.h"

#include "bcrypt_blowfish.h"
#include "scout/base/error.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define HASH_LEN      32
#define HASH_EXPANDS  64
#define HASH_ENCRYPTS 64
#define SHA512_LEN    BLOWFISH_KEY_LEN

/* What a derivation works with; wiped at its end. */
struct work {
    struct blowfish initial, state;
    uint8_t passphrase[SHA512_LEN], salt[SHA512_LEN];
    uint8_t hash[HASH_LEN], sum[HASH_LEN];
    uint8_t counted[BCRYPT_SALT_MAX + 4]; /* the salt and the block's number */
};

static bool sha512(const void *data, size_t len, uint8_t out[SHA512_LEN])
{
    return EVP_Digest(data, len, out, NULL, EVP_sha512(), NULL) == 1;
}

/* hash(passphrase, salt) into w->hash. */
static void bcrypt_hash(struct work *w)
{
    static const char text[] = "OxychromaticBlowfishSwatDynamite";
    uint32_t words[HASH_LEN / 4];
    w->state = w->initial;
    blowfish_expand_salted(&w->state, w->salt, w->passphrase);
    for (int i = 0; i < HASH_EXPANDS; i++) {
        blowfish_expand(&w->state, w->salt);
        blowfish_expand(&w->state, w->passphrase);
    }
    for (int i = 0; i < HASH_LEN / 4; i++) {
        const uint8_t *at = (const uint8_t *)text + 4 * i;
        words[i] =
            (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
    }
    for (int i = 0; i < HASH_ENCRYPTS; i++)
        for (int j = 0; j < HASH_LEN / 4; j += 2)
            blowfish_encrypt(&w->state, words + j);
    for (int i = 0; i < HASH_LEN; i++) /* little-endian, unlike all the rest */
        w->hash[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    OPENSSL_cleanse(words, sizeof words);
}

/* Block `number` into w->sum. */
static bool derive_block(struct work *w, size_t salt_len, uint32_t number, uint32_t rounds)
{
    for (int i = 0; i < 4; i++)
        w->counted[salt_len + (size_t)i] = (uint8_t)(number >> (24 - 8 * i));
    if (!sha512(w->counted, salt_len + 4, w->salt))
        return false;
    bcrypt_hash(w);
    memcpy(w->sum, w->hash, HASH_LEN);
    for (uint32_t round = 1; round < rounds; round++) {
        if (!sha512(w->hash, HASH_LEN, w->salt))
            return false;
        bcrypt_hash(w);
        for (int i = 0; i < HASH_LEN; i++)
            w->sum[i] ^= w->hash[i];
    }
    return true;
}

static int derive(struct work *w, size_t salt_len, uint32_t rounds, uint8_t *out, size_t out_len)
{
    size_t block_count = (out_len + HASH_LEN - 1) / HASH_LEN;
    if (blowfish_init(&w->initial) != 0)
        return SCOUT_E_NOMEM;
    for (size_t block = 0; block < block_count; block++) {
        if (!derive_block(w, salt_len, (uint32_t)block + 1, rounds))
            return SCOUT_E_NOMEM;
        for (size_t i = 0; i * block_count + block < out_len; i++)
            out[i * block_count + block] = w->sum[i];
    }
    return 0;
}

int bcrypt_pbkdf(struct slice passphrase, struct slice salt, uint32_t rounds, uint8_t *out,
                 size_t out_len)
{
    if (passphrase.len == 0 || salt.len == 0 || salt.len > BCRYPT_SALT_MAX || rounds == 0 ||
        out_len == 0 || out_len > BCRYPT_KEY_MAX)
        return SCOUT_E_INVALID_ARGUMENT;
    struct work *w = calloc(1, sizeof *w);
    if (!w)
        return SCOUT_E_NOMEM;
    memcpy(w->counted, salt.data, salt.len);
    int error = sha512(passphrase.data, passphrase.len, w->passphrase)
                    ? derive(w, salt.len, rounds, out, out_len)
                    : SCOUT_E_NOMEM;
    OPENSSL_cleanse(w, sizeof *w);
    free(w);
    return error;
}
