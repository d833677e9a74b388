/* Who is at the other end of a Unix socket. */
#ifndef SCOUT_BASE_PEER_H
#define SCOUT_BASE_PEER_H

#include <stdbool.h>

/* Whether the process that listens on the socket that `fd` has connected to is certainly gone. The
 * kernel takes down the ring of a killed process a little after the process itself; until then its
 * listening socket takes connections that nobody will serve. */
bool peer_is_gone(int fd);

#endif
