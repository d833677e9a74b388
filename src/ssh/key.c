/* A private key as its holders see it: read from a file's text, counted, identified, freed.
 *
 * The text goes one of two ways: OpenSSH's own format (key_openssh.c) or PEM (key_pem.c). Both end
 * in a libcrypto key, which key_type.c turns into ours: it finds the type, writes the public blob
 * and proves that both halves belong together, so that no file can make us sign with a public half
 * that is not the secret's (which would give the secret away). Signing is in key_sign.c, and
 * what a file is that is no key, in key_kind.c.
 *
 * A secret is in three places only: the caller's text and passphrase, which the caller wipes;
 * decoded and decrypted bytes, wiped before ssh_key_parse returns; and libcrypto's key, which wipes
 * itself. */
#include "key_kind.h"
#include "key_openssh.h"
#include "key_pem.h"
#include "scout/base/base64.h"
#include "wire.h"
#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>

#define KEY_LINE_MAX 4096 /* bytes of a blob in a .pub file */

int ssh_key_parse(struct ssh_key **out, struct slice text, struct slice passphrase,
                  const char *name, struct failure *why)
{
    const struct key_file file = {name, why};
    struct slice body;
    bool is_pem;
    int error = key_find_body(&file, text, &body, &is_pem);
    if (error)
        return error;
    if (passphrase.len > KEY_PASSPHRASE_MAX)
        return key_refuse_passphrase(&file);
    error = is_pem ? key_pem_parse(out, body, passphrase, &file)
                   : key_openssh_parse(out, body, passphrase, &file);
    ERR_clear_error(); /* what libcrypto said of a bad file must not wait for somebody else */
    return error;
}

/* The next word of a line, which ends at its blanks. */
static struct slice take_word(struct slice *line)
{
    size_t skipped = 0, len = 0;
    while (skipped < line->len && (line->data[skipped] == ' ' || line->data[skipped] == '\t'))
        skipped++;
    *line = slice_skip(*line, skipped);
    while (len < line->len && line->data[len] > ' ')
        len++;
    struct slice word = slice_of(line->data, len);
    *line = slice_skip(*line, len);
    return word;
}

/* The line of a .pub file: type, base64, comment. */
static int public_of_line(struct slice text, struct buf *out)
{
    struct slice type = take_word(&text), encoded = take_word(&text);
    uint8_t blob[KEY_LINE_MAX];
    if (type.len == 0 || encoded.len == 0 || base64_decoded_max(encoded.len) > sizeof blob)
        return SCOUT_E_KEY;
    int64_t len = base64_decode(encoded, blob);
    if (len <= 0 || !slice_equal(ssh_key_type(slice_of(blob, (size_t)len)), type))
        return SCOUT_E_KEY;
    return buf_append(out, slice_of(blob, (size_t)len)) == 0 ? 0 : SCOUT_E_NOMEM;
}

int ssh_key_public_of_file(struct slice text, struct buf *out)
{
    struct failure why;
    const struct key_file file = {"", &why};
    struct slice body;
    bool is_pem;
    if (public_of_line(text, out) == 0)
        return 0;
    int error = key_find_body(&file, text, &body, &is_pem);
    if (error)
        return error;
    return is_pem ? SCOUT_E_KEY : key_openssh_public(body, out);
}

struct ssh_key *ssh_key_ref(struct ssh_key *k)
{
    assert(k->refs < UINT32_MAX);
    k->refs++;
    return k;
}

void ssh_key_free(struct ssh_key *k)
{
    if (!k || --k->refs > 0)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

struct slice ssh_key_public(const struct ssh_key *k)
{
    return slice_of(k->blob, k->blob_len);
}

struct slice ssh_key_type(struct slice blob)
{
    struct wire w = wire_of(blob);
    return wire_string(&w);
}

void ssh_key_fingerprint(struct slice blob, char out[KEY_FINGERPRINT_SIZE])
{
    static const char prefix[] = "SHA256:";
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char base64[64];
    memset(digest, 0, sizeof digest);
    EVP_Digest(blob.data, blob.len, digest, &len, EVP_sha256(), NULL);
    EVP_EncodeBlock((unsigned char *)base64, digest, 32);
    memcpy(out, prefix, sizeof prefix - 1);
    memcpy(out + sizeof prefix - 1, base64, 43); /* without its padding, as ssh-keygen does */
    out[KEY_FINGERPRINT_SIZE - 1] = '\0';
}
