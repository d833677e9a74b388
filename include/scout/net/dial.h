/* From a host name and a port to a connected socket: the name is resolved (a literal address at
 * once, a name by getaddrinfo on a helper thread), then its addresses are tried in the order given,
 * each for its share of what is left of the deadline. TCP_NODELAY and SO_KEEPALIVE are set.
 *
 * Embedded in its owner. on_done comes exactly once, also after dial_cancel. */
#ifndef SCOUT_NET_DIAL_H
#define SCOUT_NET_DIAL_H

#include "scout/base/error.h"
#include "scout/io/io.h"

#define DIAL_ADDRESSES_MAX 8
#define DIAL_HOST_MAX      254

struct dial;

/* Success: error->error is 0 and d->file is the connected file, to be moved into a stream by
 * stream_init_file. Failure: error says at which stage ("resolving", "connecting") and why; the
 * file is closed. After on_done the memory is the owner's again. */
typedef void dial_done_fn(struct dial *d, const struct failure *error);

struct dial {
    struct io *io;
    struct io_file file;
    struct io_op connect;
    struct io_timer timer;
    struct io_task task;
    struct dial_resolve *resolve; /* outlives the dial when it is cancelled */
    dial_done_fn *on_done;
    uint64_t deadline_ns;
    struct sockaddr_storage addresses[DIAL_ADDRESSES_MAX];
    socklen_t address_lens[DIAL_ADDRESSES_MAX];
    uint32_t address_count, next;
    uint16_t port;
    char host[DIAL_HOST_MAX + 1];
    int last_error;
    bool finishing;
    struct failure failure;
};

/* `host` is copied. `deadline_ns` is absolute, on io_now's clock. */
void dial_start(struct dial *d, struct io *io, const char *host, uint16_t port,
                uint64_t deadline_ns, dial_done_fn *on_done);
/* on_done comes with SCOUT_E_CANCELLED, unless it was already due. */
void dial_cancel(struct dial *d);

#endif
