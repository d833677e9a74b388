/* One file is copied: from a host to another (or to another place of the same), from a host to the
 * transfer directory of this machine, or the other way.
 *
 *   source opened --> target looked at --on_settled, go--> contents --> checked --verified--> in
 * place
 *
 * The two sides are file_source.h and file_put.h (local_file.h): the bytes go through the daemon
 * with requests in flight on both sides and a bounded number of them in memory. The target's mode
 * is that of the source, without setuid, setgid and sticky bit. Nothing is seen under the target's
 * name before all of it is there and, where that is asked for, before its SHA-256 was compared. */
#ifndef SCOUT_FLEET_TRANSFER_H
#define SCOUT_FLEET_TRANSFER_H

#include "scout/fleet/file_hash.h"

struct transfer_side {
    const struct ssh_host *host; /* NULL: here, below `root` */
    const char *path;            /* a target's; or of local_path */
};

/* Whose failure came first. */
enum transfer_failed { TRANSFER_NEITHER, TRANSFER_SOURCE, TRANSFER_TARGET };

struct transfer_result {
    struct failure failure; /* error 0: the rest is meaningful */
    enum transfer_failed failed_side;
    bool source_missing_here; /* with a failure: the source is local, and nothing is there */
    uint64_t connected_ns;    /* the first connection's; 0: there never was one */
    uint64_t bytes;           /* of the file */
    uint64_t arrived;         /* of them so many came over the network (also with a failure) */
    struct file_put_result put;
    bool hashed; /* verified by SHA-256; else by its size */
    char sha256[SHA256_HEX_SIZE];
    uint64_t copy_ns, verify_ns; /* how long each took */
};

struct transfer_events {
    /* Policy is asked, once for each side that is a host, with its real path. */
    int (*permit)(void *context, bool is_target, struct slice real_path, struct failure *why);
    /* Both sides are there and permitted: transfer_go, now or later, or transfer_stop. Nothing was
     * changed yet. */
    void (*on_settled)(void *context, struct slice source, const struct file_put_target *target);
    /* May be NULL. Not to be stopped from within. */
    void (*on_progress)(void *context, uint64_t done, uint64_t total);
    /* Exactly once, last, never from within a call; the transfer is gone then. Borrowed. */
    void (*on_end)(void *context, const struct transfer_result *result);
};

/* Hosts, principal and the strings live until on_end. One side at least is a host. */
struct transfer_request {
    struct transfer_side source, target;
    const char *root; /* the transfer directory; of use where one side is here */
    const char *principal;
    uint64_t client;
    uint64_t deadline_ns; /* until transfer_go */
    uint64_t idle_ns;     /* from then on: how long a host may answer nothing */
    enum file_put_condition condition;
    const char *etag;
    bool hash;   /* verify by SHA-256 */
    bool resume; /* keep what arrived when it is cut off, and go on from what was kept */
};

struct transfer;

/* NULL without memory. */
struct transfer *transfer_start(struct fleet *f, const struct transfer_request *request,
                                const struct transfer_events *events, void *context);
void transfer_go(struct transfer *t);
/* It ends with this failure. */
void transfer_fail(struct transfer *t, const struct failure *why);
/* It ends, with SCOUT_E_CANCELLED, when nothing is left behind. */
void transfer_stop(struct transfer *t);

#endif
