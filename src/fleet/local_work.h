/* The part of a local_put that runs on helper threads: all that may block. Private to the layer.
 *
 * Between local_work_start and its `done` the memory belongs to the thread, but for what
 * local_put.c keeps beside it. */
#ifndef SCOUT_FLEET_LOCAL_WORK_H
#define SCOUT_FLEET_LOCAL_WORK_H

#include "local_dir.h"
#include "scout/fleet/local_file.h"
#include "sha256_run.h"

#define LOCAL_NAME_CHARS 8

enum local_work_step {
    LOCAL_WORK_LOOK,
    LOCAL_WORK_OPEN,
    LOCAL_WORK_WRITE,
    LOCAL_WORK_FINISH,
    LOCAL_WORK_PLACE,
    LOCAL_WORK_CLEAN
};

struct local_work {
    struct io_job job;
    enum local_work_step step;
    int folder, fd;
    const char *root, *path; /* borrowed */
    const char *name;        /* in the path: what is in the folder */
    char temp[sizeof ".scout-.tmp" + LOCAL_NAME_CHARS];
    bool made; /* the temporary file is there */
    bool exists, overwrite, left_behind;
    struct stat st;
    uint32_t mode;
    const uint8_t *bytes;
    size_t len;
    uint64_t offset;
    int error; /* -errno */
    const char *what;
    struct sha256_run sha;
    char hash[SHA256_HEX_SIZE];
    const char *keep_as; /* NULL: nothing is kept */
    uint64_t size, begin;
    uint8_t tail[LOCAL_TAIL];
    bool keep, kept; /* CLEAN: wanted; done */
};

/* Does the step on a helper thread; then `done`, with the job that is embedded here. */
void local_work_start(struct io *io, struct local_work *w, enum local_work_step step,
                      io_job_fn *done);

#endif
