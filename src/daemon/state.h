/* What one daemon holds alone: the state folder's lock, and the socket's file. */
#ifndef SCOUT_DAEMON_STATE_H
#define SCOUT_DAEMON_STATE_H

#include "scout/base/error.h"
#include "scout/base/paths.h"

/* Makes the folders of the state and the socket (mode 0700), takes the state lock, and, where the
 * daemon makes its socket (`own_socket`: none was handed over), clears the way for it: a file that
 * nobody listens on is removed, a live one is refused, anything that is no socket is refused.
 * Returns the lock's descriptor (held until closed), or a negative error with *why. Blocking: for
 * the start only. */
__attribute__((warn_unused_result)) int state_claim(const struct paths *paths, bool own_socket,
                                                    struct failure *why);

#endif
