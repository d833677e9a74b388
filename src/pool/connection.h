/* One connection of the pool, from the first wish to the last byte. Private to the layer.
 *
 *   QUEUED --place free--> LOADING --credentials--> DIALING --socket--> SSH --> READY
 *      \______________________\________________________\_________________\_______/
 *                     connection_end (failure, idle, evicted): ENDING --> freed
 *
 * ENDING is entered at once (the pool forgets the connection, nobody gets it any more) but carried
 * out by the task, never from within the session's callbacks. It is freed when dial, stream and
 * session are gone and the last use was released. */
#ifndef SCOUT_POOL_CONNECTION_H
#define SCOUT_POOL_CONNECTION_H

#include "credentials.h"
#include "scout/net/dial.h"
#include "scout/net/stream.h"
#include "scout/pool/pool.h"
#include "scout/ssh/session.h"

enum connection_state {
    CONNECTION_QUEUED,
    CONNECTION_LOADING,
    CONNECTION_DIALING,
    CONNECTION_SSH,
    CONNECTION_READY,
    CONNECTION_ENDING,
};

struct pool_connection {
    struct pool *pool;
    struct list node;  /* in the pool's LRU list or its queue; own when ending */
    struct list waits; /* struct pool_use */
    uint64_t hash;
    struct ssh_host host;
    enum connection_state state;
    uint32_t users;
    bool counted; /* against connections_max */
    bool was_ready;
    bool dialing, streaming, torn_down;
    struct credentials *credentials;
    bool credentials_loaded;
    struct dial dial;
    struct stream stream;
    struct ssh_session *ssh;
    struct io_task task;   /* steps the session, or tears down */
    struct io_timer timer; /* connect time-out, then idle */
    uint64_t received_ns;  /* when the peer's last byte came */
    struct failure failure;
};

/* A connection in QUEUED; NULL without memory. */
struct pool_connection *connection_new(struct pool *p, const struct ssh_host *host, uint64_t hash);
void connection_start(struct pool_connection *c);
/* Ends it for the reason given (copied). */
void connection_end(struct pool_connection *c, const struct failure *why);
void connection_flush(struct pool_connection *c);
/* After users or the idle time changed: arms the idle timer, or frees an ended connection. */
void connection_settle(struct pool_connection *c);
const char *connection_stage(const struct pool_connection *c);

/* ---- what the pool does for its connections (pool.c) ---- */

struct io *pool_io(const struct pool *p);
const struct pool_config *pool_config(const struct pool *p);
/* It is ready: serve the waits. */
void pool_on_ready(struct pool_connection *c);
/* It is ending: forget it, and fail the waits (later, when `now` is false). */
void pool_on_ending(struct pool_connection *c);
void pool_fail_waits(struct pool_connection *c);
/* It is about to be freed. */
void pool_on_gone(struct pool_connection *c);

#endif
