/* The SFTP side of one look at a path, up to the open handle.
 *
 * stat and realpath go out together and are answered in one round trip. The type decides: opening a
 * FIFO or a device would hang the host's SFTP server for everybody, so only regular files and
 * directories are opened, and of these what is permitted. A real path that the server does not tell
 * is left out; whether that is a reason to fail is for who permits to say. */
#include "path_get.h"

#include <sys/stat.h>

static void on_opened(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct path_get *g = CONTAINER_OF(request, struct path_get, request);
    if (reply->error || reply->eof) {
        visit_fail_reply(&g->visit, g->result.kind == PATH_FILE ? "read" : "list", reply);
        return;
    }
    g->handle = reply->handle;
    g->handle_open = true;
    if (g->result.kind == PATH_FILE)
        file_read_start(g);
    else
        dir_read_start(g);
}

void path_look_open(struct path_get *g)
{
    struct sftp *s = visit_sftp(&g->visit);
    const char *path = g->real_path ? g->real_path : g->visit.path; /* what was permitted */
    int error = SCOUT_E_CONNECTION_LOST;
    if (s && g->result.kind == PATH_FILE)
        error = sftp_open_read(s, &g->request, path, on_opened);
    else if (s)
        error = sftp_opendir(s, &g->request, path, on_opened);
    if (error) {
        visit_fail_start(&g->visit, error);
        return;
    }
    if (g->result.kind == PATH_FILE)
        file_read_ahead(g);
    if (!g->visit.finished)
        pool_flush(&g->visit.use);
}

static void on_held(struct visit *v)
{
    path_look_open(CONTAINER_OF(v, struct path_get, visit));
}

/* How many bytes of the file reading it holds at most, by what stat said; 0: that does not tell. */
static uint64_t bytes_held(const struct path_get *g)
{
    const struct path_range *want = &g->range;
    const uint64_t size = g->result.attrs.flags & SFTP_ATTR_SIZE ? g->result.attrs.size : 0;
    uint64_t max = g->size_max;
    if (want->part == PATH_BYTES && want->count < max)
        max = want->count;
    if (want->part == PATH_LINES || want->part == PATH_TAIL)
        max += LINE_BLOCK_MAX; /* beside what is kept of it */
    max += 2 * (uint64_t)g->around;
    return size < max ? size : max;
}

/* One of the two answers came. */
static void step(struct path_get *g)
{
    if (!g->stat_known || g->real_request.id != 0 || !path_get_permitted(g))
        return;
    uint64_t bytes = g->result.kind == PATH_FILE ? bytes_held(g) : 0;
    if (visit_hold(&g->visit, bytes, on_held))
        path_look_open(g);
}

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct path_get *g = CONTAINER_OF(request, struct path_get, request);
    if (reply->error || reply->eof) {
        visit_fail_reply(&g->visit, "stat", reply);
        return;
    }
    g->result.attrs = reply->attrs;
    uint32_t mode = reply->attrs.flags & SFTP_ATTR_PERMISSIONS ? reply->attrs.permissions : 0;
    if (!S_ISREG(mode) && !S_ISDIR(mode)) {
        path_get_refuse(g, mode);
        return;
    }
    g->result.kind = S_ISREG(mode) ? PATH_FILE : PATH_DIRECTORY;
    g->stat_known = true;
    step(g);
}

static void on_real(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct path_get *g = CONTAINER_OF(request, struct path_get, real_request);
    struct slice names = reply->names;
    struct sftp_name name;
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        visit_fail_reply(&g->visit, "stat", reply);
        return;
    }
    if (!reply->error && sftp_next_name(&names, &name) && !path_get_set_real(g, name.filename)) {
        visit_fail(&g->visit, SCOUT_E_NOMEM, "No memory for the real path");
        return;
    }
    step(g);
}

void path_look_start(struct path_get *g)
{
    struct sftp *s = visit_sftp(&g->visit);
    int error = s ? sftp_stat(s, &g->request, g->visit.path, on_stat) : SCOUT_E_CONNECTION_LOST;
    if (!error)
        error = sftp_realpath(s, &g->real_request, g->visit.path, on_real);
    if (error)
        visit_fail_start(&g->visit, error);
    else
        pool_flush(&g->visit.use);
}

void path_look_forget(struct path_get *g, struct sftp *s)
{
    sftp_forget(s, &g->request);
    sftp_forget(s, &g->real_request);
}
