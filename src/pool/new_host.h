/* What has to be settled about a host's key on a helper thread: that of a new host is written down
 * (StrictHostKeyChecking accept-new), the lines of a host's address are looked at (CheckHostIP).
 * Private to the layer. */
#ifndef SCOUT_POOL_NEW_HOST_H
#define SCOUT_POOL_NEW_HOST_H

#include "destination.h"
#include "scout/io/io.h"
#include "scout/pool/pool.h"

struct new_host;

/* What came of it. */
struct new_host_end {
    struct failure why; /* error 0: the key is accepted */
    const char *file;   /* where a line was added; NULL: none was, or it was there already */
    struct slice key;
};

/* A key, and what is to be done about it. All is copied. */
struct new_host_key {
    struct slice key;
    bool is_new;         /* nothing is known of the host; else the key is */
    const char *address; /* what it was dialled at, if that is looked up as well; "": it is not */
};

/* on_done comes once, later, unless it is left; all that it gets is borrowed. NULL without memory,
 * or when the key is none. */
struct new_host *new_host_start(struct io *io, struct destination *d,
                                const struct pool_config *config, const struct new_host_key *key,
                                void (*on_done)(void *context, const struct new_host_end *end),
                                void *context);
/* Nobody waits any more; what was begun is carried out. */
void new_host_leave(struct new_host *n);

#endif
