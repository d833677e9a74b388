/* A client from inside, for the two files that it is made of: client.c has its life, client_greet.c
 * its first bytes. */
#ifndef SCOUT_DAEMON_CLIENT_STATE_H
#define SCOUT_DAEMON_CLIENT_STATE_H

#include "client.h"
#include "scout/pool/handed_agent.h"

struct client {
    struct list node;
    struct client_owner *owner;
    struct io_file file; /* GREETING */
    struct io_op first;
    struct stream stream;       /* from SERVING on */
    struct handed_agent *agent; /* which it brought; NULL: none */
    struct mcp_session *session;
    const struct door *door;
    struct token token;       /* which it brought; name "": none */
    struct identity identity; /* of its calls, which may outlive the stream */
    struct io_task task;
    struct io_timer look;
    bool greeting, draining, closing, stream_gone, session_gone;
};

/* An io_op_fn for `first`: takes the first bytes, the token and the agent that may come with them,
 * and then begins or turns the client away. */
void client_on_greeting(struct io_op *op, struct io_event event);

/* The stream begins; `bytes` is what has come already. */
void client_begin(struct client *c, struct slice bytes);

#endif
