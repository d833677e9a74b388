/* One look at a path: its life.
 *
 *   ACQUIRE --> path_look (SFTP):   stat + realpath --> open ----> file_read --> result
 *      ^  \                                        \-> opendir --> dir_read  --> result
 *      |   \                                        \-> anything else: refused unopened
 *      |    \-> exec_read (a host without SFTP): one command ----------------> result
 *      |
 *      \-- once, when the connection was lost meanwhile: reading has no effect
 *
 * The end is always the same: requests that are still in flight are forgotten, the handle is closed
 * behind them, the connection goes back to the pool, and the task delivers the result. The callback
 * never comes from within a call, and never from within an event of the connection. */
#include "path_get.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void acquire(struct path_get *g);

/* ---- the end ---- */

static void free_parts(struct path_get *g)
{
    file_read_free(g);
    dir_read_free(g);
    exec_read_free(g);
    free(g->real_path);
    g->real_path = NULL;
}

static void get_free(struct path_get *g)
{
    io_task_cancel(&g->task);
    io_timer_stop(fleet_io(g->fleet), &g->timer);
    free_parts(g);
    free(g);
}

static void on_deliver(struct io_task *task)
{
    struct path_get *g = CONTAINER_OF(task, struct path_get, task);
    g->fn(g->context, &g->result);
    get_free(g);
}

static void on_again(struct io_task *task)
{
    struct path_get *g = CONTAINER_OF(task, struct path_get, task);
    free_parts(g);
    g->result = (struct path_result){0};
    g->stat_known = false;
    g->finished = false;
    acquire(g);
}

/* Takes back everything that the connection has of this operation. */
static void take_back(struct path_get *g)
{
    struct sftp *s = g->use.connection && !g->use.waiting ? pool_sftp(&g->use) : NULL;
    if (s) {
        path_look_forget(g, s);
        file_read_forget(g, s);
        dir_read_forget(g, s);
        if (g->handle_open) {
            sftp_close(s, &g->handle);
            pool_flush(&g->use);
        }
    }
    g->handle_open = false;
}

static void end(struct path_get *g, io_task_fn *next)
{
    if (g->finished)
        return;
    g->finished = true;
    io_timer_stop(fleet_io(g->fleet), &g->timer);
    take_back(g);
    pool_release(&g->use);
    io_defer(fleet_io(g->fleet), &g->task, next);
}

void path_get_finish(struct path_get *g)
{
    end(g, on_deliver);
}

/* With the failure in the result. */
static void end_failed(struct path_get *g)
{
    struct failure *f = &g->result.failure;
    if (!f->stage)
        f->stage = "running";
    bool again = f->error == SCOUT_E_CONNECTION_LOST && !g->retried && !g->finished &&
                 io_now(fleet_io(g->fleet)) < g->deadline_ns;
    g->retried = g->retried || again;
    end(g, again ? on_again : on_deliver);
}

void path_get_fail(struct path_get *g, int error, const char *text)
{
    failure_set(&g->result.failure, error, "%s", text);
    end_failed(g);
}

void path_get_fail_as(struct path_get *g, const struct failure *why)
{
    g->result.failure = *why;
    end_failed(g);
}

void path_get_fail_path(struct path_get *g, int error)
{
    failure_set(&g->result.failure, error, "%s: %.400s",
                error == SCOUT_E_PERMISSION ? "Permission denied" : "Path not found", g->shown);
    end_failed(g);
}

void path_get_fail_reply(struct path_get *g, const char *what, const struct sftp_reply *reply)
{
    struct failure *f = &g->result.failure;
    int error = reply->error ? reply->error : SCOUT_E_SFTP_PROTOCOL;
    if (error == SCOUT_E_NOT_FOUND || error == SCOUT_E_PERMISSION) {
        path_get_fail_path(g, error);
        return;
    }
    if (error == SCOUT_E_CONNECTION_LOST && g->use.connection) {
        *f = *pool_failure(&g->use);
        if (!f->error)
            failure_set(f, error, "The connection to %s was lost", g->host->name);
    } else {
        struct slice why = reply->message.len ? reply->message : slice_str(error_text(error));
        failure_set(f, error, "Failed to %s %.256s: %.*s", what, g->shown,
                    (int)(why.len > 128 ? 128 : why.len), (const char *)why.data);
    }
    end_failed(g);
}

void path_get_refuse(struct path_get *g, uint32_t mode)
{
    const char *type = S_ISFIFO(mode)   ? "a FIFO"
                       : S_ISSOCK(mode) ? "a socket"
                       : S_ISCHR(mode)  ? "a character device"
                       : S_ISBLK(mode)  ? "a block device"
                                        : "of an unknown type";
    failure_set(&g->result.failure, SCOUT_E_NOT_A_FILE,
                "%.400s is %s: only regular files and directories can be read", g->shown, type);
    end_failed(g);
}

bool path_get_set_real(struct path_get *g, struct slice path)
{
    if (path.len == 0 || path.len > SFTP_PATH_MAX || memchr(path.data, '\0', path.len))
        return true;
    g->real_path = malloc(path.len);
    if (!g->real_path)
        return false;
    memcpy(g->real_path, path.data, path.len);
    g->result.real_path = slice_of(g->real_path, path.len);
    return true;
}

/* ---- the begin ---- */

static void on_deadline(struct io_timer *timer)
{
    struct path_get *g = CONTAINER_OF(timer, struct path_get, timer);
    failure_set(&g->result.failure, SCOUT_E_DEADLINE, "%s did not answer in time", g->host->name);
    g->result.failure.stage = g->exec ? exec_read_stage(g) : "running";
    take_back(g); /* so that the end of the connection is not told to it as well */
    if (g->use.connection)
        pool_suspect(&g->use, g->started_ns);
    path_get_finish(g);
}

static void begin(struct path_get *g)
{
    /* Until here the wait had the deadline. What the host said while it connected is no answer. */
    g->started_ns = io_now(fleet_io(g->fleet));
    io_timer_start(fleet_io(g->fleet), &g->timer, g->deadline_ns, on_deadline);
    if (pool_has_sftp(&g->use))
        path_look_start(g);
    else
        exec_read_start(g);
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

static void acquire(struct path_get *g)
{
    int ready = pool_acquire(fleet_pool(g->fleet), g->host, "", g->deadline_ns, &g->use,
                             on_acquired, &g->result.failure);
    if (ready < 0) {
        g->result.failure.stage = "queued";
        path_get_finish(g);
    } else if (ready) {
        begin(g);
    }
}

/* `~` is the login directory, where relative paths of SFTP and of commands begin. */
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
    size_t path_size = strlen(path) + 1;
    struct path_get *g = calloc(1, sizeof *g + path_size);
    if (!g)
        return NULL;
    g->fleet = f;
    g->host = host;
    g->fn = fn;
    g->context = context;
    g->size_max = size_max;
    g->deadline_ns = deadline_ns;
    memcpy(g->shown, path, path_size);
    g->path = expand_home(g->shown);
    io_timer_init(&g->timer);
    io_task_init(&g->task);
    acquire(g);
    return g;
}

void path_get_cancel(struct path_get *g)
{
    g->finished = true;
    take_back(g);
    pool_release(&g->use);
    get_free(g);
}
