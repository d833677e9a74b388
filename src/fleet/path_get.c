/* One look at a path.
 *
 *   ACQUIRE --> stat --> regular file: open -----> file_read --> result
 *                   \--> directory:    opendir --> dir_read  --> result
 *                    \-> anything else: refused unopened
 *
 * The end is always the same: requests that are still in flight are forgotten, the handle is closed
 * behind them, the connection goes back to the pool, and the task delivers the result. */
#include "path_get.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the end ---- */

static void get_free(struct path_get *g)
{
    io_task_cancel(&g->task);
    io_timer_stop(fleet_io(g->fleet), &g->timer);
    free(g->file.data);
    free(g->dir.entries);
    buf_fini(&g->dir.bytes);
    free(g);
}

static void on_task(struct io_task *task)
{
    struct path_get *g = CONTAINER_OF(task, struct path_get, task);
    g->fn(g->context, &g->result);
    get_free(g);
}

/* Takes back everything that the connection has of this operation. */
static void let_go(struct path_get *g)
{
    struct sftp *s = g->use.connection && !g->use.waiting ? pool_sftp(&g->use) : NULL;
    if (s) {
        sftp_forget(s, &g->request);
        file_read_forget(g, s);
        dir_read_forget(g, s);
        if (g->handle_open) {
            sftp_close(s, &g->handle);
            pool_flush(&g->use);
        }
    }
    g->handle_open = false;
    pool_release(&g->use);
}

void path_get_finish(struct path_get *g)
{
    if (g->finished)
        return;
    g->finished = true;
    io_timer_stop(fleet_io(g->fleet), &g->timer);
    let_go(g);
    io_defer(fleet_io(g->fleet), &g->task, on_task);
}

void path_get_fail(struct path_get *g, int error, const char *text)
{
    failure_set(&g->result.failure, error, "%s", text);
    g->result.failure.stage = "running";
    path_get_finish(g);
}

void path_get_fail_reply(struct path_get *g, const char *what, const struct sftp_reply *reply)
{
    struct failure *f = &g->result.failure;
    int error = reply->error ? reply->error : SCOUT_E_SFTP_PROTOCOL;
    if (error == SCOUT_E_CONNECTION_LOST && g->use.connection) {
        *f = *pool_failure(&g->use);
        if (!f->error)
            failure_set(f, error, "The connection to %s was lost", g->host_name);
    } else if (error == SCOUT_E_NOT_FOUND) {
        failure_set(f, error, "Path not found: %.400s", g->shown);
    } else if (error == SCOUT_E_PERMISSION) {
        failure_set(f, error, "Permission denied: %.400s", g->shown);
    } else {
        struct slice why = reply->message.len ? reply->message : slice_str(error_text(error));
        failure_set(f, error, "Failed to %s %.256s: %.*s", what, g->shown,
                    (int)(why.len > 128 ? 128 : why.len), (const char *)why.data);
    }
    if (!f->stage)
        f->stage = "running";
    path_get_finish(g);
}

/* ---- the steps ---- */

static void on_opened(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct path_get *g = CONTAINER_OF(request, struct path_get, request);
    if (reply->error || reply->eof) {
        path_get_fail_reply(g, g->result.kind == PATH_FILE ? "read" : "list", reply);
        return;
    }
    g->handle = reply->handle;
    g->handle_open = true;
    if (g->result.kind == PATH_FILE)
        file_read_start(g);
    else
        dir_read_start(g);
}

/* A request that could not even be started. */
static void fail_start(struct path_get *g, int error)
{
    char text[256];
    snprintf(text, sizeof text, "The request to %s could not be made: %s", g->host_name,
             error_text(error));
    path_get_fail(g, error, text);
}

static void open_path(struct path_get *g)
{
    struct sftp *s = pool_sftp(&g->use);
    int error = SCOUT_E_CONNECTION_LOST;
    if (s && g->result.kind == PATH_FILE)
        error = sftp_open_read(s, &g->request, g->path, on_opened);
    else if (s)
        error = sftp_opendir(s, &g->request, g->path, on_opened);
    if (error)
        fail_start(g, error);
}

static const char *type_name(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
        return "a character device";
    case S_IFBLK:
        return "a block device";
    default:
        return "of an unknown type";
    }
}

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct path_get *g = CONTAINER_OF(request, struct path_get, request);
    if (reply->error || reply->eof) {
        path_get_fail_reply(g, "stat", reply);
        return;
    }
    g->result.attrs = reply->attrs;
    uint32_t mode = reply->attrs.flags & SFTP_ATTR_PERMISSIONS ? reply->attrs.permissions : 0;
    if (S_ISREG(mode)) {
        g->result.kind = PATH_FILE;
    } else if (S_ISDIR(mode)) {
        g->result.kind = PATH_DIRECTORY;
    } else {
        failure_set(&g->result.failure, SCOUT_E_NOT_A_FILE,
                    "%.400s is %s: only regular files and directories can be read", g->shown,
                    type_name(mode));
        g->result.failure.stage = "running";
        path_get_finish(g);
        return;
    }
    open_path(g);
}

static void on_deadline(struct io_timer *timer)
{
    struct path_get *g = CONTAINER_OF(timer, struct path_get, timer);
    failure_set(&g->result.failure, SCOUT_E_DEADLINE, "%s did not answer in time", g->host_name);
    g->result.failure.stage = "running";
    pool_suspect(&g->use, g->started_ns);
    path_get_finish(g);
}

static void begin(struct path_get *g)
{
    struct sftp *s = pool_sftp(&g->use);
    int error = s ? sftp_stat(s, &g->request, g->path, on_stat) : SCOUT_E_CONNECTION_LOST;
    if (error) {
        fail_start(g, error);
        return;
    }
    /* Until here the wait had the deadline. */
    io_timer_start(fleet_io(g->fleet), &g->timer, g->deadline_ns, on_deadline);
    pool_flush(&g->use);
}

static void on_acquired(struct pool_use *use, const struct failure *failure)
{
    struct path_get *g = CONTAINER_OF(use, struct path_get, use);
    if (failure) {
        g->result.failure = *failure;
        path_get_finish(g);
    } else {
        begin(g);
    }
}

/* `~` is the login directory, where relative paths of SFTP begin. */
static const char *expand_home(const char *path)
{
    if (path[0] != '~')
        return path;
    path += path[1] == '/' ? 2 : 1;
    return path[0] ? path : ".";
}

struct path_get *path_get_start(struct fleet *f, const struct ssh_host *host, const char *path,
                                uint64_t size_max, uint64_t deadline_ns, path_get_fn *fn,
                                void *context)
{
    struct path_get *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    struct io *io = fleet_io(f);
    g->fleet = f;
    g->fn = fn;
    g->context = context;
    g->size_max = size_max;
    g->deadline_ns = deadline_ns;
    g->started_ns = io_now(io);
    g->host_name = host->name;
    snprintf(g->shown, sizeof g->shown, "%s", path);
    snprintf(g->path, sizeof g->path, "%s", expand_home(path));
    io_timer_init(&g->timer);
    io_task_init(&g->task);
    buf_init(&g->dir.bytes, PATH_ENTRY_BYTES_MAX);
    int ready =
        pool_acquire(fleet_pool(f), host, deadline_ns, &g->use, on_acquired, &g->result.failure);
    if (ready < 0) {
        g->result.failure.stage = "queued";
        path_get_finish(g);
        return g;
    }
    if (ready)
        begin(g);
    return g;
}

void path_get_cancel(struct path_get *g)
{
    g->finished = true;
    let_go(g);
    get_free(g);
}
