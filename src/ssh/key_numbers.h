/* From the fields of OpenSSH's private section to a libcrypto key. Private to the ssh layer's
 * key*.c. */
#ifndef SCOUT_SSH_KEY_NUMBERS_H
#define SCOUT_SSH_KEY_NUMBERS_H

#include "key_private.h"
#include "wire.h"

/* Reads the fields of a key of `type` and makes it. 0 with *out; SCOUT_E_KEY when they are cut off,
 * malformed, or do not belong together. */
__attribute__((warn_unused_result)) int key_numbers_read(EVP_PKEY **out,
                                                         const struct key_type *type,
                                                         struct wire *w, const struct key_file *f);

#endif
