/* The proxy's parts; main.c says what it is. */
#ifndef PROXY_PROXY_H
#define PROXY_PROXY_H

#include "ev.h"
#include "scout/base/buf.h"
#include "scout/base/list.h"
#include <netinet/in.h>

#define WAY_QUEUE_MAX  (8u * 1024u * 1024u) /* bytes under way; then the sender has to wait */
#define WAY_CHUNKS_MAX 16384
#define WAY_READ_MAX   65536

enum { UP, DOWN, WAYS }; /* from the client to the server, and back */

struct proxy_options {
    struct sockaddr_in listen, to;
    uint64_t delay_ns;   /* round trip: half of it in each direction */
    uint64_t jitter_ns;  /* at most this much more in each direction, evenly spread */
    uint64_t rate;       /* bytes a second in each direction; 0: no limit */
    uint64_t dribble_ns; /* one byte, then this pause; 0: off */
    uint64_t stall_after[WAYS], reset_after[WAYS]; /* bytes of one connection; 0: never */
    bool half_open;
};

struct proxy_counts {
    uint64_t bytes[WAYS], bursts[WAYS], connections;
};

struct proxy {
    struct ev_loop loop;
    struct proxy_options options;
    struct proxy_counts counts;
    struct ev_watch listener, control, signals;
    struct buf line; /* of the control input */
    struct list pairs, dead;
    uint32_t open;
    uint64_t random;
    bool stalled, blackhole;
};

struct chunk {
    uint64_t due_ns;
    uint32_t len; /* 0: the end of the stream */
};

/* One direction of one connection: bytes wait in order until they are due. */
struct way {
    struct pair *pair;
    int index; /* UP or DOWN: reads sides[index], writes sides[!index] */
    struct buf queue;
    struct chunk chunks[WAY_CHUNKS_MAX];
    uint32_t first, count;
    struct ev_timer timer;
    uint64_t bytes, last_arrival_ns, last_due_ns, free_ns;
    bool ended;   /* the end of the stream was read */
    bool shut;    /* and passed on */
    bool blocked; /* the receiver takes no more for now */
    bool stalled; /* by --stall-after */
};

struct side {
    struct ev_watch watch; /* fd -1: none */
    struct pair *pair;
    int index;
    bool connecting;
};

/* A client's connection and ours to the server. */
struct pair {
    struct proxy *proxy;
    struct list node;
    struct side sides[WAYS]; /* [UP] the client's, [DOWN] the server's */
    struct way ways[WAYS];
    bool ended;
};

/* --- pair.c ---------------------------------------------------------------------------------- */

void pair_new(struct proxy *p, int fd);
/* Both sides end with a reset. Freed by pairs_reap. */
void pair_reset(struct pair *pair);
/* After stalled or blackhole changed. */
void pair_update(struct pair *pair);
void pairs_reap(struct proxy *p);

/* --- way.c ----------------------------------------------------------------------------------- */

void way_init(struct way *w, struct pair *pair, int index);
void way_fini(struct way *w);
bool way_wants_input(const struct way *w);
/* The sender has something. */
void way_read(struct way *w);
/* Passes on what is due. */
void way_write(struct way *w);

#endif
