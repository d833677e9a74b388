/* What is at a path of a host: a regular file's content, or a directory's entries.
 *
 * The type is asked for first, since opening a FIFO or a device would hang the host's SFTP server
 * for everybody: what is neither file nor directory is refused without being opened. Three round
 * trips for a small file: type and real path together; open; read, with the close behind it. Large
 * files are read with many requests in flight. A connection that is lost meanwhile costs one fresh
 * attempt within the deadline, since reading has no effect. A host that offers no SFTP is read
 * through one command of its shell (any POSIX sh), with the same refusals.
 *
 * What is opened is the real path that was permitted, so a symbolic link that is swapped in between
 * leads nowhere else. What remains: SFTP version 3 knows no O_NOFOLLOW, so whoever can write to the
 * host's folders can put a link at the real path itself between the answer and the open; and a
 * server that only tidies paths, instead of following links, is believed. */
#ifndef SCOUT_FLEET_PATH_GET_H
#define SCOUT_FLEET_PATH_GET_H

#include "scout/fleet/fleet.h"

#define PATH_READ_WINDOW     32    /* reads in flight for one file */
#define PATH_LIST_WINDOW     32    /* readdir requests in flight */
#define PATH_LINK_WINDOW     64    /* readlink requests in flight */
#define PATH_ENTRIES_MAX     10000 /* of one directory; the rest is left out and said so */
#define PATH_ENTRY_BYTES_MAX (16u * 1024u * 1024u) /* of their names */

enum path_kind { PATH_FILE, PATH_DIRECTORY };

struct path_entry {
    struct slice name;
    struct slice target;       /* of a symbolic link, as it is written; empty: not known */
    struct slice owner, group; /* their names; empty: not told */
    struct slice date;   /* of the change, 12 bytes as ls has them, in the host's own time zone;
                            empty: not told */
    uint64_t link_count; /* 0: not told */
    struct sftp_attrs attrs;
};

/* All slices are borrowed until the callback returns. */
struct path_result {
    struct failure failure; /* error 0: the rest is meaningful */
    uint64_t connected_ns;  /* when it had its connection; 0: it never had one */
    enum path_kind kind;
    struct sftp_attrs attrs; /* through the shell, times may be missing */
    bool truncated;
    struct slice real_path;           /* absolute, links resolved; empty: the host does not tell */
    struct slice text;                /* PATH_FILE */
    const struct path_entry *entries; /* PATH_DIRECTORY, in byte order of their names */
    size_t entry_count;
};

/* Asked once the real path (empty: the host does not tell it) and the type are known, before
 * anything is opened; on a host without SFTP, before anything is told. 0, or a failure with *why,
 * which is then the result. */
typedef int path_permit_fn(void *context, struct slice real_path, enum path_kind kind,
                           struct failure *why);

/* So many of `total` bytes of a file that takes more than one read are there. It must not be
 * cancelled from within. */
typedef void path_progress_fn(void *context, uint64_t done, uint64_t total);

/* All that it points to is borrowed until the callback returns. */
struct path_request {
    const struct ssh_host *host;
    const char *path;      /* a target's: absolute, relative to the login directory, or `~` first */
    const char *principal; /* whose logins are used; "" the daemon's own */
    uint64_t client;       /* who shares the host's channels fairly; 0: nobody in particular */
    uint64_t size_max;     /* bytes of a file */
    uint64_t deadline_ns;
    path_permit_fn *permit;     /* NULL: everything is allowed; with the callback's context */
    path_progress_fn *progress; /* may be NULL; with the callback's context */
};

struct path_get;
typedef void path_get_fn(void *context, const struct path_result *result);

/* The callback comes once, never from within this call, by the deadline. NULL without memory. */
struct path_get *path_get_start(struct fleet *f, const struct path_request *request,
                                path_get_fn *fn, void *context);
/* The callback does not come any more. */
void path_get_cancel(struct path_get *g);

#endif
