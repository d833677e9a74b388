/* One look at a path: what it is made of. Its life is a visit's (visit.c).
 *
 *   path_look (SFTP):   stat + realpath --permit--> open ----> file_read --> result
 *                                              \-> opendir --> dir_read  --> result
 *                                               \-> anything else: refused unopened
 *   exec_read (a host without SFTP): one command --permit------------------> result */
#include "path_get.h"

#include "scout/fleet/etag.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct path_get *get_of(struct visit *v)
{
    return CONTAINER_OF(v, struct path_get, visit);
}

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
    visit_fini(&g->visit);
    free_parts(g);
    free(g);
}

/* ---- the parts ---- */

static void begin(struct visit *v)
{
    path_look_start(get_of(v));
}

static void begin_shell(struct visit *v)
{
    exec_read_start(get_of(v));
}

static int feed(struct visit *v, struct slice data)
{
    return exec_read_feed(get_of(v), data);
}

static void fed(struct visit *v, int status)
{
    exec_read_end(get_of(v), status);
}

static void take_back(struct visit *v, struct sftp *s)
{
    struct path_get *g = get_of(v);
    path_look_forget(g, s);
    file_read_forget(g, s);
    dir_read_forget(g, s);
    if (g->handle_open)
        sftp_close(s, &g->handle);
    g->handle_open = false;
}

static void reset(struct visit *v)
{
    struct path_get *g = get_of(v);
    free_parts(g);
    g->result = (struct path_result){0};
    g->stat_known = g->handle_open = false;
}

static void deliver(struct visit *v)
{
    struct path_get *g = get_of(v);
    if (v->failure.error)
        g->result = (struct path_result){.failure = v->failure};
    g->result.connected_ns = v->connected_ns;
    g->fn(g->context, &g->result);
    get_free(g);
}

static const struct visit_parts parts = {
    .begin = begin,
    .begin_shell = begin_shell,
    .feed = feed,
    .fed = fed,
    .take_back = take_back,
    .reset = reset,
    .deliver = deliver,
};

/* ---- what the readers ask for ---- */

void path_get_refuse(struct path_get *g, uint32_t mode)
{
    struct failure why;
    const char *type = S_ISFIFO(mode)   ? "a FIFO"
                       : S_ISSOCK(mode) ? "a socket"
                       : S_ISCHR(mode)  ? "a character device"
                       : S_ISBLK(mode)  ? "a block device"
                                        : "of an unknown type";
    failure_set(&why, SCOUT_E_NOT_A_FILE,
                "%.400s is %s: only regular files and directories can be read", g->shown, type);
    visit_fail_as(&g->visit, &why);
}

bool path_get_set_real(struct path_get *g, struct slice path)
{
    if (path.len == 0 || path.len > SFTP_PATH_MAX || memchr(path.data, '\0', path.len))
        return true;
    g->real_path = malloc(path.len + 1);
    if (!g->real_path)
        return false;
    memcpy(g->real_path, path.data, path.len);
    g->real_path[path.len] = '\0';
    g->result.real_path = slice_of(g->real_path, path.len);
    return true;
}

bool path_get_permitted(struct path_get *g)
{
    struct failure why = {0};
    char etag[ETAG_SIZE];
    if (g->permit && g->permit(g->context, g->result.real_path, g->result.kind, &why) != 0) {
        visit_fail_as(&g->visit, &why);
        return false;
    }
    bool known = g->result.kind == PATH_FILE && g->etag && etag_format(&g->result.attrs, etag)[0];
    g->result.unchanged = known && strcmp(g->etag, etag) == 0;
    if (g->result.unchanged) {
        g->result.text.len = 0;
        g->result.truncated = false;
        visit_finish(&g->visit);
    }
    return !g->result.unchanged;
}

/* ---- begin and cancel ---- */

struct path_get *path_get_start(struct fleet *f, const struct path_request *request,
                                path_get_fn *fn, void *context)
{
    size_t path_size = strlen(request->path) + 1;
    struct path_get *g = calloc(1, sizeof *g + path_size);
    if (!g)
        return NULL;
    g->fn = fn;
    g->permit = request->permit;
    g->progress = request->progress;
    g->context = context;
    g->size_max = request->size_max;
    g->range = request->range;
    g->around = request->around;
    g->etag = request->etag;
    g->watch = request->watch;
    memcpy(g->shown, request->path, path_size);
    visit_start(&g->visit, &parts, f, request, g->shown);
    return g;
}

void path_get_cancel(struct path_get *g)
{
    visit_cancel(&g->visit);
    get_free(g);
}
