/* The difference of two texts, on a helper thread. */
#include "diff_job.h"

#include "scout/base/container.h"
#include "scout/fleet/text_diff.h"
#include <stdlib.h>
#include <string.h>

struct diff_job *diff_job_new(size_t diff_max)
{
    struct diff_job *j = calloc(1, sizeof *j);
    if (j)
        buf_init(&j->diff, diff_max);
    return j;
}

void diff_job_free(struct diff_job *j)
{
    for (int i = 0; i < 2; i++) {
        free(j->names[i]);
        free(j->texts[i]);
    }
    buf_fini(&j->diff);
    free(j);
}

bool diff_job_name(struct diff_job *j, const char *name, const char *other)
{
    j->names[0] = strdup(name);
    j->names[1] = strdup(other);
    return j->names[0] && j->names[1];
}

bool diff_job_set(struct diff_job *j, int side, struct slice text, bool truncated)
{
    j->texts[side] = malloc(text.len + 1);
    if (!j->texts[side])
        return false;
    if (text.len)
        memcpy(j->texts[side], text.data, text.len);
    j->lens[side] = text.len;
    j->truncated[side] = truncated;
    return true;
}

/* ---- on the helper thread ---- */

static struct slice text_of(const struct diff_job *j, int side)
{
    return slice_of(j->texts[side], j->lens[side]);
}

/* What is compared: of a text that was cut the whole lines only, since nobody knows how the last
 * one goes on. */
static struct slice compared(const struct diff_job *j, int side)
{
    struct slice text = text_of(j, side);
    if (!j->truncated[side])
        return text;
    size_t len = text.len;
    while (len > 0 && text.data[len - 1] != '\n')
        len--;
    return slice_of(text.data, len > 0 ? len : text.len);
}

static bool has_nul(struct slice text)
{
    return text.len > 0 && memchr(text.data, '\0', text.len);
}

static void run(struct io_job *job)
{
    struct diff_job *j = CONTAINER_OF(job, struct diff_job, job);
    j->equal = slice_equal(text_of(j, 0), text_of(j, 1));
    if (j->equal)
        return;
    j->binary = has_nul(text_of(j, 0)) || has_nul(text_of(j, 1));
    if (j->binary)
        return;
    j->error =
        text_diff(compared(j, 0), compared(j, 1), j->names[0], j->names[1], &j->diff, &j->coarse);
}

/* ---- on the loop ---- */

static void on_ran(struct io_job *job)
{
    struct diff_job *j = CONTAINER_OF(job, struct diff_job, job);
    if (j->on_done)
        j->on_done(j->context);
    else
        diff_job_free(j);
}

void diff_job_start(struct diff_job *j, struct io *io, void (*on_done)(void *context),
                    void *context)
{
    j->on_done = on_done;
    j->context = context;
    io_job_start(io, &j->job, run, on_ran);
}

void diff_job_leave(struct diff_job *j)
{
    j->on_done = NULL;
}
