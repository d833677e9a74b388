/* Sockets that somebody else owns, polled on the loop: those of c-ares. Private to the layer. */
#ifndef SCOUT_NET_DNS_SOCKETS_H
#define SCOUT_NET_DNS_SOCKETS_H

#include "scout/base/list.h"
#include "scout/io/io.h"

struct dns_socket_events {
    void (*on_readable)(void *context, int fd);
    void (*on_writable)(void *context, int fd);
    void (*on_closed)(void *context); /* nothing of one of them is left */
};

struct dns_sockets {
    const struct dns_socket_events *events;
    void *context;
    struct list list; /* until their owner lets go of them */
    uint32_t count;   /* the closing ones, too */
};

void dns_sockets_init(struct dns_sockets *all, const struct dns_socket_events *events,
                      void *context);
/* What the owner waits for on its socket `fd`; for nothing: it closes it now. Without memory or
 * descriptors nothing is heard on it: the owner's time-out goes on with another try. */
void dns_sockets_want(struct dns_sockets *all, struct io *io, int fd, bool read, bool write);
/* Whether the owner has closed all of its own. */
bool dns_sockets_are_let_go(const struct dns_sockets *all);

#endif
