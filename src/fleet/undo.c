/* The queue before the files.
 *
 *     waiting --its turn--> running (a helper thread) --done--> told, freed
 *
 * One request runs at a time, in the order in which they came: the list of files belongs to the one
 * that runs. A request has copies of all that it needs, so that who waits may leave at any time.
 * Dropping and pruning are requests that nobody waits for. */
#include "scout/fleet/undo.h"

#include "scout/base/time.h"
#include "undo_entry.h"
#include "undo_files.h"
#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum what { KEEP, FIND, DROP, PRUNE };

struct undo_request {
    struct io_job job;
    struct list node;
    struct undo *undo;
    struct undo_wait *wait; /* NULL: nobody (any more) */
    enum what what;
    struct undo_state state; /* KEEP: it; FIND, DROP: what is wanted */
    struct undo_state found;
    struct buf content; /* of state, or of found */
    size_t waiting_len; /* bytes of it, while it waits */
    uint64_t now_ms;
    int error;
    struct failure why;
};

struct undo {
    struct io *io;
    struct log *log;
    struct undo_files files; /* the running request's */
    struct list waiting;
    uint32_t waiting_count;
    size_t waiting_bytes;
    uint64_t last_ms; /* of the state that was kept last */
    struct undo_request *running;
    struct io_timer timer;
    struct io_task task;
    bool failing;
    void (*on_closed)(void *context); /* not NULL: it closes */
    void *closed_context;
};

static void start_next(struct undo *u);

/* ---- one request ---- */

static void run(struct io_job *job)
{
    struct undo_request *r = CONTAINER_OF(job, struct undo_request, job);
    struct undo_files *files = &r->undo->files;
    switch (r->what) {
    case KEEP:
        r->error = undo_files_keep(files, &r->state, &r->why);
        break;
    case FIND:
        r->error = undo_files_find(files, &r->state, r->now_ms, &r->found, &r->content, &r->why);
        break;
    case DROP:
        undo_files_drop(files, r->state.id);
        break;
    case PRUNE:
        undo_files_prune(files, r->now_ms);
        break;
    }
}

static void request_free(struct undo_request *r)
{
    buf_fini(&r->content);
    free(r);
}

static void log_state(struct undo *u, const struct undo_request *r)
{
    bool failed = r->error == SCOUT_E_UNDO_UNAVAILABLE;
    if (r->what != KEEP || failed == u->failing)
        return;
    u->failing = failed;
    if (failed)
        log_event(u->log, LOG_ERROR, "undo_unavailable", "reason", r->why.text, NULL);
    else
        log_event(u->log, LOG_WARN, "undo_available", NULL);
}

static void tell(struct undo_request *r)
{
    struct undo_wait *wait = r->wait;
    if (!wait)
        return;
    wait->request = NULL;
    wait->fn(wait, r->error, r->error ? &r->why : NULL,
             r->what == FIND && !r->error ? &r->found : NULL);
}

static void on_done(struct io_job *job)
{
    struct undo_request *r = CONTAINER_OF(job, struct undo_request, job);
    struct undo *u = r->undo;
    log_state(u, r);
    tell(r);
    request_free(r);
    u->running = NULL;
    start_next(u);
}

/* ---- the queue ---- */

static void on_task(struct io_task *task)
{
    struct undo *u = CONTAINER_OF(task, struct undo, task);
    void (*on_closed)(void *context) = u->on_closed;
    void *context = u->closed_context;
    undo_files_fini(&u->files);
    free(u);
    on_closed(context);
}

static void start_next(struct undo *u)
{
    struct list *node = u->running ? NULL : list_shift(&u->waiting);
    if (node) {
        u->running = CONTAINER_OF(node, struct undo_request, node);
        u->waiting_count--;
        u->waiting_bytes -= u->running->waiting_len;
        io_job_start(u->io, &u->running->job, run, on_done);
    } else if (!u->running && u->on_closed) {
        io_defer(u->io, &u->task, on_task);
    }
}

