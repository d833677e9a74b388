/* Those who wait for a channel of one connection: first come, first served within a client, in turn
 * between clients. Pure; private to the layer. Every operation costs the same however many wait. */
#ifndef SCOUT_POOL_CHANNEL_QUEUE_H
#define SCOUT_POOL_CHANNEL_QUEUE_H

#include "scout/base/list.h"
#include <stdint.h>

#define CHANNEL_QUEUE_BUCKETS 64

/* Embedded in the one who waits; zeroed before the first use. */
struct channel_wait {
    uint64_t client;
    uint64_t ticket;            /* the order of coming */
    struct list turn;           /* the first of its client: in turns */
    struct list mates;          /* a ring of those who wait for one client */
    struct channel_wait *chain; /* the first of its client: in its bucket */
    bool queued;
    bool returned; /* queued again, see channel_queue_return */
};

struct channel_queue {
    uint32_t count;
    uint64_t tickets;
    struct list turns; /* the first waiter of each client; whose turn is next comes first */
    struct channel_wait *buckets[CHANNEL_QUEUE_BUCKETS];
};

void channel_queue_init(struct channel_queue *q);
/* At the end of its client's. */
void channel_queue_add(struct channel_queue *q, struct channel_wait *w);
/* One that was taken for nothing: to where it was, before those of its client that came later, and
 * its client's turn is next. */
void channel_queue_return(struct channel_queue *q, struct channel_wait *w);
/* Whose turn it is; NULL when nobody waits. Its client's next turn comes after all others'. */
struct channel_wait *channel_queue_take(struct channel_queue *q);
/* Takes it out, wherever it is; it must be queued. */
void channel_queue_remove(struct channel_queue *q, struct channel_wait *w);

#endif
