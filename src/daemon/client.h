/* One MCP client on the Unix socket: its stream and its session. */
#ifndef SCOUT_DAEMON_CLIENT_H
#define SCOUT_DAEMON_CLIENT_H

#include "door.h"
#include "scout/base/list.h"
#include "scout/mcp/session.h"
#include "scout/net/stream.h"
#include "tokens.h"

struct client;

/* Who holds the clients. */
struct client_owner {
    struct list clients;
    uint32_t count;
    uint64_t opened;             /* clients so far: the number of the next one, less 1 */
    struct stream_tally unsent;  /* bytes that wait for all clients */
    const struct tokens *tokens; /* that count now */
    struct mcp_config mcp;
    struct pool *agents;     /* takes the agents that clients hand over; NULL: none are taken */
    enum identity_role role; /* of those whom only their uid tells */
    void (*on_gone)(struct client_owner *owner); /* after each one that ended */
};

/* Serves the connected descriptor, which came in by `door` as `identity` (copied; it gets its
 * number here). 0, or SCOUT_E_NOMEM (the descriptor is closed then). */
__attribute__((warn_unused_result)) int client_open(struct client_owner *owner, struct io *io,
                                                    int fd, const struct door *door,
                                                    const struct identity *identity);
/* How many came in by `door`. */
uint32_t clients_by_door(const struct client_owner *owner, const struct door *door);
/* What the door or the token stands for may have changed: the role follows, and a client whose
 * token is no more is closed. */
void client_refresh(struct client *c);
/* Takes no more input; closes when what is in flight has been answered and sent. */
void client_drain(struct client *c);
/* Of one that drains: what is in flight ends early, and is answered. */
void client_end_calls(struct client *c);
/* Ends it at once. */
void client_close(struct client *c);

/* The client whose place in the owner's list `node` is. */
struct client *client_of(struct list *node);

#endif
