/* A local file, written on a helper thread as its contents come: to a hidden temporary file beside
 * it, to the disk, then renamed; whatever else happens, the temporary file is removed.
 *
 *   LOOK --on_settled, go--> OPEN --> WRITE, WRITE, ... --end--> FINISH --on_written, place-->
 *     PLACE --> on_end
 *   any failure, stop: CLEAN --> on_end
 *
 * One job is under way at a time and has its part of the memory to itself while it runs; the loop
 * fills other buffers meanwhile. The digest, where one is wanted, goes along with the writing. */
#include "local_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct local_put {
    struct io *io;
    const struct file_put_events *events;
    void *context;
    struct local_work work;
    struct io_task task, room_task;
    bool working, settled, going, open, ended, written, ending, placed;
    struct failure failure;
    struct file_put_target target;
    struct file_put_result result;
    uint8_t *buffers[LOCAL_BUFFERS];
    size_t len[LOCAL_BUFFERS];
    uint32_t head, tail; /* buffers written, filled; they only grow */
    uint64_t arrived;
    uint32_t tail_left;
    char *keep_as, *path;
    char root[];
};

/* ---- the end ---- */

static void on_work(struct io_job *job);

static void work(struct local_put *p, enum local_work_step step)
{
    p->working = true;
    local_work_start(p->io, &p->work, step, on_work);
}

static void on_task(struct io_task *task)
{
    struct local_put *p = CONTAINER_OF(task, struct local_put, task);
    int error = p->failure.error;
    bool cut_off = error == SCOUT_E_CONNECTION_LOST || error == SCOUT_E_DEADLINE ||
                   error == SCOUT_E_CONNECT || error == SCOUT_E_SHUTTING_DOWN;
    p->work.keep = p->keep_as && cut_off && p->arrived >= FILE_PUT_KEEP_MIN;
    work(CONTAINER_OF(task, struct local_put, task), LOCAL_WORK_CLEAN);
}

/* With or without a failure. */
static void end(struct local_put *p)
{
    p->ending = true;
    io_task_cancel(&p->room_task);
    if (!p->working)
        io_defer(p->io, &p->task, on_task);
}

static void deliver(struct local_put *p)
{
    struct file_put_result *r = &p->result;
    r->failure = p->failure;
    if (p->work.left_behind) {
        r->left_behind = true;
        failure_set(&r->failure, p->failure.error, "%.300s; the temporary file %s may be left here",
                    p->failure.text, p->work.temp);
    }
    r->kept = p->work.kept;
    if (r->kept)
        failure_set(
            &r->failure, p->failure.error,
            "%.300s; the %llu bytes that had arrived are kept: make the same call again to go "
            "on from there",
            p->failure.text, (unsigned long long)p->arrived);
    r->real_path = slice_str(p->path);
    p->events->on_end(p->context, r);
    sha256_run_fini(&p->work.sha);
    for (unsigned i = 0; i < LOCAL_BUFFERS; i++)
        free(p->buffers[i]);
    free(p->keep_as);
    free(p->path);
    free(p);
}

void local_put_fail(struct local_put *p, const struct failure *why)
{
    if (p->ending || (p->working && p->work.step == LOCAL_WORK_PLACE))
        return;
    p->failure = *why;
    end(p);
}

/* ---- contents ---- */

static void write_next(struct local_put *p)
{
    struct local_work *w = &p->work;
    if (p->working || p->ending || !p->open)
        return;
    uint32_t i = p->head % LOCAL_BUFFERS;
    /* A buffer that is only half full is written when nothing else is to come. */
    bool ready = p->head != p->tail || (p->ended && p->len[i] > 0);
    if (ready) {
        if (p->head == p->tail)
            p->tail++;
        w->bytes = p->buffers[i];
        w->len = p->len[i];
        work(p, LOCAL_WORK_WRITE);
    } else if (p->ended && !p->written) {
        p->written = true;
        work(p, LOCAL_WORK_FINISH);
    }
}

size_t local_put_room(const struct local_put *p)
{
    if (!p->open || p->ended || p->ending || p->tail - p->head == LOCAL_BUFFERS)
        return 0;
    size_t whole = LOCAL_BUFFERS - (p->tail - p->head) - 1;
    return whole * LOCAL_BUFFER_SIZE + LOCAL_BUFFER_SIZE - p->len[p->tail % LOCAL_BUFFERS];
}

/* What of `data` is behind the bytes that have to be those of the kept file. */
static struct slice compare(struct local_put *p, struct slice data)
{
    size_t len = data.len < p->tail_left ? data.len : p->tail_left;
    if (len > 0 && memcmp(p->work.tail + LOCAL_TAIL - p->tail_left, data.data, len) != 0) {
        struct failure why;
        failure_set(&why, SCOUT_E_CHANGED,
                    "What an earlier copy had left of %.200s is not the begin of this file: it was "
                    "removed; try again",
                    p->path);
        local_put_fail(p, &why);
    }
    p->tail_left -= (uint32_t)len;
    return slice_skip(data, len);
}

