/* Telling what a key file is, by its first line, and saying what to do when it is not what is
 * needed. One table, first match wins; the advice begins with a small letter or continues the
 * sentence "The key file X ...". Nothing of the file's content gets into a message. */
#include "key_kind.h"

static const char begin_line[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
static const char end_line[] = "-----END OPENSSH PRIVATE KEY-----";

#define ADVICE_NEW "make an Ed25519 key (ssh-keygen -t ed25519) and name that"
#define PUBLIC     "is a public key: name the private one, usually the same name without .pub"
#define PEM_TYPE   " key in the old PEM format, and only Ed25519 keys are supported yet: "

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
    {"-----BEGIN RSA PRIVATE KEY", "holds an RSA" PEM_TYPE ADVICE_NEW},
    {"-----BEGIN EC PRIVATE KEY", "holds an ECDSA" PEM_TYPE ADVICE_NEW},
    {"-----BEGIN DSA PRIVATE KEY", "holds a DSA" PEM_TYPE ADVICE_NEW},
    {"-----BEGIN ENCRYPTED PRIVATE KEY",
     "is a PEM (PKCS#8) key encrypted with a passphrase: " ADVICE_NEW},
    {"-----BEGIN PRIVATE KEY",
     "is in the PEM (PKCS#8) format, and OpenSSH's own is needed: " ADVICE_NEW},
    {"PuTTY-User-Key-File",
     "is in PuTTY's format: convert it with puttygen FILE -O private-openssh-new -o NEW"},
    {"-----BEGIN CERTIFICATE", "is a certificate, not a private key: name the private key"},
};

struct type_name {
    const char *type, *name;
};

static const struct type_name type_names[] = {
    {"ssh-rsa", "an RSA key"},
    {"ssh-dss", "a DSA key"},
    {"ecdsa-sha2-nistp256", "an ECDSA key"},
    {"ecdsa-sha2-nistp384", "an ECDSA key"},
    {"ecdsa-sha2-nistp521", "an ECDSA key"},
    {"sk-ssh-ed25519@openssh.com", "a security key's handle"},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "a security key's handle"},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

int key_refuse_type(const char *name, struct slice type, struct failure *why)
{
    const char *what = "a key of an unknown type";
    for (size_t i = 0; i < COUNT(type_names); i++)
        if (slice_is(type, type_names[i].type))
            what = type_names[i].name;
    return failure_set(why, SCOUT_E_KEY,
                       "The key file %s holds %s, and only Ed25519 keys are supported yet: %s",
                       name, what, ADVICE_NEW);
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

static int refuse_kind(struct slice text, const char *name, struct failure *why)
{
    if (text.len == 0)
        return failure_set(why, SCOUT_E_KEY, "The key file %s is empty", name);
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (begins_with(text, kinds[i].begin))
            return failure_set(why, SCOUT_E_KEY, "The key file %s %s", name, kinds[i].advice);
    return failure_set(why, SCOUT_E_KEY,
                       "The key file %s is no private key that can be read: its first line should "
                       "be %s. Name an OpenSSH private key, or %s",
                       name, begin_line, ADVICE_NEW);
}

int key_find_body(struct slice text, const char *name, struct slice *body, struct failure *why)
{
    while (text.len > 0 && is_space(text.data[0]))
        text = slice_skip(text, 1);
    while (text.len > 0 && is_space(text.data[text.len - 1]))
        text.len--;
    size_t begin_len = strlen(begin_line), end_len = strlen(end_line);
    if (!begins_with(text, begin_line) || text.len == begin_len || !is_space(text.data[begin_len]))
        return refuse_kind(text, name, why);
    struct slice rest = slice_skip(text, begin_len);
    if (rest.len <= end_len || memcmp(rest.data + rest.len - end_len, end_line, end_len) != 0)
        return failure_set(why, SCOUT_E_KEY,
                           "The key file %s is cut off: its last line should be %s", name,
                           end_line);
    *body = slice_of(rest.data, rest.len - end_len);
    return 0;
}
