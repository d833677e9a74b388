/* A walk below a directory: what its two ways (walk_sftp.c, walk_exec.c) have in common. Its life
 * is a visit's; its result is made out of its nodes when it is told. */
#include "path_walk.h"

#include "name_glob.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct path_walk *walk_of(struct visit *v)
{
    return CONTAINER_OF(v, struct path_walk, visit);
}

static void free_parts(struct path_walk *w)
{
    walk_sftp_free(w);
    walk_exec_free(w);
    walk_nodes_fini(&w->nodes);
    buf_fini(&w->path);
    free(w->real_path);
    w->real_path = NULL;
}

static void walk_free(struct path_walk *w)
{
    visit_fini(&w->visit);
    free_parts(w);
    free(w);
}

/* ---- what both ways ask ---- */

bool path_walk_permits(struct path_walk *w, struct slice real_path)
{
    struct failure why;
    if (!w->real_path) /* what is below a path that is not told is not real either */
        real_path.len = 0;
    return !w->request.permit_below ||
           w->request.permit_below(w->context, real_path, PATH_DIRECTORY, &why) == 0;
}

bool path_walk_enter(struct path_walk *w, struct slice real_path, uint32_t mode)
{
    struct failure why = {0};
    w->result.kind = S_ISDIR(mode) ? PATH_DIRECTORY : PATH_FILE;
    if (real_path.len > 0 && real_path.len < SFTP_PATH_MAX &&
        !memchr(real_path.data, '\0', real_path.len)) {
        w->real_path = strndup((const char *)real_path.data, real_path.len);
        if (!w->real_path) {
            visit_fail(&w->visit, SCOUT_E_NOMEM, "No memory for the real path");
            return false;
        }
    }
    struct slice told = slice_str(w->real_path ? w->real_path : "");
    path_permit_fn *permit = w->request.path.permit;
    if (permit && permit(w->context, told, w->result.kind, &why) != 0) {
        visit_fail_as(&w->visit, &why);
        return false;
    }
    w->root_known = true;
    if (w->result.kind == PATH_FILE)
        visit_finish(&w->visit);
    return w->result.kind == PATH_DIRECTORY;
}

int path_walk_real(const struct path_walk *w, uint32_t node, struct buf *out)
{
    const char *root = w->real_path ? w->real_path : w->visit.path;
    size_t len = strlen(root);
    buf_clear(out);
    int error = buf_append(out, slice_of(root, len));
    if (!error && node != 0 && root[len - 1] != '/')
        error = buf_append(out, slice_of("/", 1));
    if (!error)
        error = walk_nodes_path(&w->nodes, node, out);
    return error ? error : buf_append(out, slice_of("", 1));
}

bool path_walk_is_name(struct slice name)
{
    return name.len > 0 && !slice_is(name, ".") && !slice_is(name, "..") &&
           !memchr(name.data, '/', name.len) && !memchr(name.data, '\0', name.len);
}

bool path_walk_skips(const struct path_walk *w, struct slice name)
{
    bool history = slice_is(name, ".git") || slice_is(name, ".hg") || slice_is(name, ".svn");
    return (w->request.skip_hidden && name.data[0] == '.') || (w->request.skip_history && history);
}

/* The path below the root of `name` in the directory `parent`; false without memory. */
static bool make_path(struct path_walk *w, uint32_t parent, struct slice name, struct slice *out)
{
    buf_clear(&w->path);
    int error = walk_nodes_path(&w->nodes, parent, &w->path);
    if (!error && parent != 0)
        error = buf_append(&w->path, slice_of("/", 1));
    if (!error)
        error = buf_append(&w->path, name);
    *out = buf_peek(&w->path);
    return !error;
}

bool path_walk_wants_directories(const struct path_walk *w)
{
    const struct walk_request *r = &w->request;
    return r->files && r->glob && path_glob_is_of_directories(r->glob);
}

/* Whether it is wanted, and whether something below it may be. */
static void judge(struct path_walk *w, uint32_t parent, struct slice name, uint32_t mode,
                  bool *wanted, bool *deeper)
{
    const struct walk_request *r = &w->request;
    struct slice path;
    *wanted = !r->pattern || name_glob_matches(r->pattern, name);
    *deeper = S_ISDIR(mode) && w->nodes.nodes[parent].depth + 1u < r->depth;
    if (r->files && S_ISDIR(mode) != path_walk_wants_directories(w))
        *wanted = false;
    if (!r->glob || (!*wanted && !*deeper))
        return;
    bool known = make_path(w, parent, name, &path);
    *wanted = *wanted && known && path_glob_matches(r->glob, path);
    *deeper = *deeper && known && path_glob_reaches(r->glob, path);
}

