/* How OpenSSH's own format encrypts the private section. Private to the ssh layer's key*.c. */
#ifndef SCOUT_SSH_KEY_CIPHER_H
#define SCOUT_SSH_KEY_CIPHER_H

#include "key_private.h"

enum key_mode { KEY_CLEAR, KEY_PLAIN_CIPHER, KEY_GCM, KEY_CHACHA };

struct key_cipher {
    const char *name;     /* OpenSSH's */
    const char *evp_name; /* libcrypto's */
    enum key_mode mode;
    unsigned key_size, iv_size, block_size, tag_size;
};

/* NULL: not known. */
const struct key_cipher *key_cipher_find(struct slice name);

/* Checks the KDF and its options (PROTOCOL.key, section 2) against the cipher, without using them.
 * 0 or SCOUT_E_KEY. */
__attribute__((warn_unused_result)) int key_cipher_check(const struct key_cipher *c,
                                                         struct slice kdf, struct slice options,
                                                         const struct key_file *f);

/* Decrypts `section` into `out`, which has the same length; takes its time. `options` have passed
 * the check. 0; SCOUT_E_KEY: the tag does not fit the passphrase; SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int
key_cipher_open(const struct key_cipher *c, struct slice options, struct slice passphrase,
                struct slice section, struct slice tag, uint8_t *out, const struct key_file *f);

#endif
