/* Blowfish with bcrypt's key schedule. Private to the ssh layer. */
#ifndef SCOUT_SSH_BCRYPT_BLOWFISH_H
#define SCOUT_SSH_BCRYPT_BLOWFISH_H

#include <stdint.h>

#define BLOWFISH_P_COUNT 18
#define BLOWFISH_S_COUNT 256
#define BLOWFISH_KEY_LEN 64 /* of salts and keys: SHA-512's digest */

struct blowfish {
    uint32_t p[BLOWFISH_P_COUNT];
    uint32_t s[4][BLOWFISH_S_COUNT];
};

/* The initial state: the first 8,336 hexadecimal digits of pi's fraction, computed. 0 or
 * SCOUT_E_NOMEM. Takes some 20 ms. */
__attribute__((warn_unused_result)) int blowfish_init(struct blowfish *b);

/* bcrypt's ExpandKey with a salt, and without one. */
void blowfish_expand_salted(struct blowfish *b, const uint8_t salt[BLOWFISH_KEY_LEN],
                            const uint8_t key[BLOWFISH_KEY_LEN]);
void blowfish_expand(struct blowfish *b, const uint8_t key[BLOWFISH_KEY_LEN]);

/* Encrypts one block in place. */
void blowfish_encrypt(const struct blowfish *b, uint32_t block[2]);

#endif
