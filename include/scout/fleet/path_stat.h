/* What is known of a path without opening anything: the thing itself and, of a symbolic link, what
 * it leads to. One round trip over SFTP; on a host without SFTP one command of its shell.
 *
 * Anything may be looked at, a device or a FIFO too. */
#ifndef SCOUT_FLEET_PATH_STAT_H
#define SCOUT_FLEET_PATH_STAT_H

#include "scout/fleet/path_get.h"

/* All slices are borrowed until the callback returns. */
struct stat_result {
    struct failure failure; /* error 0: the rest is meaningful */
    uint64_t connected_ns;
    struct sftp_attrs attrs; /* of the path itself, links not followed */
    struct slice target;     /* of a symbolic link, as it is written; empty: none, or not told */
    struct slice real_path;  /* absolute, links resolved; empty: the host does not tell */
    bool reached;            /* what it leads to is there: */
    struct sftp_attrs reached_attrs;
};

struct path_stat;
typedef void path_stat_fn(void *context, const struct stat_result *result);

/* `permit` is asked (as for a file) before anything is told. The callback comes once, never from
 * within this call, by the deadline. NULL without memory. */
struct path_stat *path_stat_start(struct fleet *f, const struct path_request *request,
                                  path_stat_fn *fn, void *context);
/* The callback does not come any more. */
void path_stat_cancel(struct path_stat *p);

#endif
