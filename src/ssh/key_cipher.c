/* The ciphers of encrypted OpenSSH key files: one table, and bcrypt_pbkdf in front of it, which
 * gives the cipher's key and initial vector at once (PROTOCOL.key, section 2).
 *
 * Modes with a tag (AES-GCM, RFC 5647; OpenSSH's ChaCha20-Poly1305, its
 * PROTOCOL.chacha20poly1305 with sequence number 0 and no length field) cannot tell a wrong
 * passphrase from damage: the refusal then says both. The rounds are capped, since the file's
 * author decides how long the derivation runs. */
#include "key_cipher.h"

#include "bcrypt_pbkdf.h"
#include "wire.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#define KEYS_MAX   80 /* of key and initial vector */
#define CHACHA_KEY 32
#define CHACHA_IV  16
#define TAG_SIZE   16
#define CTR_AND_CBC(bits)                                                                          \
    {"aes" #bits "-ctr", "AES-" #bits "-CTR", KEY_PLAIN_CIPHER, bits / 8, 16, 16, 0},              \
    {                                                                                              \
        "aes" #bits "-cbc", "AES-" #bits "-CBC", KEY_PLAIN_CIPHER, bits / 8, 16, 16, 0             \
    }

static const struct key_cipher ciphers[] = {
    {"none", NULL, KEY_CLEAR, 0, 0, 8, 0},
    CTR_AND_CBC(256),
    CTR_AND_CBC(192),
    CTR_AND_CBC(128),
    {"aes256-gcm@openssh.com", "AES-256-GCM", KEY_GCM, 32, 12, 16, TAG_SIZE},
    {"aes128-gcm@openssh.com", "AES-128-GCM", KEY_GCM, 16, 12, 16, TAG_SIZE},
    {"chacha20-poly1305@openssh.com", "ChaCha20", KEY_CHACHA, 2 * CHACHA_KEY, 0, 8, TAG_SIZE},
    {"3des-cbc", "DES-EDE3-CBC", KEY_PLAIN_CIPHER, 24, 8, 8, 0},
};

const struct key_cipher *key_cipher_find(struct slice name)
{
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++)
        if (slice_is(name, ciphers[i].name))
            return &ciphers[i];
    return NULL;
}

int key_cipher_check(const struct key_cipher *c, struct slice kdf, struct slice options,
                     const struct key_file *f)
{
    if (c->mode == KEY_CLEAR)
        return slice_is(kdf, "none") && options.len == 0
                   ? 0
                   : key_refuse_damaged(f, "it has a key derivation without a cipher");
    if (!slice_is(kdf, "bcrypt"))
        return key_refuse_damaged(f, "its key derivation is not known");
    struct wire w = wire_of(options);
    struct slice salt = wire_string(&w);
    uint32_t rounds = wire_u32(&w);
    if (!wire_done(&w) || salt.len == 0 || salt.len > BCRYPT_SALT_MAX || rounds == 0)
        return key_refuse_damaged(f, "its key derivation's options cannot be read");
    if (rounds > KEY_ROUNDS_MAX)
        return failure_set(f->why, SCOUT_E_KEY,
                           "The key file %s was encrypted with %u rounds of bcrypt, and %d are "
                           "taken at most: encrypt it anew with ssh-keygen -p -a 64 -f FILE",
                           f->name, rounds, KEY_ROUNDS_MAX);
    return 0;
}

/* ---- decrypting; each returns whether it went well, which includes the tag ---- */

static bool open_evp(const struct key_cipher *c, const uint8_t *keys, struct slice in,
                     struct slice tag, uint8_t *out)
{
    int len = 0, last = 0;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, c->evp_name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good = cipher && ctx &&
                EVP_DecryptInit_ex2(ctx, cipher, keys, keys + c->key_size, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(ctx, 0) == 1;
    if (good && c->mode == KEY_GCM)
        good = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)tag.len, (void *)tag.data) == 1;
    good = good && EVP_DecryptUpdate(ctx, out, &len, in.data, (int)in.len) == 1 &&
           EVP_DecryptFinal_ex(ctx, out + len, &last) == 1 && (size_t)(len + last) == in.len;
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return good;
}

static bool poly1305(const uint8_t key[CHACHA_KEY], struct slice in, uint8_t tag[TAG_SIZE])
{
    size_t len = 0;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    bool good = ctx && EVP_MAC_init(ctx, key, CHACHA_KEY, NULL) == 1 &&
                EVP_MAC_update(ctx, in.data, in.len) == 1 &&
                EVP_MAC_final(ctx, tag, &len, TAG_SIZE) == 1;
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return good;
}

/* The tag's key is the stream's first block, the text begins with its second. */
static bool open_chacha(const struct key_cipher *c, const uint8_t *keys, struct slice in,
                        struct slice tag, uint8_t *out)
{
    /* libcrypto's initial vector: the block's number, little-endian, then the nonce. */
    uint8_t one[CHACHA_IV] = {1}, zeros[CHACHA_KEY] = {0}, tag_key[CHACHA_KEY], made[TAG_SIZE];
    const struct key_cipher stream = {NULL, c->evp_name, KEY_PLAIN_CIPHER, CHACHA_KEY, 0, 1, 0};
    uint8_t stream_keys[CHACHA_KEY + CHACHA_IV] = {0};
    memcpy(stream_keys, keys, CHACHA_KEY);
    bool good = open_evp(&stream, stream_keys, slice_of(zeros, sizeof zeros), tag, tag_key) &&
                poly1305(tag_key, in, made) && CRYPTO_memcmp(made, tag.data, TAG_SIZE) == 0;
    memcpy(stream_keys + CHACHA_KEY, one, CHACHA_IV);
    good = good && open_evp(&stream, stream_keys, in, tag, out);
    OPENSSL_cleanse(stream_keys, sizeof stream_keys);
    OPENSSL_cleanse(tag_key, sizeof tag_key);
    return good;
}

int key_cipher_open(const struct key_cipher *c, struct slice options, struct slice passphrase,
                    struct slice section, struct slice tag, uint8_t *out, const struct key_file *f)
{
    uint8_t keys[KEYS_MAX];
    struct wire w = wire_of(options);
    struct slice salt = wire_string(&w);
    if (bcrypt_pbkdf(passphrase, salt, wire_u32(&w), keys, c->key_size + c->iv_size) != 0)
        return key_refuse_memory(f);
    bool good = c->mode == KEY_CHACHA ? open_chacha(c, keys, section, tag, out)
                                      : open_evp(c, keys, section, tag, out);
    OPENSSL_cleanse(keys, sizeof keys);
    if (good)
        return 0;
    return failure_set(f->why, SCOUT_E_KEY,
                       "The passphrase is not that of the key file %s, or the file is damaged",
                       f->name);
}
