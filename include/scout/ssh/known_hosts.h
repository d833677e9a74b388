/* OpenSSH's known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): plain, [host]:port, wildcard,
 * negated and hashed (HMAC-SHA1) patterns, several key types, @revoked, @cert-authority. Pure: the
 * text is read elsewhere. */
#ifndef SCOUT_SSH_KNOWN_HOSTS_H
#define SCOUT_SSH_KNOWN_HOSTS_H

#include "scout/base/slice.h"

#define KNOWN_HOSTS_ENTRIES_MAX 200000
#define KNOWN_HOSTS_LINE_MAX    65536
#define KNOWN_HOSTS_FILES_MAX   64

struct known_hosts;

enum known_hosts_verdict {
    KNOWN_HOSTS_MATCH,   /* this key is known for this host */
    KNOWN_HOSTS_UNKNOWN, /* no key of this type is known for it (perhaps of another: see `line`) */
    KNOWN_HOSTS_CHANGED, /* keys of this type are known, but not this one */
    KNOWN_HOSTS_REVOKED, /* this key is revoked for this host */
    KNOWN_HOSTS_CA_ONLY, /* only a certificate authority is known: host certificates are not
                            supported by any packaged libssh2 */
};

__attribute__((warn_unused_result)) int known_hosts_new(struct known_hosts **out);
void known_hosts_free(struct known_hosts *k);

/* Adds the entries of one file. Lines that are no entries (comments, unreadable ones) are passed
 * over, as OpenSSH does. `name` (copied) is for messages. 0, SCOUT_E_NOMEM or SCOUT_E_LIMIT (also
 * for a line over KNOWN_HOSTS_LINE_MAX: it might revoke a key). */
__attribute__((warn_unused_result)) int known_hosts_add_text(struct known_hosts *k,
                                                             const char *name, struct slice text);

/* Drops all entries that say nothing about that host and port, and finds out once and for all which
 * of the host's names the others cover. known_hosts_check and known_hosts_order then say of this
 * host and port exactly what they would have said before, without computing a hash; they may be
 * asked about no other any more (asserted), and no text may be added. A hash for each hashed line
 * is computed here, two for another port than 22: this is for a helper thread. Without memory
 * nothing is changed. */
void known_hosts_narrow(struct known_hosts *k, const char *host, uint16_t port);

/* Judges the raw public key blob `key` (RFC 4253, section 6.6) of `host`, port `port`. `line`, if
 * not NULL, gets "file:line" of the entry that decided, or "". Host names compare without case.
 * Another port than 22 stands as [host]:port; where no key is known there, an entry of the
 * host's name alone may vouch for the key, as in OpenSSH. */
enum known_hosts_verdict known_hosts_check(const struct known_hosts *k, const char *host,
                                           uint16_t port, struct slice key, char *line,
                                           size_t line_size);

/* The key types known for the host, most preferred first, as a comma-separated list for
 * LIBSSH2_METHOD_HOSTKEY, followed by the other types of `offered` (so that a key that is known is
 * asked for first, and no change is seen where there is none). `offered` is a comma-separated list
 * of all supported algorithms; rsa-sha2-256/512 count as ssh-rsa. Returns 0 or SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int known_hosts_order(const struct known_hosts *k,
                                                          const char *host, uint16_t port,
                                                          const char *offered, char *out,
                                                          size_t out_size);

#endif
