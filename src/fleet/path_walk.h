/* The parts of one path_walk. Private to the layer. */
#ifndef SCOUT_FLEET_PATH_WALK_PRIVATE_H
#define SCOUT_FLEET_PATH_WALK_PRIVATE_H

#include "visit.h"
#include "walk_nodes.h"

struct walk_sftp; /* see walk_sftp.c */
struct exec_reply;

struct path_walk {
    struct visit visit;
    struct walk_request request; /* its pattern is a copy, its path is not used any more */
    path_walk_fn *fn;
    void *context;
    struct walk_nodes nodes;
    char *real_path; /* NUL behind it; NULL: the host does not tell */
    struct buf path; /* below the root, of what is looked at */
    bool root_known; /* what it is, and that it is permitted */
    struct walk_result result;
    struct walk_sftp *sftp;
    struct exec_reply *exec;
    char text[]; /* the path as the caller wrote it, and the pattern, each with its NUL */
};

/* Whether a directory below the root, of this real path, is permitted. */
bool path_walk_permits(struct path_walk *w, struct slice real_path);
/* The root is known: false when it is not permitted (the visit has failed), or when it is a file
 * (it has ended). `mode` may be 0. */
bool path_walk_enter(struct path_walk *w, struct slice real_path, uint32_t mode);
/* The node's real path, with its NUL, into `out`. 0, or why there is none. */
int path_walk_real(const struct path_walk *w, uint32_t node, struct buf *out);

/* Whether it is the name of something in a directory, and neither `.` nor `..`. */
bool path_walk_is_name(struct slice name);
/* Nothing but directories is wanted. */
bool path_walk_wants_directories(const struct path_walk *w);

/* Adds a name to a directory if it is of use. False when the walk has to end: the result says why,
 * or the visit has failed. */
bool path_walk_add(struct path_walk *w, uint32_t parent, struct slice name,
                   const struct sftp_attrs *attrs);
/* Whether a directory of that name is passed over, with all below it. */
bool path_walk_skips(const struct path_walk *w, struct slice name);

void walk_sftp_start(struct path_walk *w);
void walk_sftp_take_back(struct path_walk *w, struct sftp *s);
void walk_sftp_free(struct path_walk *w);

void walk_exec_start(struct path_walk *w);
int walk_exec_feed(struct path_walk *w, struct slice data);
void walk_exec_end(struct path_walk *w, int status);
/* The deadline: whether what came until then makes a result. */
bool walk_exec_expire(struct path_walk *w);
void walk_exec_free(struct path_walk *w);

#endif
