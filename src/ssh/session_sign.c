/* Keys and signature algorithms, as the linked libssh2 and the peer understand them. Pure. */
#include "session_sign.h"

#include "scout/ssh/session.h"
#include "wire.h"
#include <libssh2.h>
#include <stdio.h>

#define USERAUTH_REQUEST 50 /* RFC 4252, section 6 */
#define VERSION_1_11     0x010b00

static bool starts_with(struct slice text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

/* The name without the suffix of certificates, whose signatures are those of the plain key. */
static struct slice plain_name(struct slice name)
{
    static const char suffix[] = "-cert-v01@openssh.com";
    size_t len = sizeof suffix - 1;
    if (name.len > len && memcmp(name.data + name.len - len, suffix, len) == 0)
        name.len -= len;
    return name;
}

struct slice session_sign_algorithm(struct slice data)
{
    struct wire w = wire_of(data);
    wire_string(&w); /* session id */
    uint8_t type = wire_u8(&w);
    wire_string(&w); /* user */
    wire_string(&w); /* service */
    struct slice method = wire_string(&w);
    wire_u8(&w); /* TRUE: with a signature */
    struct slice algorithm = wire_string(&w);
    wire_string(&w); /* blob */
    if (!wire_done(&w) || type != USERAUTH_REQUEST || !slice_is(method, "publickey"))
        return (struct slice){0};
    return plain_name(algorithm);
}

struct slice session_sign_inner(struct slice signature, struct slice algorithm)
{
    struct wire w = wire_of(signature);
    struct slice format = wire_string(&w);
    struct slice inner = wire_string(&w);
    if (!wire_done(&w) || algorithm.len == 0 || !slice_equal(format, algorithm))
        return (struct slice){0};
    if (slice_is(algorithm, "ssh-rsa")) /* SHA-1: what 1.11 asks for when the host has no better */
        return (struct slice){0};
    return inner;
}

const char *ssh_session_no_certificate(struct slice key_type)
{
    bool newer = libssh2_version(VERSION_1_11) != NULL;
    return newer || starts_with(key_type, "ecdsa-")
               ? NULL
               : "libssh2 1.10 supports certificates for ECDSA keys only (1.11: all)";
}

/* 7.2 brought rsa-sha2 to OpenSSH. */
static bool is_openssh_with_sha2(const char *banner)
{
    int major = 0, minor = 0;
    return sscanf(banner, "SSH-2.0-OpenSSH_%d.%d", &major, &minor) == 2 &&
           (major > 7 || (major == 7 && minor >= 2));
}

enum session_sign_support session_sign_support(struct slice blob, const char *banner,
                                               const char **why)
{
    struct wire w = wire_of(blob);
    struct slice type = wire_string(&w);
    bool newer = libssh2_version(VERSION_1_11) != NULL;
    if (w.bad || type.len == 0) {
        *why = "its public key is malformed";
        return SESSION_SIGN_NOT;
    }
    if (starts_with(type, "sk-")) {
        *why = "security keys are not supported";
        return SESSION_SIGN_NOT;
    }
    struct slice plain = plain_name(type);
    const char *unable = plain.len != type.len ? ssh_session_no_certificate(plain) : NULL;
    if (unable) {
        *why = unable;
        return SESSION_SIGN_NOT;
    }
    if (!slice_is(type, "ssh-rsa") || newer)
        return SESSION_SIGN_AS_IS;
    if (is_openssh_with_sha2(banner))
        return SESSION_SIGN_RENAMED;
    *why = "libssh2 1.10 can use RSA keys with OpenSSH 7.2 or later only";
    return SESSION_SIGN_NOT;
}
