/* Public-key authentication (RFC 4252, section 7) with the identities of the configuration, one
 * after the other; what a host asks a person comes after it (session_prompts.c), also where the
 * host wants both.
 *
 *   begin --offered--> asked to sign --signature--> accepted: CHANNEL
 *     ^      \ refused     \ cannot sign    \ refused
 *     |_______\_____________\________________\__ next identity
 *                                             none left: what would the host take? then fail
 *
 * libssh2 asks through a callback for each signature. A key of ours signs at once; for the owner's
 * (the agent) the callback says "later" until engine_signed brought it. libssh2 wants the inner
 * part of the signature alone, without the algorithm's name that it puts there itself.
 *
 * RSA. libssh2 1.11 negotiates rsa-sha2 itself. 1.10 announces the type that the key blob begins
 * with, ssh-rsa, which stands for SHA-1 and is refused by OpenSSH 8.8 and later; with the blob's
 * type renamed to rsa-sha2-512 it announces that, which OpenSSH since 7.2 accepts (dropbear and
 * libssh do not). With other servers an RSA key is passed over, and the failure says so.
 *
 * At most SSH_TRIES_MAX identities are offered: OpenSSH disconnects at its sixth failure. */
#include "session_state.h"

#include "scout/ssh/certificate.h"
#include "session_sign.h"
#include "wire.h"
#include <stdio.h>

#define REFUSALS_MAX 320 /* bytes of text about single identities */
#define RSA_RENAMED  "rsa-sha2-512"

void session_auth_init(struct session_auth *a)
{
    buf_init(&a->signature, KEY_SIGNATURE_MAX);
    buf_init(&a->blob, CERTIFICATE_MAX + sizeof RSA_RENAMED);
    buf_init(&a->refusals, REFUSALS_MAX);
}

void session_auth_fini(struct session_auth *a)
{
    buf_fini(&a->signature);
    buf_fini(&a->blob);
    buf_fini(&a->refusals);
    session_password_wipe(a);
}

/* ---- signing ---- */

void session_auth_signed(struct session *s, struct slice signature)
{
    struct session_auth *a = &s->auth;
    if (a->wait != AUTH_ASKED)
        return;
    a->wait = AUTH_ANSWERED;
    buf_clear(&a->signature);
    if (buf_append(&a->signature, signature) != 0)
        buf_clear(&a->signature); /* as if it could not sign */
}

/* Brings the signature of `data` into a->signature, where an empty one means that there is none.
 * False when it comes later. */
static bool sign(struct session *s, const struct ssh_identity *identity, struct slice data)
{
    struct session_auth *a = &s->auth;
    if (identity->key) {
        buf_clear(&a->signature);
        if (ssh_key_sign(identity->key, session_sign_algorithm(data), data, &a->signature) != 0)
            buf_clear(&a->signature);
        return true;
    }
    if (a->wait == AUTH_IDLE) {
        a->wait = AUTH_ASKED; /* before the event, which may answer at once */
        s->config.events->on_sign(s->config.context, a->next, data);
    }
    return a->wait == AUTH_ANSWERED;
}

static int on_sign(LIBSSH2_SESSION *ssh, unsigned char **signature, size_t *signature_len,
                   const unsigned char *bytes, size_t len, void **abstract)
{
    struct session *s = *abstract;
    struct session_auth *a = &s->auth;
    struct slice data = slice_of(bytes, len);
    (void)ssh;
    if (!sign(s, &s->config.identities[a->next], data))
        return LIBSSH2_ERROR_EAGAIN;
    a->wait = AUTH_IDLE;
    struct slice inner = session_sign_inner(buf_peek(&a->signature), session_sign_algorithm(data));
    void *allocator = s;
    unsigned char *copy = inner.len ? session_alloc(inner.len, &allocator) : NULL;
    if (!copy)
        return -1;
    memcpy(copy, inner.data, inner.len);
    *signature = copy; /* freed by libssh2 */
    *signature_len = inner.len;
    a->signed_once = true;
    return 0;
}

/* ---- one identity ---- */

