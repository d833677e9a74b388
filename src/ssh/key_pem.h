/* Private keys in PEM: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) and SEC1 (RFC 5915). Private to the ssh
 * layer's key*.c. */
#ifndef SCOUT_SSH_KEY_PEM_H
#define SCOUT_SSH_KEY_PEM_H

#include "key_private.h"

/* As ssh_key_parse. */
__attribute__((warn_unused_result)) int key_pem_parse(struct ssh_key **out, struct slice text,
                                                      struct slice passphrase,
                                                      const struct key_file *f);

#endif
