/* PubkeyAcceptedAlgorithms, as OpenSSH means it: a list says which algorithms there are, one with
 * `-` which of ours are not; with `+` and `^` none of ours goes away, and what we have not is not
 * had by asking for it (ssh-rsa: a signature with SHA-1). Patterns are allowed.
 *
 * A key has one algorithm, its type; only of RSA there are several, and what signs here is
 * rsa-sha2-512, so that one decides. */
#include "accepted.h"

#include "scout/ssh/pattern.h"
#include <string.h>

static struct slice algorithm_of(struct slice type)
{
    static const char cert[] = "ssh-rsa-cert-v01@openssh.com";
    if (slice_is(type, "ssh-rsa"))
        return slice_str("rsa-sha2-512");
    return slice_is(type, cert) ? slice_str("rsa-sha2-512-cert-v01@openssh.com") : type;
}

static bool names_have(const char *names, struct slice algorithm)
{
    for (const char *at = names;; at++) {
        size_t len = strcspn(at, ",");
        if (pattern_match(slice_of(at, len), algorithm, PATTERN_EXACT))
            return true;
        at += len;
        if (*at == '\0')
            return false;
    }
}

bool accepted_has(const char *said, struct slice type)
{
    if (!said || said[0] == '+' || said[0] == '^')
        return true;
    return said[0] == '-' ? !names_have(said + 1, algorithm_of(type))
                          : names_have(said, algorithm_of(type));
}
