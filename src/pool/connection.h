/* One connection of the pool, from the first wish to the last byte. Private to the layer.
 *
 *   QUEUED --place free--> LOADING --keys--> DIALING --socket--> SSH --> READY
 *      \______________________\________________\__________________\_______/
 *                  connection_end (failure, idle, evicted, lost): ENDING --> freed
 *
 * ENDING is entered at once (the pool forgets the connection, nobody gets it any more) but carried
 * out by the task, never from within anybody's callback. Its place is given back when its socket is
 * closed; it is freed when its agent is gone and the last use was released, too. */
#ifndef SCOUT_POOL_CONNECTION_H
#define SCOUT_POOL_CONNECTION_H

#include "channels.h"
#include "destination.h"
#include "gate.h"
#include "hop.h"
#include "process.h"
#include "scout/net/stream.h"
#include "scout/pool/pool.h"

enum connection_state {
    CONNECTION_QUEUED,  /* for a place */
    CONNECTION_LOADING, /* key files and known_hosts are read, the agent is asked */
    CONNECTION_DIALING,
    CONNECTION_SSH, /* handshake, authentication, anchor channel */
    CONNECTION_READY,
    CONNECTION_ENDING,
};

/* A destination has up to three connections, one for each purpose. The second is opened where the
 * first has no channel for commands beside its anchor (MaxSessions 1), the third where a command
 * must be stopped and no channel is kept for that: both are for commands alone, without an anchor.
 * More never pay: a host that allows few channels is one that wants little done at a time, and each
 * connection costs it a process. One for jumps is made where a host opens no session at all, and
 * only lets through to others (hop.h). */
enum pool_lane { POOL_LANE_FIRST, POOL_LANE_COMMANDS, POOL_LANE_STOPS, POOL_LANE_JUMPS };

struct connect; /* what only the way to READY needs: connect_state.h */

/* What a request on a warm connection touches comes first and together: with a thousand of them in
 * use none is in the processor's cache, and each line is waited for. */
struct pool_connection {
    struct pool *pool;
    struct destination *destination;
    struct list node; /* in the pool's queue for a place, or among the idle ones */
    enum connection_state state;
    uint32_t users;         /* uses that hold it */
    struct engine *engine;  /* NULL before SSH and after the tear-down */
    struct io_task task;    /* steps the engine, or tears down */
    struct list waits;      /* struct pool_use, by `node` */
    uint64_t received_ns;   /* when the peer's last byte came */
    uint64_t idle_since_ns; /* when it became unwanted */
    bool counted;           /* has a place: counts against connections_max */
    bool was_ready, has_sftp, torn_down;
    bool pinned;     /* wanted for the moment, whoever uses it */
    bool ping_waits; /* a sign of life was asked for and has not come yet */
    bool streaming;  /* its carrier is open */
    bool retrying;   /* the carrier is being closed, and opened again */
    bool paused;     /* a hop's */
    enum pool_lane lane;
    struct io_timer timer; /* the connect's time-out, then idle time and signs of life */
    struct pool_channels channels;
    struct stream stream;    /* unless there is a hop */
    struct hop *hop;         /* the way through host->via; NULL: none, or not yet */
    struct process *process; /* of a ProxyCommand; NULL: none, or gone */
    struct gate_pass pass;
    struct pool_hops hops; /* that go through this one */
    uint32_t places;       /* that it needs at most, with all on its way */
    uint64_t hash, generation;
    const char *name;        /* of the host, for messages: the destination's */
    struct connect *connect; /* NULL before and after */
    enum pool_stage stage;   /* where the connect is */
    uint64_t stage_since_ns;
    uint64_t looked_ns;     /* when a sign of life was last asked for */
    size_t unsent;          /* how much waited to be sent then */
    struct failure failure; /* of ENDING */
};

/* A connection in QUEUED, not in the table yet; NULL without memory. */
struct pool_connection *connection_new(struct pool *p, const struct ssh_host *host,
                                       const char *principal);
void connection_start(struct pool_connection *c);
/* Ends it for the reason given (copied). A second call is ignored. */
void connection_end(struct pool_connection *c, const struct failure *why);
/* Steps the engine at the end of this pass and sends what it puts out. */
void connection_flush(struct pool_connection *c);
/* Something that kept it from being freed has gone: frees it if that was the last. */
void connection_settle(struct pool_connection *c);

/* True when nobody holds it, waits for it, or has a channel on it. */
bool connection_unwanted(const struct pool_connection *c);

/* ---- connect.c, connect_dial.c: the way to READY ---- */

