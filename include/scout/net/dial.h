/* From a host name and a port to a connected socket: the name is resolved, then its addresses are
 * tried as RFC 8305 has it ("happy eyeballs"): the families take turns, IPv6 first; the next one is
 * tried when the one before has failed or has not answered for DIAL_ATTEMPT_DELAY_MS, while the
 * earlier ones go on; the first that is connected wins. One deadline holds for all of it.
 * TCP_NODELAY and SO_KEEPALIVE are set.
 *
 * Embedded in its owner. on_done comes exactly once, also after dial_cancel. */
#ifndef SCOUT_NET_DIAL_H
#define SCOUT_NET_DIAL_H

#include "scout/base/error.h"
#include "scout/io/io.h"
#include "scout/net/resolver.h"

#define DIAL_ADDRESSES_MAX    ADDRESS_LIST_MAX
#define DIAL_ATTEMPTS_MAX     4 /* in flight; when all wait, the oldest makes room in its turn */
#define DIAL_ATTEMPT_DELAY_MS 250
#define DIAL_HOST_MAX         254

struct dial;

/* Success: error->error is 0 and d->file is the connected file, to be moved into a stream by
 * stream_init_file. Failure: error says at which stage ("resolving", "connecting") and why; no file
 * is open. After on_done the memory is the owner's again. */
typedef void dial_done_fn(struct dial *d, const struct failure *error);

struct dial_attempt {
    struct dial *dial;
    struct io_file file;
    struct io_op connect;
    uint32_t address; /* index */
    bool open;        /* from its start until its file is closed, or is the winner's */
};

/* Where to, and how. */
struct dial_target {
    const char *host; /* a name, or a literal address, which costs no look-up */
    const char *from; /* a literal address to come from; NULL: any */
    int family;       /* AF_INET or AF_INET6: addresses of the other one do not count; AF_UNSPEC */
    uint16_t port;
};

struct dial {
    struct io *io;
    struct io_file file; /* the result */
    struct address peer; /* what it is connected to */
    struct dial_attempt attempts[DIAL_ATTEMPTS_MAX];
    struct resolver_query query;
    struct resolver *resolver;
    struct io_timer deadline, delay;
    struct io_task task;
    dial_done_fn *on_done;
    uint64_t deadline_ns;
    uint64_t resolved_ns; /* when the addresses were known; of use when address_count > 0 */
    struct address addresses[DIAL_ADDRESSES_MAX]; /* in the order of trying */
    uint32_t address_count, next, open_count;     /* address_count 0: still resolving */
    struct address from;                          /* family AF_UNSPEC: any */
    int family;
    uint16_t port;
    char host[DIAL_HOST_MAX + 1];
    int last_error;
    bool won, finishing;
    struct failure failure;
};

/* What the target holds is copied. `resolver` is borrowed; NULL: only literal addresses can be
 * dialled, a name fails with SCOUT_E_RESOLVE. Addresses of another family than `from` do not count.
 * `deadline_ns` is absolute, on io_now's clock. */
void dial_start(struct dial *d, struct io *io, struct resolver *resolver,
                const struct dial_target *target, uint64_t deadline_ns, dial_done_fn *on_done);
/* on_done comes with SCOUT_E_CANCELLED, unless it was already due. */
void dial_cancel(struct dial *d);

#endif
