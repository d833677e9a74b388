/* What is below a directory of a host, down to a depth: for `find` and `tree`.
 *
 * Over SFTP no process runs on the host: directories are read breadth first, many at a time, and
 * links are not followed (the root itself may be one). Each directory is asked permission for by
 * its real path before it is opened. A host without SFTP runs one command of its own `find`
 * instead; what lies in a directory that is not permitted is then left out of the result.
 *
 * A walk always has a result, maybe a partial one: every limit, the deadline too, only cuts it. */
#ifndef SCOUT_FLEET_PATH_WALK_H
#define SCOUT_FLEET_PATH_WALK_H

#include "scout/fleet/path_get.h"
#include "scout/fleet/path_glob.h"

#define WALK_WINDOW          128     /* directories read at a time, each with a handle */
#define WALK_DIRECTORIES_MAX 100000  /* that are read */
#define WALK_SEEN_MAX        2000000 /* names that are looked at */
#define WALK_NODES_MAX       200000  /* names that are kept meanwhile, directories first of all */
#define WALK_BYTES_MAX       (16u * 1024u * 1024u) /* of their names */
#define WALK_DEPTH_MAX       64
#define WALK_RESERVE_PART    8 /* this part of the time is kept for telling what was found */

struct walk_request {
    struct path_request path;     /* `permit` is asked for the root, whatever it is */
    path_permit_fn *permit_below; /* for each directory below it; NULL: everything is allowed */
    uint32_t depth;               /* levels below the root, 1 to WALK_DEPTH_MAX */
    const char *pattern;          /* of the names that are wanted (name_glob.h); NULL: all */
    const struct path_glob *glob; /* of the paths that are wanted; NULL: all. The caller's */
    bool files; /* directories are not wanted, or with a glob of them nothing else; sizes and times
                   are */
    bool skip_history;  /* directories of .git, .hg and .svn, with all below them */
    bool skip_hidden;   /* names that begin with a dot, with all below them */
    bool sorted;        /* in byte order within a directory, else as the host has them */
    bool targets;       /* of symbolic links are wanted */
    size_t entries_max; /* of the result */
    /* So many directories were read; may be NULL. */
    void (*progress)(void *context, uint64_t directories);
};

enum walk_note {
    WALK_READ,       /* or nothing to be read */
    WALK_UNREADABLE, /* a directory that the host does not let be read */
    WALK_FORBIDDEN,  /* a directory that policy does not */
};

enum walk_cut {
    WALK_WHOLE,
    WALK_CUT_ENTRIES, /* there are more than entries_max */
    WALK_CUT_SIZE,    /* one of the other limits */
    WALK_CUT_TIME,
};

struct walk_entry {
    struct slice path;   /* below the root, without a slash in front */
    struct slice name;   /* its last part */
    struct slice target; /* of a symbolic link; empty: not known */
    uint32_t depth;      /* 1: in the root */
    uint32_t mode;       /* st_mode, maybe the type alone; 0: not known */
    uint32_t mtime;      /* seconds; 0: not known */
    uint64_t size;       /* UINT64_MAX: not known */
    enum walk_note note;
    bool last; /* of its directory */
};

/* All slices are borrowed until the callback returns. */
struct walk_result {
    struct failure failure; /* error 0: the rest is meaningful */
    uint64_t connected_ns;
    enum path_kind kind; /* of the root; of a file nothing is below */
    struct slice real_path;
    bool root_wanted; /* the root's own name fits the pattern */
    enum walk_cut cut;
    const struct walk_entry *entries; /* a directory before what is in it */
    size_t entry_count;
    uint64_t directories; /* that were read */
    uint64_t unreadable;  /* directories that the host did not let be read */
    uint64_t forbidden;   /* directories that were not permitted */
};

struct path_walk;
typedef void path_walk_fn(void *context, const struct walk_result *result);

/* The callback comes once, never from within this call, by the deadline. NULL without memory. */
struct path_walk *path_walk_start(struct fleet *f, const struct walk_request *request,
                                  path_walk_fn *fn, void *context);
/* The callback does not come any more. */
void path_walk_cancel(struct path_walk *w);

#endif
