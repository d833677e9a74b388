/* OpenSSH's own key file: an armour around base64 around openssh-key-v1 (OpenSSH's PROTOCOL.key).
 *
 *   magic, string cipher, string kdf, string kdf options, uint32 count = 1,
 *   string public blob, string private section (encrypted), the cipher's tag
 *
 * The private section begins with a number that is there twice, which tells a wrong passphrase
 * from damage, then says type and public key again next to the secret, a comment, and padding
 * 1, 2, 3... to the cipher's block. All of it must agree. Everything that can be checked without
 * the passphrase is checked before it is asked for, and before the slow derivation runs. */
#include "key_openssh.h"

#include "key_cipher.h"
#include "key_numbers.h"
#include "scout/base/base64.h"
#include "wire.h"
#include <openssl/crypto.h>

static const char magic[] = "openssh-key-v1"; /* its NUL counts */

struct outer {
    const struct key_cipher *cipher;
    const struct key_type *type;
    struct slice kdf, options, public_blob, section, tag;
};

/* Decodes the armour's inside into *bytes (of body.len + 1, to be freed with release). The length,
 * or -1: malformed, or -2: no memory. */
static int64_t decode_body(struct slice body, uint8_t **bytes)
{
    size_t len = 0; /* the base64 without its line ends, in the same memory */
    uint8_t *text = OPENSSL_secure_malloc(body.len + 1);
    *bytes = text;
    if (!text)
        return -2;
    for (size_t i = 0; i < body.len; i++)
        if (body.data[i] != '\n' && body.data[i] != '\r')
            text[len++] = body.data[i];
    return base64_decode(slice_of(text, len), text); /* reads ahead of where it writes */
}

static int find_type(struct outer *o, const struct key_file *f)
{
    struct wire blob = wire_of(o->public_blob);
    struct slice type = wire_string(&blob);
    if (blob.bad)
        return key_refuse_damaged(f, "its public key cannot be read");
    o->type = key_type_find(type);
    return o->type ? 0 : key_refuse_type(f, type);
}

static int find_cipher(struct outer *o, struct slice name, const struct key_file *f)
{
    o->cipher = key_cipher_find(name);
    if (!o->cipher)
        return failure_set(f->why, SCOUT_E_KEY,
                           "The key file %s is encrypted with a cipher that is not supported: "
                           "encrypt it anew with ssh-keygen -p -Z aes256-ctr -f FILE",
                           f->name);
    return key_cipher_check(o->cipher, o->kdf, o->options, f);
}

/* The outer part, up to what can be known without the passphrase. 0 or SCOUT_E_KEY. */
static int parse_outer(struct slice decoded, struct outer *o, const struct key_file *f)
{
    struct wire w = wire_of(decoded);
    if (!slice_equal(wire_bytes(&w, sizeof magic), slice_of(magic, sizeof magic)))
        return key_refuse_damaged(f, "it does not begin as an OpenSSH key does");
    struct slice cipher = wire_string(&w);
    o->kdf = wire_string(&w);
    o->options = wire_string(&w);
    uint32_t count = wire_u32(&w);
    o->public_blob = wire_string(&w);
    o->section = wire_string(&w);
    o->tag = w.rest;
    if (w.bad || count != 1)
        return key_refuse_damaged(f, "its outer part is cut off");
    int error = find_type(o, f);
    if (!error)
        error = find_cipher(o, cipher, f);
    if (error)
        return error;
    if (o->tag.len != o->cipher->tag_size)
        return key_refuse_damaged(f, "its outer part is cut off or too long");
    if (o->section.len == 0 || o->section.len % o->cipher->block_size != 0)
        return key_refuse_damaged(f, "its private part has a wrong length");
    return 0;
}

static int check_end(struct wire *w, unsigned block_size, const struct key_file *f)
{
    wire_string(w); /* comment */
    if (w->bad || w->rest.len >= block_size)
        return key_refuse_damaged(f, "its private part cannot be read");
    for (size_t i = 0; i < w->rest.len; i++)
        if (w->rest.data[i] != i + 1)
            return key_refuse_damaged(f, "its padding is wrong");
    return 0;
}

/* The private section in clear. */
static int parse_section(struct ssh_key **out, struct slice section, const struct outer *o,
                         const struct key_file *f)
{
    struct wire w = wire_of(section);
    EVP_PKEY *pkey;
    uint32_t check = wire_u32(&w);
    bool agree = check == wire_u32(&w) && !w.bad;
    if (!agree && o->cipher->mode != KEY_CLEAR)
        return key_refuse_passphrase(f);
    struct slice type = wire_string(&w);
    if (!agree || w.bad || !slice_is(type, o->type->name))
        return key_refuse_damaged(f, "its private part cannot be read");
    int error = key_numbers_read(&pkey, o->type, &w, f);
    if (error)
        return error;
    error = check_end(&w, o->cipher->block_size, f);
    if (error) {
        EVP_PKEY_free(pkey);
        return error;
    }
    error = key_wrap(out, pkey, f);
    if (error || slice_equal(ssh_key_public(*out), o->public_blob))
        return error;
    ssh_key_free(*out);
    *out = NULL;
    return key_refuse_damaged(f, "its public and private halves do not belong together");
}

static int decrypt(struct ssh_key **out, const struct outer *o, struct slice passphrase,
                   const struct key_file *f)
{
    if (passphrase.len == 0)
        return key_refuse_locked(f);
    uint8_t *clear = OPENSSL_secure_malloc(o->section.len);
    if (!clear)
        return key_refuse_memory(f);
    int error = key_cipher_open(o->cipher, o->options, passphrase, o->section, o->tag, clear, f);
    if (!error)
        error = parse_section(out, slice_of(clear, o->section.len), o, f);
    OPENSSL_secure_clear_free(clear, o->section.len);
    return error;
}

int key_openssh_parse(struct ssh_key **out, struct slice body, struct slice passphrase,
                      const struct key_file *f)
{
    struct outer o = {0};
    uint8_t *bytes;
    int64_t len = decode_body(body, &bytes);
    int error;
    if (len < 0)
        error = len == -1 ? key_refuse_damaged(f, "its base64 is malformed") : key_refuse_memory(f);
    else
        error = parse_outer(slice_of(bytes, (size_t)len), &o, f);
    if (!error)
        error = o.cipher->mode == KEY_CLEAR ? parse_section(out, o.section, &o, f)
                                            : decrypt(out, &o, passphrase, f);
    OPENSSL_secure_clear_free(bytes, body.len + 1);
    return error;
}

int key_openssh_public(struct slice body, struct buf *out)
{
    struct failure why;
    const struct key_file f = {"", &why};
    struct outer o = {0};
    uint8_t *bytes;
    int64_t len = decode_body(body, &bytes);
    int error = len == -2 ? SCOUT_E_NOMEM : SCOUT_E_KEY;
    if (len >= 0)
        error = parse_outer(slice_of(bytes, (size_t)len), &o, &f);
    if (!error)
        error = buf_append(out, o.public_blob);
    OPENSSL_secure_clear_free(bytes, body.len + 1);
    return error;
}