void session_auth_note(struct session *s, const char *fmt, ...)
{
    char text[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    /* Those that find no room are counted only. */
    int error = buf_printf(&s->auth.refusals, "%s%s", buf_len(&s->auth.refusals) ? "; " : "", text);
    (void)error;
}

static const char *label_of(const struct ssh_identity *identity)
{
    return identity->label && identity->label[0] ? identity->label : "a key";
}

static int rename_rsa(struct buf *blob, struct slice rest)
{
    uint8_t name[4 + sizeof RSA_RENAMED - 1];
    wire_put_string(name, slice_str(RSA_RENAMED));
    int error = buf_append(blob, slice_of(name, sizeof name));
    return error ? error : buf_append(blob, rest);
}

/* Makes the blob that libssh2 is given. False: this identity is passed over, and the failure will
 * say why. */
static bool begin(struct session *s, const struct ssh_identity *identity)
{
    struct session_auth *a = &s->auth;
    const char *why = NULL;
    buf_clear(&a->blob);
    switch (session_sign_support(identity->blob, s->engine.banner, &why)) {
    case SESSION_SIGN_AS_IS:
        if (buf_append(&a->blob, identity->blob) == 0)
            return true;
        why = "it is too long";
        break;
    case SESSION_SIGN_RENAMED: {
        struct wire w = wire_of(identity->blob);
        wire_string(&w);
        if (rename_rsa(&a->blob, w.rest) == 0)
            return true;
        why = "it is too long";
        break;
    }
    case SESSION_SIGN_NOT:
        break;
    }
    session_auth_note(s, "%s was not offered: %s", label_of(identity), why);
    return false;
}

static void next_identity(struct session *s)
{
    struct session_auth *a = &s->auth;
    a->next++;
    a->began = a->signed_once = false;
    a->wait = AUTH_IDLE;
    buf_clear(&a->signature);
}

/* libssh2 says "unverified" of a refused signature, of one that was not given, and of a transport
 * that broke meanwhile. */
static bool transport_broke(struct session *s, int rc)
{
    static const char waiting[] = "Waiting for";
    if (s->disconnected)
        return true;
    return rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED &&
           strncmp(session_last_error(s), waiting, sizeof waiting - 1) == 0;
}

void session_auth_end_by_peer(struct session *s, int rc)
{
    if (!s->disconnected || s->auth.tries < 2) {
        session_end_by_libssh2(s, rc);
        return;
    }
    session_end(s, failure_set(&s->engine.failure, SCOUT_E_AUTH,
                               "%s ended the login of user %s after %u keys: \"%s\"",
                               s->config.name, s->config.user, s->auth.tries, s->goodbye));
}

static void refused(struct session *s, const struct ssh_identity *identity, int rc)
{
    struct session_auth *a = &s->auth;
    struct ssh_certificate certificate;
    char names[64];
    if (rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED && a->signed_once)
        session_auth_note(s, "%s was known there, but its signature did not suffice",
                          label_of(identity));
    else if (rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED)
        session_auth_note(s, "%s was known there, but could not sign", label_of(identity));
    else if (ssh_certificate_parse(identity->blob, &certificate) == 0)
        session_auth_note(s, "the certificate %s, for %s, was not taken", label_of(identity),
                          ssh_certificate_names(&certificate, names, sizeof names));
    a->list_next = a->signed_once && s->config.events && s->config.events->on_prompts;
    next_identity(s);
}

/* True when it got further: to the next identity or the next stage. */
static bool offer(struct session *s)
{
    struct session_auth *a = &s->auth;
    const struct ssh_identity *identity = &s->config.identities[a->next];
    if (!a->began && !begin(s, identity)) {
        next_identity(s);
        return true;
    }
    if (!a->began) {
        a->began = true;
        a->tries++;
    }
    if (a->wait == AUTH_ASKED && s->in_ended && buf_len(&s->in) == 0) {
        session_auth_end_by_peer(
            s, LIBSSH2_ERROR_SOCKET_RECV); /* libssh2 reads nothing while it waits */
        return false;
    }
    void *abstract = s;
    struct slice blob = buf_peek(&a->blob);
    int rc =
        libssh2_userauth_publickey(s->ssh, s->config.user, blob.data, blob.len, on_sign, &abstract);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return false;
    if (rc == 0) {
        s->engine.stage = ENGINE_CHANNEL;
        return true;
    }
    bool of_key =
        rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED || rc == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
    if (!of_key || transport_broke(s, rc)) {
        session_auth_end_by_peer(s, rc);
        return false;
    }
    refused(s, identity, rc);
    return true;
}

bool session_authenticate(struct session *s)
{
    struct session_auth *a = &s->auth;
    if (a->method == AUTH_BY_QUESTIONS)
        return session_questions(s);
    if (a->method == AUTH_BY_PASSWORD)
        return session_password(s);
    if (!a->list_next && session_auth_has_identity(s))
        return offer(s);
    if (a->tries < SSH_TRIES_MAX)
        return session_auth_list_methods(s);
    session_auth_fail(s, NULL);
    return false;
}
