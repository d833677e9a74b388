/* The algorithms that a session offers, in order of preference. Private to the layer. */
#ifndef SCOUT_SSH_SESSION_METHODS_H
#define SCOUT_SSH_SESSION_METHODS_H

#include "scout/ssh/known_hosts.h"
#include <libssh2.h>

/* Sets key exchange, ciphers, MACs, and host key types with those known for the host first; of
 * host key algorithms `only` those named (comma-separated; NULL: all). Returns 0,
 * SCOUT_E_UNSUPPORTED when libssh2 has none of a kind, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int session_methods_set(LIBSSH2_SESSION *ssh,
                                                            const struct known_hosts *known,
                                                            const char *host, uint16_t port,
                                                            const char *only);

#endif
