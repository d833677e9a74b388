/* Private to tools: two texts that are compared on a helper thread, from copies of its own. */
#ifndef SCOUT_TOOLS_DIFF_JOB_H
#define SCOUT_TOOLS_DIFF_JOB_H

#include "scout/base/buf.h"
#include "scout/io/io.h"

struct diff_job {
    struct io_job job;
    void (*on_done)(void *context); /* NULL: nobody waits for it */
    void *context;
    char *names[2];
    uint8_t *texts[2];
    size_t lens[2];
    bool truncated[2];
    /* When it is done. */
    bool equal, binary, coarse;
    struct buf diff;
    int error; /* of text_diff */
};

/* With a difference of `diff_max` bytes at most. NULL without memory. */
struct diff_job *diff_job_new(size_t diff_max);
void diff_job_free(struct diff_job *j);

/* What stands for the two sides in the difference. False without memory. */
bool diff_job_name(struct diff_job *j, const char *name, const char *other);
/* Copies the text of a side; `truncated`: it goes on, nobody knows how. False without memory. */
bool diff_job_set(struct diff_job *j, int side, struct slice text, bool truncated);

/* `on_done` follows, and then owns it again. */
void diff_job_start(struct diff_job *j, struct io *io, void (*on_done)(void *context),
                    void *context);
/* Once it was started: nobody is told, and it is freed when it is done. */
void diff_job_leave(struct diff_job *j);

#endif