void local_put_write(struct local_put *p, struct slice data)
{
    if (p->open && p->tail_left > 0)
        data = compare(p, data);
    while (data.len > 0 && local_put_room(p) > 0) {
        uint32_t i = p->tail % LOCAL_BUFFERS;
        if (!p->buffers[i])
            p->buffers[i] = malloc(LOCAL_BUFFER_SIZE);
        if (!p->buffers[i]) {
            struct failure why;
            failure_set(&why, SCOUT_E_NOMEM, "No memory to write %.200s", p->path);
            local_put_fail(p, &why);
            return;
        }
        size_t room = LOCAL_BUFFER_SIZE - p->len[i], len = data.len < room ? data.len : room;
        memcpy(p->buffers[i] + p->len[i], data.data, len);
        p->len[i] += len;
        data = slice_skip(data, len);
        if (p->len[i] == LOCAL_BUFFER_SIZE)
            p->tail++;
    }
    write_next(p);
}

void local_put_end(struct local_put *p)
{
    if (!p->open || p->ended || p->ending)
        return;
    p->ended = true;
    write_next(p);
}

/* ---- what a job brought ---- */

static void on_room_task(struct io_task *task)
{
    struct local_put *p = CONTAINER_OF(task, struct local_put, room_task);
    if (local_put_room(p) > 0)
        p->events->on_room(p->context);
}

static void on_looked(struct local_put *p)
{
    struct local_work *w = &p->work;
    p->target.real_path = slice_str(p->path);
    p->target.exists = w->exists;
    if (w->exists)
        local_dir_attrs(&w->st, &p->target.attrs);
    p->result.created = !w->exists;
    p->settled = true;
    p->events->on_settled(p->context, &p->target);
}

static void on_wrote(struct local_put *p)
{
    struct local_work *w = &p->work;
    w->offset += w->len;
    p->arrived += w->len;
    p->len[p->head % LOCAL_BUFFERS] = 0;
    p->head++;
    write_next(p);
    if (p->events->on_progress)
        p->events->on_progress(p->context, p->arrived);
    if (!p->ending && local_put_room(p) > 0)
        p->events->on_room(p->context);
}

static void on_finished(struct local_put *p)
{
    local_dir_attrs(&p->work.st, &p->result.attrs);
    etag_format(&p->result.attrs, p->result.etag);
    p->result.synced = p->result.owner_kept = true;
    if (p->events->on_written)
        p->events->on_written(p->context, p->work.temp);
    else
        local_put_place(p);
}

static void on_work(struct io_job *job)
{
    struct local_put *p = CONTAINER_OF(job, struct local_put, work.job);
    struct local_work *w = &p->work;
    p->working = false;
    if (w->step == LOCAL_WORK_CLEAN) {
        deliver(p);
        return;
    }
    if (w->error && !p->ending) {
        local_dir_failure(&p->failure, w->what, p->path, w->error);
        end(p);
    } else if (p->ending) {
        io_defer(p->io, &p->task, on_task);
    } else if (w->step == LOCAL_WORK_LOOK) {
        on_looked(p);
    } else if (w->step == LOCAL_WORK_OPEN) {
        p->open = true;
        p->tail_left = w->begin ? LOCAL_TAIL : 0;
        p->arrived = p->result.resumed = w->offset;
        io_defer(p->io, &p->room_task, on_room_task);
    } else if (w->step == LOCAL_WORK_WRITE) {
        on_wrote(p);
    } else if (w->step == LOCAL_WORK_FINISH) {
        on_finished(p);
    } else {
        end(p);
    }
}

/* ---- what is asked of it ---- */

void local_put_go(struct local_put *p)
{
    if (!p->settled || p->going || p->ending)
        return;
    p->going = true;
    work(p, LOCAL_WORK_OPEN);
}

void local_put_place(struct local_put *p)
{
    if (!p->written || p->working || p->ending)
        return;
    work(p, LOCAL_WORK_PLACE);
}

uint64_t local_put_offset(const struct local_put *p)
{
    return p->work.begin;
}

const char *local_put_hash(const struct local_put *p)
{
    return p->work.hash;
}

static void name_temp(struct local_put *p)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t random[LOCAL_NAME_CHARS];
    char name[LOCAL_NAME_CHARS + 1] = "";
    io_random(p->io, random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        name[i] = letters[random[i] & 31];
    snprintf(p->work.temp, sizeof p->work.temp, ".scout-%s.tmp", name);
}

struct local_put *local_put_start(struct io *io, const struct local_put_request *request,
                                  const struct file_put_events *events, void *context)
{
    size_t root_size = strlen(request->root) + 1;
    struct local_put *p = calloc(1, sizeof *p + root_size);
    if (!p)
        return NULL;
    p->io = io;
    p->events = events;
    p->context = context;
    p->work.fd = p->work.folder = -1;
    p->work.overwrite = request->overwrite;
    p->work.mode = request->mode & 0777u;
    memcpy(p->root, request->root, root_size);
    p->path = strdup(request->path);
    p->work.root = p->root;
    p->work.path = p->path;
    p->keep_as = request->keep_as ? strdup(request->keep_as) : NULL;
    p->work.keep_as = p->keep_as;
    p->work.size = request->size;
    io_task_init(&p->task);
    io_task_init(&p->room_task);
    if (!p->path || (request->keep_as && !p->keep_as) ||
        (request->hash && !sha256_run_init(&p->work.sha))) {
        sha256_run_fini(&p->work.sha);
        free(p->keep_as);
        free(p->path);
        free(p);
        return NULL;
    }
    name_temp(p);
    work(p, LOCAL_WORK_LOOK);
    return p;
}
