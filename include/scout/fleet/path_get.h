/* What is at a path of a host: a regular file's content, or a directory's entries.
 *
 * The type is asked for first, since opening a FIFO or a device would hang the host's SFTP server
 * for everybody: what is neither file nor directory is refused without being opened. Three round
 * trips for a small file: type and real path together; open; read, with the close behind it. Large
 * files are read with many requests in flight. A connection that is lost meanwhile costs one fresh
 * attempt within the deadline, since reading has no effect. A host that offers no SFTP is read
 * through one command of its shell (any POSIX sh), with the same refusals. */
#ifndef SCOUT_FLEET_PATH_GET_H
#define SCOUT_FLEET_PATH_GET_H

#include "scout/fleet/fleet.h"

#define PATH_READ_WINDOW     32    /* reads in flight for one file */
#define PATH_LIST_WINDOW     32    /* readdir requests in flight */
#define PATH_ENTRIES_MAX     10000 /* of one directory; the rest is left out and said so */
#define PATH_ENTRY_BYTES_MAX (16u * 1024u * 1024u) /* of their names */

enum path_kind { PATH_FILE, PATH_DIRECTORY };

struct path_entry {
    struct slice name;
    struct slice longname; /* the server's `ls -l` line, may be empty */
    struct sftp_attrs attrs;
};

/* All slices are borrowed until the callback returns. */
struct path_result {
    struct failure failure; /* error 0: the rest is meaningful */
    enum path_kind kind;
    struct sftp_attrs attrs; /* through the shell, times may be missing */
    bool truncated;
    struct slice real_path;           /* absolute, links resolved; empty: the host does not tell */
    struct slice text;                /* PATH_FILE */
    const struct path_entry *entries; /* PATH_DIRECTORY, in byte order of their names */
    size_t entry_count;
};

struct path_get;
typedef void path_get_fn(void *context, const struct path_result *result);

/* `path` is a target's path: absolute, relative to the login directory, or with `~` first. At most
 * `size_max` bytes of a file are read. The callback comes once, never from within this call, at
 * `deadline_ns` at the latest. NULL without memory. */
struct path_get *path_get_start(struct fleet *f, const struct ssh_host *host, const char *path,
                                uint64_t size_max, uint64_t deadline_ns, path_get_fn *fn,
                                void *context);
/* The callback does not come any more. */
void path_get_cancel(struct path_get *g);

#endif
