/* The algorithms that a session offers, in order of preference. Private to the layer. */
#ifndef SCOUT_SSH_SESSION_METHODS_H
#define SCOUT_SSH_SESSION_METHODS_H

#include "scout/ssh/engine.h"
#include <libssh2.h>

/* Sets key exchange, ciphers, MACs and host key types by the lists of `config`; host key types that
 * are known for the host come first, unless a list says which is first. Returns 0,
 * SCOUT_E_NO_COMMON_ALGORITHM when there is none left of a kind,
 * SCOUT_E_UNSUPPORTED when libssh2 refuses them, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int session_methods_set(LIBSSH2_SESSION *ssh,
                                                            const struct engine_config *config);

#endif
