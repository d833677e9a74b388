/* A local file, read on a helper thread into a few buffers ahead of whoever takes it.
 *
 *   OPEN --on_opened, go--> READ, READ, ... --all handed on--> CHECK --> on_end
 *
 * One job is under way at a time; while it fills a buffer the loop hands on from the others. The
 * job has its part of the memory (`work` and the buffer) to itself while it runs. The digest, where
 * one is wanted, goes along with the reading, on the same thread; then the file is read from its
 * begin whatever offset is asked for. */
#include "local_dir.h"
#include "scout/fleet/local_file.h"
#include "sha256_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum work_step { WORK_OPEN, WORK_READ, WORK_CHECK, WORK_CLOSE };

struct work {
    struct io_job job;
    enum work_step step;
    int fd;
    struct stat st; /* OPEN: as it was; CHECK: as it is */
    uint8_t *buffer;
    uint64_t offset;
    size_t len;    /* of what is to be read */
    int error;     /* -errno */
    bool too_soon; /* the file ended earlier than it did */
    struct sha256_run sha;
};

struct local_pull {
    struct io *io;
    const struct file_source_events *events;
    void *context;
    struct work work;
    struct io_task task;
    bool working, going, ending;
    struct failure failure;
    struct stat st;
    uint64_t size, asked, skip; /* bytes to read; read or being read; not handed on before that */
    uint8_t *buffers[LOCAL_BUFFERS];
    size_t len[LOCAL_BUFFERS], taken[LOCAL_BUFFERS];
    uint32_t head, tail; /* buffers handed on, filled; they only grow */
    char hash[SHA256_HEX_SIZE];
    char *path;
    char root[];
};

/* ---- on a helper thread ---- */

static struct local_pull *pull_of_work(struct work *w)
{
    return CONTAINER_OF(w, struct local_pull, work);
}

