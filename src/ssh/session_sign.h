/* What a signature is made with, and how libssh2 wants it. Private to the layer. */
#ifndef SCOUT_SSH_SESSION_SIGN_H
#define SCOUT_SSH_SESSION_SIGN_H

#include "scout/base/slice.h"

enum session_sign_support {
    SESSION_SIGN_AS_IS,
    SESSION_SIGN_RENAMED, /* an RSA key whose blob must begin with rsa-sha2-512 */
    SESSION_SIGN_NOT,     /* *why says why not */
};

/* How a key with this blob can be offered to the peer with this banner, by the linked libssh2. */
enum session_sign_support session_sign_support(struct slice blob, const char *banner,
                                               const char **why);

/* The inner part of a signature (string format, string bytes), if its format is `algorithm` and
 * that is no signature over SHA-1; else empty. */
struct slice session_sign_inner(struct slice signature, struct slice algorithm);

#endif