/* Keys, agent, name, socket; then c->engine exists and connection_opened is called. */
void connect_start(struct pool_connection *c);
/* Ends what is under way (connection_settle is called for each thing that has gone) and frees what
 * only the connect needed. Also when it is ready. A second call does nothing. */
void connect_stop(struct pool_connection *c);
/* Whether nothing of it is in flight any more. */
bool connect_is_over(const struct pool_connection *c);
/* The stage as far as it is known here, RESOLVING or CONNECTING while dialling. */
enum pool_stage connect_stage(const struct pool_connection *c);
/* Counts what was found out meanwhile: that the name was resolved, and when. */
void connect_follow(struct pool_connection *c);
/* Completes a failure of the engine: which keys were not tried, and why. */
void connect_explain(const struct pool_connection *c, struct failure *f);
/* The carrier is open (`file`: it is that socket; NULL: the hop), and there is an engine, unless
 * the connection is ending. */
void connection_opened(struct pool_connection *c, struct io_file *file);
/* It is through the gate. */
void connect_admitted(struct pool_connection *c);
/* The handshake was cut off before anything of the user was sent: true when it is tried again, and
 * the carrier is to be closed first. */
bool connect_may_retry(struct pool_connection *c, const struct failure *why);
/* The carrier is closed for that. */
void connect_retry(struct pool_connection *c);
/* The hop is open. */
void connect_hop_opened(struct pool_connection *c);

/* ---- what the carrier tells (carrier.h) ---- */

void connection_received(struct pool_connection *c, struct slice data);
/* The peer sends no more (0), or it broke (-errno). */
void connection_peer_ended(struct pool_connection *c, int error);
/* The peer sends no more, and what its process said is known. */
void connection_process_over(struct pool_connection *c);
void connection_drained(struct pool_connection *c);
void connection_carrier_closed(struct pool_connection *c);

/* ---- pulse.c: idle time and signs of life of a READY connection ---- */

void connection_pulse(struct pool_connection *c);
/* The peer sent something. */
void connection_heard(struct pool_connection *c);

/* ---- stage.c: where time goes, and what to say when it is over ---- */

/* The connect came to `stage` (or passed it) at `when_ns`: the time spent before is counted. */
void connection_enter(struct pool_connection *c, enum pool_stage stage, uint64_t when_ns);
/* The time that was spent in its last stage is counted. */
void connection_leave(struct pool_connection *c, uint64_t when_ns);
/* Fills *why: a deadline passed while a use waited for this connection. */
void connection_late(struct pool_connection *c, struct failure *why);

/* ---- what the pool does for its connections (pool.c, queue.c) ---- */

struct io *pool_io(const struct pool *p);
const struct pool_config *pool_config(const struct pool *p);
struct pool_stats *pool_stats_of(struct pool *p); /* to count in */
/* pool_acquire is that for POOL_LANE_FIRST. */
__attribute__((warn_unused_result)) int
pool_acquire_lane(struct pool *p, const struct ssh_host *host, const char *principal,
                  enum pool_lane lane, uint64_t deadline_ns, struct pool_use *use,
                  void (*on_ready)(struct pool_use *, const struct failure *), struct failure *why);
/* Acquires a connection that is to carry another one: it counts neither among those who wait nor
 * among those who hold, and has no deadline but that of the one it is for. As pool_acquire; while a
 * place is being taken for that one (queue.c), a place is there for this one, too. */
__attribute__((warn_unused_result)) int
pool_carry(struct pool *p, const struct ssh_host *host, const char *principal, enum pool_lane lane,
           struct pool_use *use, void (*on_ready)(struct pool_use *, const struct failure *),
           struct failure *why);
/* The one that pool_carry would find; NULL: it would make one. */
struct pool_connection *pool_find(const struct pool *p, const struct ssh_host *host,
                                  const char *principal, enum pool_lane lane);
/* Whether there is a connection of that lane, ready or not. */
bool pool_has_lane(const struct pool *p, const struct ssh_host *host, const char *principal,
                   enum pool_lane lane);
/* The engine of a held connection; NULL when the session is gone. */
struct engine *pool_engine(const struct pool_use *use);
/* It is ready: serve the waits. */
void pool_on_ready(struct pool_connection *c);
/* Perhaps unwanted now: it may have to make room. */
void pool_on_unwanted(struct pool_connection *c);
/* It is ending: forget it. */
void pool_on_ending(struct pool_connection *c);
void pool_fail_waits(struct pool_connection *c);
/* Its socket is closed: the place is free. */
void pool_on_closed(struct pool_connection *c);
/* It is about to be freed. */
void pool_on_gone(struct pool_connection *c);

#endif
