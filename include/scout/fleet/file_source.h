/* A regular file that is read from its begin (or from some way into it) to its end, in order, as
 * fast as whoever takes it can: of a host over SFTP (file_pull_*), or of this machine's transfer
 * directory (local_pull_*, see local_file.h).
 *
 * When it ends well, size and time of the last change are at the end what they were at the begin: a
 * file that changes while it is read is a failure (SCOUT_E_CHANGED), not a mixture. A change within
 * the same second that leaves the size as it was is not seen on a host: SFTP version 3 tells no
 * more.
 *
 * Nothing but a regular file is opened. What is opened on a host is the real path that was
 * permitted. */
#ifndef SCOUT_FLEET_FILE_SOURCE_H
#define SCOUT_FLEET_FILE_SOURCE_H

#include "scout/fleet/etag.h"
#include "scout/fleet/fleet.h"

#define FILE_PULL_WINDOW (4u * 1024u * 1024u) /* bytes asked for, or kept until they are wanted */

struct file_source_info {
    struct slice real_path; /* absolute */
    struct sftp_attrs attrs;
    char etag[ETAG_SIZE];
};

struct file_source_events {
    /* Before it is opened. 0, or a failure with *why, which is then the result. It may be asked
     * twice, when the connection was lost meanwhile. NULL: everything is allowed. */
    int (*permit)(void *context, struct slice real_path, struct failure *why);
    /* It is open, and waits for ..._go. Once. Borrowed for the call. */
    void (*on_opened)(void *context, const struct file_source_info *info);
    /* How many bytes are wanted now. When it was 0 (or little), ..._resume says that it is more. */
    size_t (*room)(void *context);
    /* No more than room() said; borrowed for the call. */
    void (*on_data)(void *context, struct slice data);
    /* Exactly once, last, never from within a call; the source is gone then. error 0: that was all
     * of it, and it had not changed meanwhile. */
    void (*on_end)(void *context, const struct failure *failure, uint64_t connected_ns);
};

struct file_pull_request {
    const struct ssh_host *host; /* with principal, they live until on_end */
    const char *path;            /* a target's; copied */
    const char *principal;
    uint64_t client;
    uint64_t deadline_ns; /* of the begin, until ..._go */
    uint64_t idle_ns;     /* from then on: how long the host may answer nothing */
};

struct file_pull;

/* NULL without memory, or with a path that is too long. */
struct file_pull *file_pull_start(struct fleet *f, const struct file_pull_request *request,
                                  const struct file_source_events *events, void *context);
/* After on_opened: its bytes from `offset` on (at most its size). */
void file_pull_go(struct file_pull *p, uint64_t offset);
void file_pull_resume(struct file_pull *p);
/* It ends, with SCOUT_E_CANCELLED; on_end still follows. */
void file_pull_stop(struct file_pull *p);

#endif
