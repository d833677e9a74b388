/* Where a directory of a host really is, and what paths that are relative to it really name, and of
 * which type: what policy has to be asked about before a command may run there.
 *
 * All in one round trip over SFTP; at a host without it, by one command of its shell. A path that
 * does not resolve (nothing is there, or it may not be looked at) is told as its spelling says,
 * below the real directory: what its command would find there, it cannot read either. */
#ifndef SCOUT_FLEET_REAL_PATHS_H
#define SCOUT_FLEET_REAL_PATHS_H

#include "scout/fleet/path_get.h"

#define REAL_PATHS_MAX       512                  /* of one request */
#define REAL_PATHS_BYTES_MAX (4u * 1024u * 1024u) /* of all of them, with what they resolve to */

/* What is at a path, links followed. */
enum real_kind {
    REAL_MISSING, /* nothing, or it may not be looked at */
    REAL_FILE,    /* a regular one */
    REAL_DIRECTORY,
    REAL_BLOCK,  /* a block device */
    REAL_OTHER,  /* a FIFO, a socket, a character device: opening it may have an effect */
    REAL_UNTOLD, /* the host tells the type, or the real path, of what is there not */
};

/* All is borrowed until the callback returns. */
struct real_paths_result {
    struct failure failure;   /* error 0: the rest is meaningful */
    uint64_t connected_ns;    /* when it had its connection; 0: it never had one */
    const char *directory;    /* absolute */
    const char *const *paths; /* absolute, in the order of the request */
    const enum real_kind *kinds;
};

struct real_paths;
typedef void real_paths_fn(void *context, const struct real_paths_result *result);

/* `request->path` is the directory (a target's path); size_max and permit mean nothing. `paths` are
 * copied. A path that is no directory fails with SCOUT_E_NOT_A_FILE. The callback comes once, never
 * from within this call, by the deadline. NULL without memory, or with more than REAL_PATHS_MAX. */
struct real_paths *real_paths_start(struct fleet *f, const struct path_request *request,
                                    const char *const *paths, size_t count, real_paths_fn *fn,
                                    void *context);
/* The callback does not come any more. */
void real_paths_cancel(struct real_paths *r);

#endif