bool path_walk_add(struct path_walk *w, uint32_t parent, struct slice name,
                   const struct sftp_attrs *attrs)
{
    const struct walk_request *r = &w->request;
    uint32_t mode = attrs->flags & SFTP_ATTR_PERMISSIONS ? attrs->permissions : 0;
    bool wanted, deeper;
    if (!path_walk_is_name(name) || (r->skip_hidden && name.data[0] == '.') ||
        (S_ISDIR(mode) && path_walk_skips(w, name)))
        return true;
    judge(w, parent, name, mode, &wanted, &deeper);
    if (!wanted && !deeper)
        return true;
    if (wanted && w->nodes.wanted == r->entries_max) {
        w->result.cut = WALK_CUT_ENTRIES;
        return false;
    }
    int64_t index = walk_nodes_add(&w->nodes, parent, name, mode, wanted);
    if (index == SCOUT_E_NOMEM)
        visit_fail(&w->visit, SCOUT_E_NOMEM, "No memory for what was found");
    else if (index < 0)
        w->result.cut = WALK_CUT_SIZE;
    if (index < 0)
        return false;
    if (attrs->flags & SFTP_ATTR_ACMODTIME)
        w->nodes.nodes[index].mtime = attrs->mtime;
    if (attrs->flags & SFTP_ATTR_SIZE)
        w->nodes.nodes[index].size = attrs->size;
    return visit_hold_more(&w->visit, walk_nodes_size(&w->nodes));
}

/* ---- the parts ---- */

static void begin(struct visit *v)
{
    walk_sftp_start(walk_of(v));
}

static void begin_shell(struct visit *v)
{
    walk_exec_start(walk_of(v));
}

static int feed(struct visit *v, struct slice data)
{
    return walk_exec_feed(walk_of(v), data);
}

static void fed(struct visit *v, int status)
{
    walk_exec_end(walk_of(v), status);
}

static void take_back(struct visit *v, struct sftp *s)
{
    walk_sftp_take_back(walk_of(v), s);
}

static void reset(struct visit *v)
{
    struct path_walk *w = walk_of(v);
    free_parts(w);
    w->result = (struct walk_result){0};
    w->root_known = false;
}

/* What was found until now will do, once the root is known. */
static bool expire(struct visit *v)
{
    struct path_walk *w = walk_of(v);
    bool usable = w->exec ? walk_exec_expire(w) : w->root_known;
    w->result.cut = WALK_CUT_TIME;
    return usable;
}

static bool root_is_wanted(const struct path_walk *w)
{
    const char *path = w->visit.path, *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    return w->request.pattern && name_glob_matches(w->request.pattern, slice_str(name));
}

static void count_notes(struct path_walk *w)
{
    for (size_t i = 0; i < w->nodes.count; i++) {
        w->result.unreadable += w->nodes.nodes[i].note == WALK_UNREADABLE;
        w->result.forbidden += w->nodes.nodes[i].note == WALK_FORBIDDEN;
    }
}

static void deliver(struct visit *v)
{
    struct path_walk *w = walk_of(v);
    struct walk_entry *entries = NULL;
    struct buf paths;
    buf_init(&paths, SIZE_MAX / 2);
    if (!v->failure.error && w->nodes.nodes &&
        walk_nodes_list(&w->nodes, w->request.sorted, &paths, &entries, &w->result.entry_count) !=
            0)
        failure_set(&v->failure, SCOUT_E_NOMEM, "No memory for what was found");
    if (v->failure.error)
        w->result = (struct walk_result){.failure = v->failure};
    else
        w->result.root_wanted = root_is_wanted(w);
    count_notes(w);
    w->result.entries = entries;
    w->result.real_path = slice_str(w->real_path ? w->real_path : "");
    w->result.connected_ns = v->connected_ns;
    w->fn(w->context, &w->result);
    free(entries);
    buf_fini(&paths);
    walk_free(w);
}

static const struct visit_parts parts = {
    .begin = begin,
    .begin_shell = begin_shell,
    .feed = feed,
    .fed = fed,
    .take_back = take_back,
    .reset = reset,
    .expire = expire,
    .deliver = deliver,
};

/* ---- begin and cancel ---- */

struct path_walk *path_walk_start(struct fleet *f, const struct walk_request *request,
                                  path_walk_fn *fn, void *context)
{
    size_t path_size = strlen(request->path.path) + 1;
    size_t pattern_size = request->pattern ? strlen(request->pattern) + 1 : 0;
    struct path_walk *w = calloc(1, sizeof *w + path_size + pattern_size);
    if (!w)
        return NULL;
    w->request = *request;
    buf_init(&w->path, SFTP_PATH_MAX);
    w->fn = fn;
    w->context = context;
    memcpy(w->text, request->path.path, path_size);
    if (request->pattern)
        w->request.pattern = memcpy(w->text + path_size, request->pattern, pattern_size);
    uint64_t now = io_now(fleet_io(f)), deadline = request->path.deadline_ns;
    if (deadline > now)
        w->request.path.deadline_ns = deadline - (deadline - now) / WALK_RESERVE_PART;
    visit_start(&w->visit, &parts, f, &w->request.path, w->text);
    return w;
}

void path_walk_cancel(struct path_walk *w)
{
    visit_cancel(&w->visit);
    walk_free(w);
}
