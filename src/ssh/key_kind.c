/* Telling what a key file is, by its first line, and saying what to do when it is not what is
 * needed. One table, first match wins; the advice continues the sentence "The key file X ...".
 * Nothing of the file's content gets into a message.
 *
 * A PEM file may hold more than the key, and in front of it (a certificate, a curve's parameters,
 * lines for people), so that format is known by any line that opens a private key. */
#include "key_kind.h"

static const char begin_line[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char end_line[] = "-----END OPENSSH PRIVATE KEY-----";
static const char pem_mark[] = "PRIVATE KEY-----";

#define ADVICE_NEW "make an Ed25519 key (ssh-keygen -t ed25519) and name that"
#define PUBLIC     "is a public key: name the private one, usually the same name without .pub"

struct kind {
    const char *begin; /* of the text */
    const char *advice;
};

static const struct kind kinds[] = {
    {"ssh-", PUBLIC},
    {"ecdsa-sha2-", PUBLIC},
    {"sk-", PUBLIC},
    {"---- BEGIN SSH2 PUBLIC KEY", PUBLIC},
    {"-----BEGIN PUBLIC KEY", PUBLIC},
    {"-----BEGIN RSA PUBLIC KEY", PUBLIC},
    {"PuTTY-User-Key-File",
     "is in PuTTY's format: convert it with puttygen FILE -O private-openssh-new -o NEW"},
    {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY",
     "is in the format of another SSH program: export it there in OpenSSH's format"},
    {"-----BEGIN CERTIFICATE", "is a certificate, not a private key: name the private key"},
};

struct type_name {
    const char *type, *what;
};

static const struct type_name refused_types[] = {
    {"ssh-dss", "a DSA key, which is too weak and which servers refuse: "},
    {"sk-ssh-ed25519@openssh.com",
     "the handle of a security key, which needs its hardware: add it to an ssh-agent (ssh-add), "
     "or "},
    {"sk-ecdsa-sha2-nistp256@openssh.com",
     "the handle of a security key, which needs its hardware: add it to an ssh-agent (ssh-add), "
     "or "},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

int key_refuse_damaged(const struct key_file *f, const char *what)
{
    return failure_set(f->why, SCOUT_E_KEY,
                       "The key file %s is damaged: %s. Restore it, or make a new key with "
                       "ssh-keygen -t ed25519",
                       f->name, what);
}

int key_refuse_type(const struct key_file *f, struct slice type)
{
    const char *what = "a key of an unknown type: ";
    for (size_t i = 0; i < COUNT(refused_types); i++)
        if (slice_is(type, refused_types[i].type))
            what = refused_types[i].what;
    return failure_set(f->why, SCOUT_E_KEY, "The key file %s holds %s" ADVICE_NEW, f->name, what);
}

int key_refuse_locked(const struct key_file *f)
{
    return failure_set(f->why, SCOUT_E_KEY_LOCKED,
                       "The key file %s is encrypted with a passphrase; run: scout unlock %s",
                       f->name, f->name);
}

int key_refuse_passphrase(const struct key_file *f)
{
    return failure_set(f->why, SCOUT_E_KEY, "The passphrase is not that of the key file %s",
                       f->name);
}

int key_refuse_memory(const struct key_file *f)
{
    return failure_set(f->why, SCOUT_E_NOMEM, "Out of memory for the key file %s", f->name);
}

static bool begins_with(struct slice text, const char *begin)
{
    size_t len = strlen(begin);
    return text.len >= len && memcmp(text.data, begin, len) == 0;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int refuse_kind(const struct key_file *f, struct slice text)
{
    if (text.len == 0)
        return failure_set(f->why, SCOUT_E_KEY, "The key file %s is empty", f->name);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (begins_with(text, kinds[i].begin))
            return failure_set(f->why, SCOUT_E_KEY, "The key file %s %s", f->name, kinds[i].advice);
    return failure_set(f->why, SCOUT_E_KEY,
                       "The key file %s is no private key that can be read: its first line should "
                       "be %s. Name an OpenSSH private key, or %s",
                       f->name, begin_line, ADVICE_NEW);
}

int key_find_body(const struct key_file *f, struct slice text, struct slice *body, bool *is_pem)
{
    if (text.len > KEY_TEXT_MAX)
        return failure_set(f->why, SCOUT_E_KEY, "The key file %s is no private key: it is too long",
                           f->name);
    while (text.len > 0 && is_space(text.data[0]))
        text = slice_skip(text, 1);
    while (text.len > 0 && is_space(text.data[text.len - 1]))
        text.len--;
    size_t begin_len = strlen(begin_line), end_len = strlen(end_line);
    *is_pem = !begins_with(text, begin_line);
    *body = text;
    if (*is_pem)
        return text.len > 0 && memmem(text.data, text.len, pem_mark, strlen(pem_mark))
                   ? 0
                   : refuse_kind(f, text);
    if (text.len == begin_len || !is_space(text.data[begin_len]))
        return refuse_kind(f, text);
    struct slice rest = slice_skip(text, begin_len);
    if (rest.len <= end_len || memcmp(rest.data + rest.len - end_len, end_line, end_len) != 0)
        return failure_set(f->why, SCOUT_E_KEY,
                           "The key file %s is cut off: its last line should be %s", f->name,
                           end_line);
    *body = slice_of(rest.data, rest.len - end_len);
    return 0;
}
