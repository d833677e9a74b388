/* The first bytes of a client, and the descriptors of its ssh agent that may come along with them
 * (docs/wire.md, "Agent hand-over"). */
#ifndef SCOUT_DAEMON_GREETING_H
#define SCOUT_DAEMON_GREETING_H

#include "scout/pool/handed_agent.h"

#define GREETING_SIZE 4096 /* bytes taken with the descriptors; what follows comes as a stream */

struct greeting {
    int fds[HANDED_LINES_MAX]; /* connected Unix stream sockets, the caller's to close */
    size_t fd_count;
    const char *refused; /* why descriptors were closed again; NULL: none were */
    size_t len;
    uint8_t bytes[GREETING_SIZE];
};

/* Takes what has arrived on the connected socket, without waiting: maybe nothing. All descriptors
 * that are no connected Unix stream sockets, and those over HANDED_LINES_MAX, are closed. */
void greeting_take(int socket, struct greeting *out);

#endif
