/* bcrypt_pbkdf, the key derivation of OpenSSH's encrypted key files. Private to the ssh layer. */
#ifndef SCOUT_SSH_BCRYPT_PBKDF_H
#define SCOUT_SSH_BCRYPT_PBKDF_H

#include "scout/base/slice.h"

#define BCRYPT_KEY_MAX  1024 /* bytes that can be derived, as OpenBSD's */
#define BCRYPT_SALT_MAX 64   /* bytes; ssh-keygen takes 16 */

/* Derives `out_len` bytes (1 to BCRYPT_KEY_MAX). `rounds` is at least 1; each costs about 4 ms per
 * 32 bytes. 0; or a negative error: SCOUT_E_NOMEM, SCOUT_E_INVALID_ARGUMENT. */
__attribute__((warn_unused_result)) int bcrypt_pbkdf(struct slice passphrase, struct slice salt,
                                                     uint32_t rounds, uint8_t *out, size_t out_len);

#endif
