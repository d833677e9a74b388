/* OpenSSH's user certificates (PROTOCOL.certkeys), as far as one who shows them must understand
 * them: whose key it is, for whom, and when it is good. Whether its authority is trusted and its
 * signature holds is for the host to judge. Pure. */
#ifndef SCOUT_SSH_CERTIFICATE_H
#define SCOUT_SSH_CERTIFICATE_H

#include "scout/base/error.h"
#include "scout/base/slice.h"

#define CERTIFICATE_MAX       16384 /* bytes of a blob */
#define CERTIFICATE_NAMES_MAX 256   /* principals of one certificate, as in OpenSSH */

/* Slices point into the blob. */
struct ssh_certificate {
    struct slice blob;
    struct slice type;     /* of the key, without the certificate's suffix: "ssh-ed25519" */
    struct slice key;      /* the key's own fields, as they stand behind the type in its blob */
    bool for_host;         /* it is a host's, and no user's */
    struct slice id;       /* what its authority calls it */
    struct slice names;    /* principals, each an SSH string; empty: for all */
    uint64_t after, until; /* seconds since 1970: good from the first on, and before the second */
};

/* Whether the type is that of some certificate. */
bool ssh_certificate_is_type(struct slice type);

/* Takes a blob apart. 0, or SCOUT_E_KEY: it is malformed, or of a kind that cannot be used here
 * (security keys among them). */
__attribute__((warn_unused_result)) int ssh_certificate_parse(struct slice blob,
                                                              struct ssh_certificate *out);

/* The same from the text of a file of OpenSSH's (type, base64, comment). The blob is decoded into
 * `bytes` (CERTIFICATE_MAX). */
__attribute__((warn_unused_result)) int
ssh_certificate_parse_text(struct slice text, uint8_t *bytes, struct ssh_certificate *out);

/* Whether it certifies the key with this public blob. */
bool ssh_certificate_is_of(const struct ssh_certificate *c, struct slice public_blob);

/* Whether it can be shown now; else *why says of `name` what is wrong: SCOUT_E_KEY. */
__attribute__((warn_unused_result)) int ssh_certificate_check(const struct ssh_certificate *c,
                                                              uint64_t now_s, const char *name,
                                                              struct failure *why);

/* Its principals as text, with commas; "everybody" where it has none. What is not printable is '?';
 * cut where there is no more room. Returns `out`. */
const char *ssh_certificate_names(const struct ssh_certificate *c, char *out, size_t size);

#endif
