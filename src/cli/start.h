/* A connection to the daemon, which is started when none runs. */
#ifndef SCOUT_CLI_START_H
#define SCOUT_CLI_START_H

#include "scout/base/paths.h"

#define START_POLL_MS      5     /* between two attempts to connect */
#define START_READY_MS     10000 /* what a new daemon may take until it accepts */
#define START_LOCK_WAIT_MS 15000 /* what somebody else's start may take */
#define START_OTHER_MS     2000  /* until a daemon listens that kept ours from staying */

/* Connects to the socket of `paths`; when nobody listens there, starts a daemon under the start
 * lock (docs/wire.md) and waits until it accepts. Returns the connected descriptor (blocking,
 * close-on-exec), or a negative error with *why filled. */
__attribute__((warn_unused_result)) int start_connect(const struct paths *paths,
                                                      struct failure *why);

#endif
