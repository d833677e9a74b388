/* The one line that a client gets who is turned away. */
#ifndef SCOUT_DAEMON_REFUSAL_H
#define SCOUT_DAEMON_REFUSAL_H

#include "scout/base/error.h"
#include "scout/base/log.h"

/* Sends the socket a JSON-RPC error without an id, if it takes it at once, and logs it. The
 * descriptor stays the caller's. */
void refusal_send(int fd, const struct failure *why, struct log *log);

#endif
