/* Private keys in OpenSSH's own format. Private to the ssh layer's key*.c. */
#ifndef SCOUT_SSH_KEY_OPENSSH_H
#define SCOUT_SSH_KEY_OPENSSH_H

#include "key_private.h"

/* `body` is the base64 between the armour lines. As ssh_key_parse. */
__attribute__((warn_unused_result)) int key_openssh_parse(struct ssh_key **out, struct slice body,
                                                          struct slice passphrase,
                                                          const struct key_file *f);

/* Appends the public blob, which is in clear. 0, SCOUT_E_KEY, _LIMIT or _NOMEM. */
__attribute__((warn_unused_result)) int key_openssh_public(struct slice body, struct buf *out);

#endif
