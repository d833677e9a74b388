/* Files of this machine that calls may read and write: below the transfer directory, and nowhere
 * else.
 *
 * A path is relative to that directory, or absolute and inside it. The kernel sees to it that it
 * stays inside (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS): neither `..` nor a
 * symbolic link leads out. Nothing but regular files is opened, and what is written never goes
 * through a link.
 *
 * All of it may block, so all of it goes to helper threads. The events are those of files of hosts:
 * see file_source.h and file_put.h; permit is not asked. */
#ifndef SCOUT_FLEET_LOCAL_FILE_H
#define SCOUT_FLEET_LOCAL_FILE_H

#include "scout/base/paths.h"
#include "scout/fleet/file_put.h"
#include "scout/fleet/file_source.h"

#define LOCAL_BUFFER_SIZE (512u * 1024u)
#define LOCAL_BUFFERS     4             /* of one file at most */
#define LOCAL_KEEP_S      86400         /* what was left behind in a folder is removed after that */
#define LOCAL_TAIL        (32u * 1024u) /* bytes of a kept file that are compared */
#define SHA256_HEX_SIZE   65

/* The text of `path` below `root`, without a slash in front; borrowed from it. NULL with *why: it
 * is outside. An absolute path has to begin with `root`. */
const char *local_path(const char *root, const char *path, struct failure *why);

struct local_pull_request {
    const char *root; /* the directory, absolute; made when it is not there (mode 0700). Copied */
    const char *path; /* of local_path; copied */
    bool hash;        /* local_pull_hash is wanted */
};

struct local_pull;
struct local_pull *local_pull_start(struct io *io, const struct local_pull_request *request,
                                    const struct file_source_events *events, void *context);
void local_pull_go(struct local_pull *p, uint64_t offset);
void local_pull_resume(struct local_pull *p);
void local_pull_stop(struct local_pull *p);
/* Within on_end, without a failure: the SHA-256 of the whole file, in hexadecimal. */
const char *local_pull_hash(const struct local_pull *p);

struct local_put_request {
    const char *root, *path; /* as above */
    bool overwrite;
    uint32_t mode; /* of them 0777 count */
    bool hash;
    const char *keep_as; /* as in file_put.h; copied */
    uint64_t size;
};

struct local_put;
struct local_put *local_put_start(struct io *io, const struct local_put_request *request,
                                  const struct file_put_events *events, void *context);
void local_put_go(struct local_put *p);
uint64_t local_put_offset(const struct local_put *p);
size_t local_put_room(const struct local_put *p);
void local_put_write(struct local_put *p, struct slice data);
void local_put_end(struct local_put *p);
void local_put_place(struct local_put *p);
void local_put_fail(struct local_put *p, const struct failure *why);
/* After on_written: the SHA-256 of what was written. */
const char *local_put_hash(const struct local_put *p);

#endif
