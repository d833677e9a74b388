/* An Ed25519 private key from the text of OpenSSH's own key file.
 *
 * The file is an armour around base64 around openssh-key-v1 (OpenSSH's PROTOCOL.key): cipher, KDF,
 * the public keys, and the private section, which says everything again next to the secret. All of
 * it must agree: a public half that does not belong to the secret would make signatures that leak
 * it. What a person may have named by mistake (a public key, another format, another type, an
 * encrypted key) is recognised and answered with what to do.
 *
 * The secret is in two places only: the decoded file, wiped before ssh_key_parse returns, and
 * libcrypto's key object, which wipes itself. The caller wipes the text. */
#include "scout/ssh/key.h"

#include "base64.h"
#include "key_kind.h"
#include "wire.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define KEY_TEXT_MAX  65536
#define KEY_PART_SIZE 32 /* seed and public key (RFC 8032) */
#define KEY_BLOB_SIZE 51 /* string "ssh-ed25519", string public key */
#define KEY_PADDING   8  /* the private section's length is a multiple of it without a cipher */

static const char magic[] = "openssh-key-v1"; /* its NUL counts */
static const char key_type[] = "ssh-ed25519";

struct ssh_key {
    EVP_PKEY *pkey;
    uint8_t blob[KEY_BLOB_SIZE];
};

static int refuse_malformed(const char *name, const char *what, struct failure *why)
{
    return failure_set(why, SCOUT_E_KEY,
                       "The key file %s is damaged: %s. Restore it, or make a new key with "
                       "ssh-keygen -t ed25519",
                       name, what);
}

/* The outer part, up to the private section. 0 or SCOUT_E_KEY. */
static int parse_outer(struct wire *w, const char *name, struct slice *public_blob,
                       struct slice *private_part, struct failure *why)
{
    struct slice head = wire_bytes(w, sizeof magic);
    if (!slice_equal(head, slice_of(magic, sizeof magic)))
        return refuse_malformed(name, "it does not begin as an OpenSSH key does", why);
    struct slice cipher = wire_string(w), kdf = wire_string(w), options = wire_string(w);
    uint32_t count = wire_u32(w);
    *public_blob = wire_string(w);
    *private_part = wire_string(w);
    if (!wire_done(w) || count != 1)
        return refuse_malformed(name, "its outer part is cut off or too long", why);
    struct wire blob = wire_of(*public_blob);
    struct slice type = wire_string(&blob);
    if (blob.bad)
        return refuse_malformed(name, "its public key cannot be read", why);
    if (!slice_is(type, key_type))
        return key_refuse_type(name, type, why);
    if (!slice_is(cipher, "none"))
        return failure_set(why, SCOUT_E_KEY,
                           "The key file %s is encrypted with a passphrase, which is not supported "
                           "yet. Use a key without one: a new one (ssh-keygen -t ed25519), or a "
                           "copy of this one without its passphrase (ssh-keygen -p -N '' -f COPY)",
                           name);
    if (!slice_is(kdf, "none") || options.len != 0)
        return refuse_malformed(name, "it has a key derivation without a cipher", why);
    return 0;
}

/* The private section. 0 or SCOUT_E_KEY. */
static int parse_private(struct slice section, const char *name, struct slice *public_key,
                         struct slice *seed, struct failure *why)
{
    struct wire w = wire_of(section);
    uint32_t check = wire_u32(&w);
    bool agree = check == wire_u32(&w);
    struct slice type = wire_string(&w);
    *public_key = wire_string(&w);
    struct slice secret = wire_string(&w);
    wire_string(&w); /* comment */
    if (w.bad || !agree || !slice_is(type, key_type) || section.len % KEY_PADDING != 0 ||
        w.rest.len >= KEY_PADDING)
        return refuse_malformed(name, "its private part cannot be read", why);
    for (size_t i = 0; i < w.rest.len; i++)
        if (w.rest.data[i] != i + 1)
            return refuse_malformed(name, "its padding is wrong", why);
    if (public_key->len != KEY_PART_SIZE || secret.len != 2 * KEY_PART_SIZE)
        return refuse_malformed(name, "its parts have the wrong length", why);
    *seed = slice_of(secret.data, KEY_PART_SIZE);
    if (!slice_equal(slice_skip(secret, KEY_PART_SIZE), *public_key))
        return refuse_malformed(name, "its public and private halves do not belong together", why);
    return 0;
}

