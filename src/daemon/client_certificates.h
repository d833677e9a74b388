/* Who a client is by its certificate: each entry is an identity `cert:NAME` with a role, and says
 * by which certificates. Pure.
 *
 * A pattern names one thing that a certificate has, exactly:
 *
 *     sha256:0f…        the certificate itself; hexadecimal, colons between the bytes or none
 *     uri:spiffe://…    an alternative name, byte for byte
 *     dns:ci.example    likewise, in any case
 *     email:a@example   likewise, byte for byte
 *     cn:NAME           a common name of the subject, byte for byte */
#ifndef SCOUT_DAEMON_CLIENT_CERTIFICATES_H
#define SCOUT_DAEMON_CLIENT_CERTIFICATES_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/fleet/identity.h"
#include "scout/net/tls_peer.h"

#define CLIENT_CERTIFICATE_PREFIX       "cert:"
#define CLIENT_CERTIFICATES_MAX         64
#define CLIENT_CERTIFICATE_NAME_MAX     (IDENTITY_NAME_MAX - (sizeof CLIENT_CERTIFICATE_PREFIX - 1))
#define CLIENT_CERTIFICATE_PATTERNS_MAX 256  /* of all entries */
#define CLIENT_CERTIFICATE_PATTERN_LEN  512  /* bytes of one, with its kind */
#define CLIENT_CERTIFICATE_TEXT_MAX     8192 /* bytes of all, without their kinds */

/* Those of names are those of tls_name_kind. */
#define CLIENT_CERTIFICATE_HASH (TLS_NAME_URI + 1)

struct client_certificate {
    char name[IDENTITY_NAME_MAX + 1]; /* with the prefix */
    enum identity_role role;
};

struct client_certificate_pattern {
    uint16_t at, len; /* in the text; of a hash its bytes */
    uint8_t kind, entry;
};

struct client_certificates {
    size_t count, pattern_count, text_len;
    struct client_certificate list[CLIENT_CERTIFICATES_MAX];
    struct client_certificate_pattern patterns[CLIENT_CERTIFICATE_PATTERNS_MAX]; /* sorted */
    uint8_t text[CLIENT_CERTIFICATE_TEXT_MAX];
};

/* A further entry; `name` is without the prefix, of letters, digits, '.', '_' and '-'. 0, or
 * SCOUT_E_INVALID_ARGUMENT with what is wrong. */
__attribute__((warn_unused_result)) int client_certificates_add(struct client_certificates *c,
                                                                const char *name,
                                                                enum identity_role role,
                                                                struct failure *why);
/* A pattern of the entry that was added last: it must be the only one of its kind. Likewise. */
__attribute__((warn_unused_result)) int
client_certificates_match(struct client_certificates *c, const char *pattern, struct failure *why);

/* The first entry that the certificate is of; NULL: of none. */
const struct client_certificate *client_certificates_find(const struct client_certificates *c,
                                                          const struct tls_peer *peer);
/* That of the name, which has the prefix; NULL: there is none. */
const struct client_certificate *client_certificates_named(const struct client_certificates *c,
                                                           const char *name);

/* As the configuration file has them. 0, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int
client_certificates_describe(const struct client_certificates *c, struct buf *out);

#endif
