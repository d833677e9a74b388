/* Accepting connections: multishot, with a pause when descriptors run out (EMFILE, ENFILE, ENOMEM),
 * so that a full table costs a short wait and not a spinning loop. */
#ifndef SCOUT_NET_LISTENER_H
#define SCOUT_NET_LISTENER_H

#include "scout/io/io.h"

#define LISTENER_RETRY_MS 100
#define LISTENER_BACKLOG  1024

struct listener;

struct listener_events {
    /* A new connection; the descriptor is the owner's now. */
    void (*on_accept)(struct listener *l, int fd);
    void (*on_closed)(struct listener *l); /* may be NULL */
};

struct listener {
    struct io_file file;
    const struct listener_events *events;
    struct io_op accept;
    struct io_timer retry;
    uint64_t accepted, retries;
    bool closing;
};

/* Binds and listens. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int listener_open(struct listener *l, struct io *io,
                                                      const struct sockaddr *addr, socklen_t len,
                                                      const struct listener_events *events);
/* Takes over a listening descriptor (socket activation). */
void listener_adopt(struct listener *l, struct io *io, int fd,
                    const struct listener_events *events);
void listener_close(struct listener *l);

#endif