static void run_open(struct work *w)
{
    const struct local_pull *p = pull_of_work(w);
    int root = local_dir_open(p->root);
    if (root < 0) {
        w->error = root;
        return;
    }
    w->fd = local_dir_open_file(root, p->path, O_RDONLY);
    close(root);
    if (w->fd < 0)
        w->error = w->fd;
    else if (fstat(w->fd, &w->st) != 0)
        w->error = -errno;
    else if (!S_ISREG(w->st.st_mode))
        w->error = -EISDIR;
    else
        posix_fadvise(w->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
}

static void run_read(struct work *w)
{
    size_t got = 0;
    while (got < w->len) {
        ssize_t n = pread(w->fd, w->buffer + got, w->len - got, (off_t)(w->offset + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            w->error = n < 0 ? -errno : 0;
            w->too_soon = n == 0;
            return;
        }
        got += (size_t)n;
    }
    sha256_run_feed(&w->sha, slice_of(w->buffer, w->len));
}

static void run(struct io_job *job)
{
    struct work *w = CONTAINER_OF(job, struct work, job);
    w->error = 0;
    switch (w->step) {
    case WORK_OPEN:
        run_open(w);
        break;
    case WORK_READ:
        run_read(w);
        break;
    case WORK_CHECK:
        if (fstat(w->fd, &w->st) != 0)
            w->error = -errno;
        break;
    case WORK_CLOSE:
        close(w->fd);
        w->fd = -1;
        break;
    }
}

/* ---- the end ---- */

static void on_work(struct io_job *job);

static void work(struct local_pull *p, enum work_step step)
{
    p->work.step = step;
    p->working = true;
    io_job_start(p->io, &p->work.job, run, on_work);
}

static void deliver(struct local_pull *p)
{
    p->events->on_end(p->context, &p->failure, 0);
    sha256_run_fini(&p->work.sha);
    for (unsigned i = 0; i < LOCAL_BUFFERS; i++)
        free(p->buffers[i]);
    free(p->path);
    free(p);
}

static void on_task(struct io_task *task)
{
    struct local_pull *p = CONTAINER_OF(task, struct local_pull, task);
    if (p->work.fd >= 0)
        work(p, WORK_CLOSE);
    else
        deliver(p);
}

/* With or without a failure. */
static void end(struct local_pull *p)
{
    p->ending = true;
    if (!p->working)
        io_defer(p->io, &p->task, on_task);
}

static void fail(struct local_pull *p, int error, const char *what)
{
    if (p->ending)
        return;
    local_dir_failure(&p->failure, what, p->path, error);
    end(p);
}

static void fail_changed(struct local_pull *p)
{
    if (p->ending)
        return;
    failure_set(
        &p->failure, SCOUT_E_CHANGED,
        "The local file %.200s changed while it was read: nothing of it was kept; try again",
        p->path);
    end(p);
}

/* ---- reading ---- */

static void read_more(struct local_pull *p)
{
    if (p->working || p->ending || p->asked == p->size || p->tail - p->head == LOCAL_BUFFERS)
        return;
    unsigned i = p->tail % LOCAL_BUFFERS;
    if (!p->buffers[i])
        p->buffers[i] = malloc(LOCAL_BUFFER_SIZE);
    if (!p->buffers[i]) {
        failure_set(&p->failure, SCOUT_E_NOMEM, "No memory to read %.200s", p->path);
        end(p);
        return;
    }
    uint64_t left = p->size - p->asked;
    p->len[i] = left < LOCAL_BUFFER_SIZE ? (size_t)left : LOCAL_BUFFER_SIZE;
    p->taken[i] = 0;
    if (p->asked < p->skip)
        p->taken[i] = p->skip - p->asked < p->len[i] ? (size_t)(p->skip - p->asked) : p->len[i];
    p->work.buffer = p->buffers[i];
    p->work.offset = p->asked;
    p->work.len = p->len[i];
    p->asked += p->len[i];
    work(p, WORK_READ);
}

static void hand_on(struct local_pull *p)
{
    while (!p->ending && p->head != p->tail) {
        unsigned i = p->head % LOCAL_BUFFERS;
        size_t left = p->len[i] - p->taken[i], room = left ? p->events->room(p->context) : 0;
        size_t len = left < room ? left : room;
        if (len > 0) {
            p->taken[i] += len;
            p->events->on_data(p->context, slice_of(p->buffers[i] + p->taken[i] - len, len));
        }
        if (p->taken[i] < p->len[i])
            return;
        p->head++;
    }
}

static void go_on(struct local_pull *p)
{
    hand_on(p);
    read_more(p);
    if (!p->ending && !p->working && p->asked == p->size && p->head == p->tail)
        work(p, WORK_CHECK);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void on_opened(struct local_pull *p)
{
    struct file_source_info info = {.real_path = slice_str(p->path)};
    p->st = p->work.st;
    p->size = (uint64_t)p->st.st_size;
    local_dir_attrs(&p->st, &info.attrs);
    etag_format(&info.attrs, info.etag);
    p->events->on_opened(p->context, &info);
}

static void on_work(struct io_job *job)
{
    struct local_pull *p = CONTAINER_OF(job, struct local_pull, work.job);
    struct work *w = &p->work;
    p->working = false;
    if (w->step == WORK_CLOSE) {
        deliver(p);
        return;
    }
    if (w->error)
        fail(p, w->error, w->step == WORK_OPEN ? "open" : "read");
    else if (w->too_soon)
        fail_changed(p);
    if (p->ending) {
        io_defer(p->io, &p->task, on_task);
        return;
    }
    switch (w->step) {
    case WORK_OPEN:
        on_opened(p);
        break;
    case WORK_READ:
        p->tail++;
        read_more(p); /* the next one is on its way while this one is handed on */
        go_on(p);
        break;
    default:
        if (!is_same(&p->st, &w->st)) {
            fail_changed(p);
            break;
        }
        sha256_run_end(&w->sha, p->hash);
        end(p);
    }
}

/* ---- what is asked of it ---- */

void local_pull_go(struct local_pull *p, uint64_t offset)
{
    if (p->going || p->ending)
        return;
    p->going = true;
    p->skip = offset;
    if (!p->work.sha.ctx)
        p->asked = offset;
    go_on(p);
}

void local_pull_resume(struct local_pull *p)
{
    if (p->going && !p->ending)
        go_on(p);
}

void local_pull_stop(struct local_pull *p)
{
    if (p->ending)
        return;
    failure_set(&p->failure, SCOUT_E_CANCELLED, "Cancelled");
    end(p);
}

const char *local_pull_hash(const struct local_pull *p)
{
    return p->hash;
}

struct local_pull *local_pull_start(struct io *io, const struct local_pull_request *request,
                                    const struct file_source_events *events, void *context)
{
    size_t root_size = strlen(request->root) + 1;
    struct local_pull *p = calloc(1, sizeof *p + root_size);
    if (!p)
        return NULL;
    p->io = io;
    p->events = events;
    p->context = context;
    p->work.fd = -1;
    memcpy(p->root, request->root, root_size);
    p->path = strdup(request->path);
    io_task_init(&p->task);
    if (!p->path || (request->hash && !sha256_run_init(&p->work.sha))) {
        sha256_run_fini(&p->work.sha);
        free(p->path);
        free(p);
        return NULL;
    }
    work(p, WORK_OPEN);
    return p;
}
