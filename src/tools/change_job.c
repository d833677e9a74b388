/* The content afterwards, the difference, and what a person is asked about. A change is taken back
 * only where the file is what that change left, down to the last byte. */
#include "change_job.h"

#include "scout/fleet/text_diff.h"
#include "scout/fleet/text_edit.h"
#include <stdio.h>
#include <stdlib.h>

#define ACT_MAX (CHANGE_DIFF_MAX + 1024u)

struct change_job *change_job_new(const char *path, size_t size_max)
{
    struct change_job *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    buf_init(&j->before, UNDO_FILE_MAX);
    buf_init(&j->after, size_max);
    buf_init(&j->diff, CHANGE_DIFF_MAX);
    buf_init(&j->act, ACT_MAX);
    j->path = strdup(path);
    if (j->path)
        return j;
    change_job_free(j);
    return NULL;
}

void change_job_free(struct change_job *j)
{
    if (!j)
        return;
    free(j->path);
    free(j->old_string);
    free(j->new_string);
    buf_fini(&j->before);
    buf_fini(&j->after);
    buf_fini(&j->diff);
    buf_fini(&j->act);
    free(j);
}

/* ---- the content afterwards ---- */

static int check_left(struct change_job *j)
{
    uint8_t hash[UNDO_HASH_LEN];
    if (j->existed != j->left_there)
        return failure_set(&j->why, SCOUT_E_CHANGED,
                           j->existed ? "that change removed it, and it is there again: nothing "
                                        "was changed"
                                      : "it is not there any more: nothing was changed");
    if (!j->existed)
        return 0;
    if (!undo_hash(buf_peek(&j->before), hash))
        return failure_set(&j->why, SCOUT_E_NOMEM, "no memory for it");
    if (memcmp(hash, j->left, sizeof hash) != 0)
        return failure_set(&j->why, SCOUT_E_CHANGED,
                           "it is not what that change left: somebody else changed it since, or "
                           "the change did not take effect; nothing was changed");
    return 0;
}

static int edit(struct change_job *j)
{
    const struct text_edit e = {.text = buf_peek(&j->before),
                                .old_text = slice_str(j->old_string),
                                .new_text = slice_str(j->new_string),
                                .all = j->replace_all};
    int error = text_edit_check(e.text, &j->why);
    return error ? error : text_edit_apply(&e, &j->after, &j->count, &j->why);
}

/* ---- what is shown of it ---- */

static bool has_nul(const struct buf *b)
{
    struct slice s = buf_peek(b);
    return s.len > 0 && memchr(s.data, '\0', s.len);
}

static int make_diff(struct change_job *j)
{
    j->binary = has_nul(&j->before) || has_nul(&j->after);
    if (j->binary)
        return 0;
    int error =
        text_diff(buf_peek(&j->before), buf_peek(&j->after), j->existed ? j->path : "/dev/null",
                  j->exists_after ? j->path : "/dev/null", &j->diff, &j->coarse);
    j->cut = error == SCOUT_E_LIMIT;
    return j->cut ? 0 : error;
}

static int put_digest(struct buf *out, const char *what, bool there, const struct buf *content)
{
    uint8_t hash[UNDO_HASH_LEN];
    char hex[2 * UNDO_HASH_LEN + 1];
    if (!there)
        return buf_printf(out, "%s: nothing\n", what);
    if (!undo_hash(buf_peek(content), hash))
        return SCOUT_E_NOMEM;
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    return buf_printf(out, "%s: %zu bytes, SHA-256 %s\n", what, buf_len(content), hex);
}

/* Whoever says yes has to see all of what will be: the same act has the same bytes. */
static int make_act(struct change_job *j)
{
    int error = j->sets_mode ? buf_printf(&j->act, "mode %04o\n", j->mode) : 0;
    if (!error && !j->exists_after)
        error = buf_append_str(&j->act, "the file is removed\n");
    if (!error && j->binary) {
        error = put_digest(&j->act, "before", j->existed, &j->before);
        error = error ? error : put_digest(&j->act, "after", j->exists_after, &j->after);
    } else if (!error) {
        error = buf_append(&j->act, buf_peek(&j->diff));
    }
    return error;
}

/* ---- the job ---- */

static int work(struct change_job *j)
{
    int error = j->taking_back ? check_left(j) : 0;
    if (!error && j->old_string)
        error = edit(j);
    if (error)
        return error;
    j->same = j->existed == j->exists_after &&
              slice_equal(buf_peek(&j->before), buf_peek(&j->after)) && !j->sets_mode;
    error = make_diff(j);
    error = error ? error : make_act(j);
    if (!error && !undo_hash(buf_peek(&j->after), j->hash))
        error = SCOUT_E_NOMEM;
    return error ? failure_set(&j->why, error, "no memory for it") : 0;
}

static void run(struct io_job *job)
{
    struct change_job *j = CONTAINER_OF(job, struct change_job, job);
    j->why.error = work(j);
}

static void on_done(struct io_job *job)
{
    struct change_job *j = CONTAINER_OF(job, struct change_job, job);
    if (j->owner)
        j->fn(j->owner, j);
    else
        change_job_free(j);
}

static void run_hash(struct io_job *job)
{
    struct change_job *j = CONTAINER_OF(job, struct change_job, job);
    if (!undo_hash(buf_peek(&j->before), j->left))
        failure_set(&j->why, SCOUT_E_NOMEM, "no memory for it");
}

void change_job_hash(struct io *io, struct change_job *j, change_job_fn *fn, void *owner)
{
    j->fn = fn;
    j->owner = owner;
    io_job_start(io, &j->job, run_hash, on_done);
}

void change_job_start(struct io *io, struct change_job *j, change_job_fn *fn, void *owner)
{
    j->fn = fn;
    j->owner = owner;
    io_job_start(io, &j->job, run, on_done);
}
