/* The way of a connection through another one, its bastion. Private to the layer.
 *
 *   CONNECTING --bastion ready--> READY --keys there--> WAITING --turn--> OPENING --> OPEN
 *                                                          ^----out of patience---/
 *
 * From its start to its end a hop holds its bastion, which therefore is neither evicted nor closed
 * when idle; it holds no turn of a request (max_requests). How hops share one bastion is in
 * hop.c. */
#ifndef SCOUT_POOL_HOP_H
#define SCOUT_POOL_HOP_H

#include "scout/pool/pool.h"
#include "scout/ssh/engine.h"

#define HOP_HANDSHAKES_MAX    8    /* through one bastion at one time */
#define HOP_SLOT_MS           5000 /* one that takes longer no longer counts */
#define HOP_PATIENCE_FIRST_MS 1000
#define HOP_PATIENCE_MAX_MS   16000

struct pool_connection;

enum hop_state { HOP_CONNECTING, HOP_READY, HOP_WAITING, HOP_OPENING, HOP_OPEN, HOP_ENDED };

struct hop {
    struct pool_connection *connection; /* the one that goes this way */
    struct pool_use use;                /* of the bastion */
    enum hop_state state;
    bool wanted;      /* is to be opened as soon as the bastion is ready */
    bool handshaking; /* counts among those of the bastion */
    bool bare;        /* the bastion opens no sessions: a connection without an anchor is used */
    struct forward *forward; /* of OPENING and OPEN */
    struct io_timer slot;    /* while it is handshaking */
    struct list node;        /* of WAITING: in the bastion's hops */
    uint32_t patience_ms;
};

/* What a connection carries for others. */
struct pool_hops {
    struct list waiting;   /* struct hop */
    struct hop *opening;   /* NULL: none */
    uint32_t handshaking;  /* that are open and not ready yet */
    struct io_timer timer; /* while one is opening: the end of its patience */
};

void hops_init(struct pool_hops *hops);
/* The connection is being torn down; its engine is gone. */
void hops_fail(struct pool_connection *bastion);

/* Asks for the bastion of `c` (which has one), a place for which was counted. False without memory
 * or when the pool is closing; then *why says so. */
bool hop_start(struct pool_connection *c, struct failure *why);
/* Opens the way, now or as soon as it can be; again, too, after it was closed by hop_shut. Then
 * connect_hop_opened or connection_end is called. */
void hop_open(struct hop *h);
/* Closes the way, but keeps the bastion. */
void hop_shut(struct hop *h);
/* The handshake through it is over. */
void hop_settled(struct hop *h);
/* Closes the way, gives the bastion back and frees it. */
void hop_free(struct hop *h);

/* Why its connection cannot be had: what the bastion's failure means for those behind it. */
void hop_explain(const struct hop *h, const struct failure *of_bastion, struct failure *why);

#endif
