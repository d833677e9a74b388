/* What a file that was named as a private key is. Private to the ssh layer's key*.c. */
#ifndef SCOUT_SSH_KEY_KIND_H
#define SCOUT_SSH_KEY_KIND_H

#include "key_private.h"

/* Finds what is to be decoded: *body is the base64 between the armour lines of OpenSSH's own
 * format, or, with *is_pem, the whole text. 0, or SCOUT_E_KEY with what the file is instead and
 * what to do. */
__attribute__((warn_unused_result)) int key_find_body(const struct key_file *f, struct slice text,
                                                      struct slice *body, bool *is_pem);

#endif
