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

#define PATH_READ_WINDOW     32                     /* reads in flight for one file */
#define PATH_SCAN_MAX        (256u * 1024u * 1024u) /* bytes that are searched for a line's number */
#define PATH_HEAD_MAX        4                      /* bytes that tell a text's encoding */
#define PATH_AROUND_LINES    64 /* through the shell, lines around lines that are read beside them */
#define PATH_LIST_WINDOW     32    /* readdir requests in flight */
#define PATH_LINK_WINDOW     64    /* readlink requests in flight */
#define PATH_ENTRIES_MAX     10000 /* of one directory; the rest is left out and said so */
#define PATH_ENTRY_BYTES_MAX (16u * 1024u * 1024u) /* of their names */

struct holdings;

enum path_kind { PATH_FILE, PATH_DIRECTORY };

/* Which part of a file is wanted. */
enum path_part {
    PATH_HEAD,  /* as much as size_max allows, from its begin */
    PATH_BYTES, /* `count` bytes from the byte `first` on, counted from 0 */
    PATH_LINES, /* `count` lines from the line `first` on, counted from 1 */
    PATH_TAIL,  /* its last `count` lines */
};

struct path_range {
    enum path_part part;
    uint64_t first, count;
};

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
    struct sftp_attrs attrs;    /* through the shell, times may be missing */
    bool truncated;             /* of what was wanted something is missing */
    struct slice real_path;     /* absolute, links resolved; empty: the host does not tell */
    struct slice text;          /* PATH_FILE */
    uint64_t text_at;           /* the byte of the file that it begins with... */
    uint64_t first_line;        /* ...and the line, from 1 on; 0: not known */
    uint64_t line_total;        /* lines of the file, where all of them were seen; else 0 */
    bool at_end;                /* nothing of the file follows the text */
    struct slice before, after; /* what of the file stands around the text (path_request.around) */
    struct slice head; /* how the file begins, PATH_HEAD_MAX bytes at most; empty: not known */
    bool unchanged;    /* its etag is the request's: it was not opened */
    bool changed;      /* while it was read: into this */
    struct sftp_attrs attrs_after;
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
    struct holdings *holdings; /* that what it holds counts in (holdings.h); NULL: in none */
    struct path_range range;
    uint32_t around;  /* bytes before and behind a part that is read, to be told beside it: even */
    const char *etag; /* a file that has this one is not opened (etag.h); NULL: none */
    bool watch;       /* whether a file changed meanwhile is of interest; only told over SFTP */
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