/* Makes libcrypto's key and checks that `public_key` is what the seed gives. */
static int make_key(struct ssh_key *k, struct slice seed, struct slice public_key,
                    struct slice public_blob, const char *name, struct failure *why)
{
    uint8_t derived[KEY_PART_SIZE];
    size_t len = sizeof derived;
    k->pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.data, seed.len);
    if (!k->pkey || !EVP_PKEY_get_raw_public_key(k->pkey, derived, &len))
        return failure_set(why, SCOUT_E_KEY,
                           "The key file %s cannot be used: libcrypto refuses its Ed25519 key",
                           name);
    uint8_t *at = wire_put_string(k->blob, slice_str(key_type));
    wire_put_string(at, slice_of(derived, sizeof derived));
    if (!slice_equal(public_key, slice_of(derived, sizeof derived)) ||
        !slice_equal(public_blob, slice_of(k->blob, sizeof k->blob)))
        return refuse_malformed(name, "its public and private halves do not belong together", why);
    return 0;
}

static int parse_decoded(struct ssh_key *k, struct slice decoded, const char *name,
                         struct failure *why)
{
    struct wire w = wire_of(decoded);
    struct slice public_blob = {0}, private_part = {0}, public_key = {0}, seed = {0};
    int error = parse_outer(&w, name, &public_blob, &private_part, why);
    if (!error)
        error = parse_private(private_part, name, &public_key, &seed, why);
    if (!error)
        error = make_key(k, seed, public_key, public_blob, name, why);
    return error;
}

/* Decodes the armour's inside into `bytes`, of `size`. The length, or -1. */
static int64_t decode_body(struct slice body, uint8_t *bytes)
{
    size_t len = 0; /* the base64 without its line ends, in the same memory */
    for (size_t i = 0; i < body.len; i++)
        if (body.data[i] != '\n' && body.data[i] != '\r')
            bytes[len++] = body.data[i];
    return base64_decode(slice_of(bytes, len), bytes); /* reads ahead of where it writes */
}

int ssh_key_parse(struct ssh_key **out, struct slice text, const char *name, struct failure *why)
{
    struct slice body;
    if (text.len > KEY_TEXT_MAX)
        return failure_set(why, SCOUT_E_KEY, "The key file %s is no private key: it is too long",
                           name);
    int error = key_find_body(text, name, &body, why);
    if (error)
        return error;
    struct ssh_key *k = calloc(1, sizeof *k);
    uint8_t *bytes = malloc(body.len + 1);
    if (!k || !bytes) {
        error = failure_set(why, SCOUT_E_NOMEM, "Out of memory for the key file %s", name);
    } else {
        int64_t len = decode_body(body, bytes);
        error = len < 0 ? refuse_malformed(name, "its base64 is malformed", why)
                        : parse_decoded(k, slice_of(bytes, (size_t)len), name, why);
        OPENSSL_cleanse(bytes, body.len + 1);
    }
    free(bytes);
    if (error)
        ssh_key_free(k);
    else
        *out = k;
    return error;
}

void ssh_key_free(struct ssh_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    OPENSSL_cleanse(k, sizeof *k);
    free(k);
}

struct slice ssh_key_public(const struct ssh_key *k)
{
    return slice_of(k->blob, sizeof k->blob);
}

int ssh_key_sign(const struct ssh_key *k, struct slice data, uint8_t *out)
{
    size_t len = KEY_SIGNATURE_SIZE;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
                EVP_DigestSign(ctx, out, &len, data.data, data.len) == 1 &&
                len == KEY_SIGNATURE_SIZE;
    EVP_MD_CTX_free(ctx);
    return good ? 0 : SCOUT_E_KEY;
}
