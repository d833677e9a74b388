/* What the files of a private key share: the key itself, its types, and the words of a refusal.
 * Private to the ssh layer's key*.c. */
#ifndef SCOUT_SSH_KEY_PRIVATE_H
#define SCOUT_SSH_KEY_PRIVATE_H

#include "scout/ssh/key.h"

#include <openssl/evp.h>

#define KEY_RSA_BITS_MIN      2048
#define KEY_RSA_BITS_MAX      16384
#define KEY_RSA_EXPONENT_BITS 64 /* what libcrypto takes with a large modulus */

#define KEY_RAW_MAX (KEY_RSA_BITS_MAX / 8) /* bytes of a bare signature: RSA's */

enum key_family { KEY_ED25519, KEY_ECDSA, KEY_RSA };

struct key_type {
    const char *name; /* of the public key's format */
    enum key_family family;
    const char *digest;        /* ECDSA's; NULL for the others */
    const char *curve, *group; /* ECDSA's: SSH's name, and libcrypto's */
    unsigned coordinate_size;  /* bytes of a coordinate */
};

struct ssh_key {
    EVP_PKEY *pkey;
    const struct key_type *type;
    uint32_t refs;
    uint32_t blob_len;
    uint8_t blob[KEY_BLOB_MAX];
};

/* The file that is being read, for messages. */
struct key_file {
    const char *name;
    struct failure *why;
};

/* The type of this name, or NULL. */
const struct key_type *key_type_find(struct slice name);

/* Signs `data` as libcrypto does, into `raw` of *len bytes (KEY_RAW_MAX); ECDSA in DER. */
__attribute__((warn_unused_result)) bool key_sign_raw(EVP_PKEY *pkey, const char *digest,
                                                      struct slice data, uint8_t *raw, size_t *len);

/* Makes a key of what libcrypto holds: finds the type, writes the blob, and proves by a signature
 * that the private half belongs to the public one. Takes `pkey` over, also on failure. 0,
 * SCOUT_E_KEY or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int key_wrap(struct ssh_key **out, EVP_PKEY *pkey,
                                                 const struct key_file *f);

/* Refusals; each returns its error. */
int key_refuse_damaged(const struct key_file *f, const char *what);
int key_refuse_type(const struct key_file *f, struct slice type);
int key_refuse_locked(const struct key_file *f);
int key_refuse_passphrase(const struct key_file *f);
int key_refuse_memory(const struct key_file *f);

#endif
