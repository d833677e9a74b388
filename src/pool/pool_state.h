/* The pool itself: its places, its turns, and who waits for them. Private to the layer.
 *
 * Two things are limited. Places: connections that exist, from before the connect starts until the
 * socket is closed; destinations wait for one in `queue`. Turns: uses that hold a connection; uses
 * whose connection is ready wait for one in `admission`. Both are first come, first served. */
#ifndef SCOUT_POOL_POOL_STATE_H
#define SCOUT_POOL_POOL_STATE_H

#include "connection.h"
#include "table.h"

struct pool {
    struct io *io;
    struct pool_config config;
    struct table table;
    uint64_t hash_seed;
    struct list queue;      /* connections in QUEUED, which have no place yet */
    struct list idle;       /* connections with a place and without a use, longest so first */
    struct list admission;  /* uses of ready connections, by queue_node */
    uint32_t queued;        /* in queue */
    uint32_t queued_places; /* that these need at most */
    bool taking;            /* within the start of one that has taken a place */
    uint32_t ending;        /* connections that will give their place back */
    uint32_t alive;         /* connections not freed yet */
    uint32_t admission_count;
    struct gates gates;
    struct list agents;      /* that clients handed over, newest first (handed_agent.c) */
    uint32_t agent_count;    /* in agents */
    uint64_t agent_retry_ns; /* the daemon's own agent was silent: it is not asked before */
    bool closing;
    void (*on_freed)(void *);
    void *on_freed_context;
    struct io_task serve_task, free_task;
    struct pool_stats stats;
};

/* ---- queue.c ---- */

/* `use` waits for `c` until its deadline; for its turn, when `c` is ready. */
void queue_wait(struct pool_use *use, struct pool_connection *c, uint64_t deadline_ns);
/* Takes it out of every queue. */
void queue_leave(struct pool_use *use);
/* All who wait for `c` are out of `admission`: it serves nobody any more. */
void queue_withdraw(struct pool_connection *c);
void queue_hold(struct pool_use *use, struct pool_connection *c);
/* Gives turns at the end of this pass. */
void queue_serve_soon(struct pool *p);
/* It leaves the queue for a place without one. */
void queue_forget(struct pool_connection *c);
/* It is needed by the one that is being started, which has counted its place: it need not wait. */
void queue_promote(struct pool_connection *c);
/* Takes a place for `c`, or puts it at the end of the queue for one. */
void queue_place(struct pool *p, struct pool_connection *c);
/* Gives free places to those who wait. */
void queue_places(struct pool *p);
/* Evicts unwanted connections, one for each place that is waited for and not coming yet. */
void queue_make_room(struct pool *p);

#endif
