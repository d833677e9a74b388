/* Private key files with anything in them. The first byte chooses: 0, the rest is the text of the
 * file; otherwise the rest is what an armour encodes (OpenSSH's, or one of PEM's), so that the
 * inner parsers are reached without guessing base64. Each is tried without a passphrase and with
 * "x". A key that is taken signs, and its signature verifies under its public half.
 *
 * A file may ask for 1,024 rounds of bcrypt, some seconds: what is encrypted and not evidently
 * cheap is tried without a passphrase only, so that the time goes into inputs. */
#include "scout/ssh/key.h"

#include "../unit/ssh/verify.h"
#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define CONTENT_MAX 8192
#define ROUNDS_MAX  4
#define LINE_BYTES  48 /* 64 characters */

enum { KIND_TEXT, KIND_OPENSSH, KIND_PKCS8, KIND_ENCRYPTED, KIND_RSA, KIND_EC, KIND_COUNT };

static const char *const labels[KIND_COUNT] = {
    NULL,
    "OPENSSH PRIVATE KEY",
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct ssh_key *key)
{
    struct slice message = slice_str("message"), blob = ssh_key_public(key);
    struct slice type = ssh_key_type(blob);
    char algorithm[32], fingerprint[KEY_FINGERPRINT_SIZE];
    struct buf signature;
    assert(type.len > 0 && type.len < sizeof algorithm);
    snprintf(algorithm, sizeof algorithm, "%.*s", (int)type.len, (const char *)type.data);
    const char *name = slice_is(type, "ssh-rsa") ? "rsa-sha2-512" : algorithm;
    buf_init(&signature, KEY_SIGNATURE_MAX);
    assert(ssh_key_sign(key, slice_str(name), message, &signature) == 0);
    assert(verify_signature(blob, name, message, buf_peek(&signature)));
    ssh_key_fingerprint(blob, fingerprint);
    assert(strlen(fingerprint) == KEY_FINGERPRINT_SIZE - 1);
    buf_fini(&signature);
}

/* What ssh_key_parse says, after checking what it gives. */
static int try_passphrase(struct slice text, const char *passphrase)
{
    struct ssh_key *key = NULL;
    struct failure why = {0};
    int error = ssh_key_parse(&key, text, slice_str(passphrase), "id", &why);
    if (error == 0) {
        check(key);
        ssh_key_free(key);
        return 0;
    }
    assert(!key && why.error == error && why.text[0]);
    assert(error == SCOUT_E_KEY || (error == SCOUT_E_KEY_LOCKED && !passphrase[0]));
    return error;
}

static bool has(struct slice content, const char *bytes, size_t len)
{
    return content.len && memmem(content.data, content.len, bytes, len);
}

/* Whether OpenSSH's content asks for few rounds. */
static bool is_cheap_openssh(struct slice content)
{
    static const char kdf[] = "\0\0\0\6bcrypt";
    const uint8_t *at = content.len ? memmem(content.data, content.len, kdf, sizeof kdf - 1) : NULL;
    size_t left = at ? content.len - (size_t)(at - content.data) : 0;
    if (left < 22 || at[10] || at[11] || at[12] || left < 14u + at[13])
        return false;
    const uint8_t *rounds = at + 14 + at[13] - 4; /* the last of the options */
    return at[13] >= 4 && !rounds[0] && !rounds[1] && !rounds[2] && rounds[3] <= ROUNDS_MAX;
}

/* Whether what encrypts the key has no number of more than two bytes: iterations, scrypt's cost. */
static bool is_cheap_pkcs8(struct slice content)
{
    struct slice scheme = slice_of(content.data, content.len < 160 ? content.len : 160);
    return !has(scheme, "\2\3", 2) && !has(scheme, "\2\4", 2);
}

static bool is_cheap(uint8_t kind, struct slice content)
{
    return kind == KIND_TEXT        ? has(content, "Proc-Type", 9)
           : kind == KIND_ENCRYPTED ? is_cheap_pkcs8(content)
                                    : kind == KIND_OPENSSH && is_cheap_openssh(content);
}

static void try_text(struct slice text, uint8_t kind, struct slice content)
{
    struct buf blob;
    buf_init(&blob, KEY_TEXT_MAX);
    int error = try_passphrase(text, "");
    int public_error = ssh_key_public_of_file(text, &blob);
    assert(public_error == 0 || buf_len(&blob) == 0);
    buf_fini(&blob);
    if (error != SCOUT_E_KEY_LOCKED || is_cheap(kind, content))
        try_passphrase(text, "x");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0 || len > CONTENT_MAX)
        return 0;
    struct slice content = slice_of(data + 1, len - 1);
    uint8_t kind = data[0] % KIND_COUNT;
    if (kind == KIND_TEXT) {
        try_text(content, kind, content);
        return 0;
    }
    size_t size = 128 + len * 2;
    char *text = malloc(size);
    if (!text)
        return 0;
    size_t at = (size_t)snprintf(text, size, "-----BEGIN %s-----\n", labels[kind]);
    for (size_t i = 0; i < content.len; i += LINE_BYTES) {
        size_t left = content.len - i;
        at += (size_t)EVP_EncodeBlock((unsigned char *)text + at, content.data + i,
                                      (int)(left < LINE_BYTES ? left : LINE_BYTES));
        text[at++] = '\n';
    }
    at += (size_t)snprintf(text + at, size - at, "-----END %s-----\n", labels[kind]);
    try_text(slice_of(text, at), kind, content);
    free(text);
    return 0;
}
