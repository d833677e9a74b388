/* How many handshakes with one address go on at a time. Private to the layer.
 *
 * An SSH server drops connections when more than some (MaxStartups, 10 by default) are not logged
 * in yet. Connections to one address are many when many logins, or connections for commands, are
 * asked for at once; each passes the gate before it dials and leaves it when it is ready, or ends.
 * First come, first served; addresses never wait for each other. */
#ifndef SCOUT_POOL_GATE_H
#define SCOUT_POOL_GATE_H

#include "scout/io/io.h"

#define GATE_HANDSHAKES_MAX 8    /* with one address */
#define GATE_SLOT_MS        5000 /* one that takes longer no longer counts */
#define GATE_BUCKETS        64

struct pool_connection;

/* Of a pool. */
struct gates {
    struct list in[GATE_BUCKETS], waiting[GATE_BUCKETS];
};

/* Of a connection. */
struct gate_pass {
    struct list node;
    struct io_timer timer; /* while it is in */
    bool in, waiting;
};

void gates_init(struct gates *g);
/* True: it is in. False: connect_admitted is called when it is. */
bool gate_enter(struct pool_connection *c);
/* It is out, wherever it was; the next one may get in, from within. */
void gate_leave(struct pool_connection *c);

#endif
