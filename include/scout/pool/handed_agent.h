/* An ssh agent that a client handed over: connected sockets of it, of a principal.
 *
 * Logins of that principal (pool_acquire) ask it instead of the daemon's own agent; of several that
 * were handed over for one principal, the newest that lives. */
#ifndef SCOUT_POOL_HANDED_AGENT_H
#define SCOUT_POOL_HANDED_AGENT_H

#include "scout/pool/pool.h"

#define HANDED_LINES_MAX 4 /* sockets of one agent: each answers one request at a time */
#define HANDED_AGENTS_FULL                                                                         \
    64 /* agents with all their sockets; of further ones only one is kept                          \
        */

struct handed_agent;

/* Takes over `count` (1 to HANDED_LINES_MAX) descriptors of connected Unix stream sockets; they are
 * closed with it, and those over what is kept at once. `principal` is copied. NULL without memory:
 * then they are the caller's still. */
struct handed_agent *handed_agent_new(struct pool *p, const char *principal, const int *fds,
                                      size_t count);

/* Who brought it has gone: no login finds it any more. Those that are asking it go on, and its
 * sockets are closed after them. */
void handed_agent_drop(struct handed_agent *a);

#endif
