/* What a change makes of a file, worked out on a helper thread from copies of its own. Private to
 * the layer. */
#ifndef SCOUT_TOOLS_CHANGE_JOB_H
#define SCOUT_TOOLS_CHANGE_JOB_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/fleet/undo.h"
#include "scout/io/io.h"

#define CHANGE_DIFF_MAX (64u * 1024u) /* bytes of a difference that an answer has */

struct change_job;
typedef void change_job_fn(void *owner, struct change_job *job);

struct change_job {
    struct io_job job;
    void *owner; /* the loop's; NULL: it left, and the job is freed when it is done */
    change_job_fn *fn;

    /* What is known before. Strings and bytes are the job's own. */
    char *path;                  /* as the difference names it */
    bool existed;                /* there is a file, with the content `before` */
    struct buf before;           /* UNDO_FILE_MAX at most, as all contents */
    char *old_string;            /* an edit; NULL: the content comes whole, in `after` */
    char *new_string;            /* of an edit */
    bool replace_all;            /* of an edit */
    bool taking_back;            /* then the file has to be what a change left: */
    bool left_there;             /* was it there at all, */
    uint8_t left[UNDO_HASH_LEN]; /* and the hash of its content */
    bool exists_after;
    bool sets_mode; /* to `mode`, beside the content */
    uint32_t mode;

    /* What comes out; the content too, in `after`. */
    struct buf after;
    struct failure why; /* error 0: the rest is meaningful */
    uint64_t count;     /* of replacements */
    bool same;          /* nothing changes */
    bool binary;        /* there is no difference to be shown */
    bool coarse, cut;   /* of the difference, as text_diff has them */
    struct buf diff;
    struct buf act;              /* for a person who has to allow it */
    uint8_t hash[UNDO_HASH_LEN]; /* of `after` */
};

/* NULL without memory. `size_max`: of the content afterwards, of an edit. */
struct change_job *change_job_new(const char *path, size_t size_max);
/* Not while it runs. */
void change_job_free(struct change_job *j);

/* Only the hash of `before`, into `left`: `fn` as below. */
void change_job_hash(struct io *io, struct change_job *j, change_job_fn *fn, void *owner);

/* `fn` comes once, later, unless `owner` was set to NULL meanwhile. */
void change_job_start(struct io *io, struct change_job *j, change_job_fn *fn, void *owner);

#endif
