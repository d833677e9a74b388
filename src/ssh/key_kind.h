/* What a file that was named as a private key is. Private to the ssh layer. */
#ifndef SCOUT_SSH_KEY_KIND_H
#define SCOUT_SSH_KEY_KIND_H

#include "scout/base/error.h"
#include "scout/base/slice.h"

/* Finds the base64 between the armour lines of an OpenSSH private key. 0, or SCOUT_E_KEY with what
 * the file is instead, and what to do. */
__attribute__((warn_unused_result)) int key_find_body(struct slice text, const char *name,
                                                      struct slice *body, struct failure *why);

/* The refusal of a key of another type than Ed25519. Returns SCOUT_E_KEY. */
int key_refuse_type(const char *name, struct slice type, struct failure *why);

#endif