/* NULL without memory, or when too many wait. */
static struct undo_request *request_new(struct undo *u, enum what what, size_t content_len)
{
    assert(!u->on_closed);
    if (u->waiting_count >= UNDO_WAITING_MAX || content_len > UNDO_WAITING_BYTES - u->waiting_bytes)
        return NULL;
    struct undo_request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->undo = u;
    r->what = what;
    r->now_ms = io_wall_ms(u->io);
    buf_init(&r->content, UNDO_FILE_MAX);
    return r;
}

static void enqueue(struct undo_request *r, struct undo_wait *wait, undo_fn *fn)
{
    struct undo *u = r->undo;
    if (wait) {
        *wait = (struct undo_wait){.fn = fn, .request = r};
        r->wait = wait;
    }
    r->waiting_len = buf_len(&r->content);
    u->waiting_count++;
    u->waiting_bytes += r->waiting_len;
    list_append(&u->waiting, &r->node);
    start_next(u);
}

static int refuse(struct failure *why)
{
    return failure_set(why, SCOUT_E_UNDO_UNAVAILABLE,
                       "Too much waits to be kept for undoing it: try again in a moment");
}

/* ---- what is asked for ---- */

int undo_keep(struct undo *u, const struct undo_state *state, char id[UNDO_ID_LEN + 1],
              struct undo_wait *wait, undo_fn *fn, struct failure *why)
{
    struct undo_request *r = request_new(u, KEEP, state->content.len);
    uint8_t random[16];
    if (!r)
        return refuse(why);
    if (state->content.len && buf_append(&r->content, state->content) != 0) {
        request_free(r);
        return refuse(why);
    }
    io_random(u->io, random, sizeof random);
    r->state = *state;
    undo_entry_id(random, r->state.id);
    memcpy(id, r->state.id, sizeof r->state.id);
    /* No two have the same time: it is their order. */
    u->last_ms = r->now_ms > u->last_ms ? r->now_ms : u->last_ms + 1;
    r->state.time_ms = u->last_ms;
    r->state.content = buf_peek(&r->content);
    enqueue(r, wait, fn);
    return 0;
}

int undo_find(struct undo *u, const struct undo_state *wanted, struct undo_wait *wait, undo_fn *fn,
              struct failure *why)
{
    struct undo_request *r = request_new(u, FIND, 0);
    if (!r)
        return refuse(why);
    r->state = *wanted;
    r->state.content = slice_of(NULL, 0);
    enqueue(r, wait, fn);
    return 0;
}

void undo_drop(struct undo *u, const char *id)
{
    struct undo_request *r = request_new(u, DROP, 0);
    if (!r)
        return; /* it stays: a file that it does not fit is not touched, and it gets too old */
    snprintf(r->state.id, sizeof r->state.id, "%s", id);
    enqueue(r, NULL, NULL);
}

void undo_cancel(struct undo_wait *wait)
{
    if (wait->request)
        wait->request->wait = NULL;
    wait->request = NULL;
}

/* ---- the life of it ---- */

static void on_timer(struct io_timer *timer)
{
    struct undo *u = CONTAINER_OF(timer, struct undo, timer);
    struct undo_request *r = request_new(u, PRUNE, 0);
    if (r)
        enqueue(r, NULL, NULL);
    io_timer_start(u->io, &u->timer, io_now(u->io) + UNDO_PRUNE_MS * (uint64_t)NS_PER_MS, on_timer);
}

struct undo *undo_new(struct io *io, const char *folder, struct log *log)
{
    struct undo *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->io = io;
    u->log = log;
    undo_files_init(&u->files, folder);
    list_init(&u->waiting);
    io_task_init(&u->task);
    io_timer_init(&u->timer);
    io_timer_start(io, &u->timer, io_now(io), on_timer);
    return u;
}

void undo_close(struct undo *u, void (*on_closed)(void *context), void *context)
{
    io_timer_stop(u->io, &u->timer);
    u->on_closed = on_closed;
    u->closed_context = context;
    start_next(u);
}

bool undo_hash(struct slice content, uint8_t hash[UNDO_HASH_LEN])
{
    unsigned len;
    return EVP_Digest(content.len ? content.data : hash, content.len, hash, &len, EVP_sha256(),
                      NULL) == 1;
}
