/* What carries a connection's bytes: a socket (of TCP, or of a ProxyCommand's process), or a way
 * through a bastion (hop.h). Private to the layer; the connection is told by connection_received,
 * _peer_ended, _drained and _carrier_closed, whichever it is. */
#ifndef SCOUT_POOL_CARRIER_H
#define SCOUT_POOL_CARRIER_H

#include "connection.h"

/* What is to be sent is appended to it, then carrier_push. NULL: nothing goes any more. */
struct buf *carrier_out(struct pool_connection *c);
void carrier_push(struct pool_connection *c);
/* For what nobody waits for: behind what this pass sends to others. */
void carrier_push_late(struct pool_connection *c);
/* Bytes that have not gone yet. */
size_t carrier_pending(const struct pool_connection *c);
void carrier_pause(struct pool_connection *c);
void carrier_resume(struct pool_connection *c);
/* Gives back the memory of buffers that are empty. */
void carrier_shrink(struct pool_connection *c);
/* It is a socket from now on, and open. */
void carrier_open(struct pool_connection *c, struct io_file *file);
/* Before carrier_close: bytes that go if they can go at once. A hop's do not. */
void carrier_send_last(struct pool_connection *c, struct slice bytes);
/* connection_carrier_closed follows, perhaps from within. */
void carrier_close(struct pool_connection *c);

#endif
