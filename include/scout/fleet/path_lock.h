/* Turns at a file of a host, for those who read it and then write what follows from that: one at a
 * time, in the order in which they came. It is about this daemon's changes alone, and about a host
 * by its name: what others change shows in the file's etag. */
#ifndef SCOUT_FLEET_PATH_LOCK_H
#define SCOUT_FLEET_PATH_LOCK_H

#include "scout/io/io.h"

struct path_locks;
struct path_lock;

/* It has the turn, or (`late`) it did not come by the deadline and waits no longer. */
typedef void path_lock_fn(struct path_lock *lock, bool late);

/* Embedded in who waits for the turn or has it; zeroed before the first use. */
struct path_lock {
    struct list node;
    struct path_locks *locks; /* NULL: it neither waits nor has the turn */
    const char *host, *path;
    path_lock_fn *fn;
    struct io_task task;
    struct io_timer timer;
    bool has_turn;
};

/* NULL without memory. */
struct path_locks *path_locks_new(struct io *io);
/* Nobody waits or has a turn. */
void path_locks_free(struct path_locks *l);

/* How many turns have ended: what was read before the last one did may be old. */
uint64_t path_locks_ended(const struct path_locks *l);

/* `fn` comes once, never from within this call. Host and path are borrowed until the lock is given
 * back. False: somebody else has the turn. */
bool path_lock_take(struct path_locks *l, struct path_lock *lock, const char *host,
                    const char *path, uint64_t deadline_ns, path_lock_fn *fn);
/* Ends the turn, or the waiting for it. No effect on one that does neither. */
void path_lock_give(struct path_lock *lock);

#endif
