/* A private key for public-key authentication (RFC 4252, section 7): an unencrypted Ed25519 key in
 * OpenSSH's own format (PROTOCOL.key), decoded once and kept ready to sign. Pure. The secret is
 * wiped when freed. */
#ifndef SCOUT_SSH_KEY_H
#define SCOUT_SSH_KEY_H

#include "scout/base/error.h"
#include "scout/base/slice.h"

#define KEY_SIGNATURE_SIZE 64 /* the raw Ed25519 signature (RFC 8032) */

struct ssh_key;

/* Decodes the text of a key file. `name` is for messages. On failure returns SCOUT_E_KEY
 * (encrypted, another type, malformed: *why says which and what to do) or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int ssh_key_parse(struct ssh_key **out, struct slice text,
                                                      const char *name, struct failure *why);
void ssh_key_free(struct ssh_key *k);

/* The public key blob: string "ssh-ed25519", string key (RFC 8709). Valid as long as the key. */
struct slice ssh_key_public(const struct ssh_key *k);

/* Signs `data`; `out` has KEY_SIGNATURE_SIZE bytes. 0 or SCOUT_E_KEY. */
__attribute__((warn_unused_result)) int ssh_key_sign(const struct ssh_key *k, struct slice data,
                                                     uint8_t *out);

#endif
