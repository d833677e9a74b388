/* Real paths, in one visit: stat and realpath of the directory and of each path, all in flight
 * together. The paths are asked for as `directory/path`, so that the host resolves what is
 * before a `..` first, as it does for the command. */
#include "scout/fleet/real_paths.h"

#include "real_script.h"
#include "scout/fleet/path_join.h"
#include "scout/pool/command.h"
#include "visit.h"
#include <stdlib.h>
#include <sys/stat.h>

struct one {
    struct real_paths *all;
    struct sftp_request request, stat;
    const char *asked; /* relative to the directory, or absolute */
    const char *real;  /* NULL: not resolved */
    enum real_kind kind;
};

struct real_paths {
    struct visit visit;
    real_paths_fn *fn;
    void *context;
    struct arena arena;
    struct buf printed; /* by the shell's command */
    size_t waiting, count;
    const char **told;
    enum real_kind *kinds;
    struct one directory, *paths;
};

static struct real_paths *of(struct visit *v)
{
    return CONTAINER_OF(v, struct real_paths, visit);
}

static void real_paths_free(struct real_paths *r)
{
    visit_fini(&r->visit);
    buf_fini(&r->printed);
    arena_fini(&r->arena);
    free(r);
}

static char *keep(struct real_paths *r, struct slice text)
{
    char *copy = arena_alloc(&r->arena, text.len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

static void fail_memory(struct real_paths *r)
{
    visit_fail(&r->visit, SCOUT_E_NOMEM, "No memory for the real paths");
}

static void fail_no_directory(struct real_paths *r)
{
    struct failure why;
    failure_set(&why, SCOUT_E_NOT_A_FILE, "%.400s is no directory: a command runs in one",
                r->visit.shown);
    visit_fail_as(&r->visit, &why);
}

/* A usable answer is absolute, and a C string. */
static bool is_real(struct slice path)
{
    return path.len > 0 && path.len <= SFTP_PATH_MAX && path.data[0] == '/' &&
           !memchr(path.data, '\0', path.len);
}

/* Everything is answered. */
static void complete(struct real_paths *r)
{
    const char *directory = r->directory.real;
    if (!directory) {
        visit_fail(&r->visit, SCOUT_E_UNSUPPORTED,
                   "The host does not tell the directory's real path");
        return;
    }
    for (size_t i = 0; i < r->count; i++) {
        struct one *p = &r->paths[i];
        r->kinds[i] = p->real || p->kind == REAL_MISSING ? p->kind : REAL_UNTOLD;
        if (!p->real)
            p->real = path_join(&r->arena, directory, p->asked);
        if (!p->real) {
            fail_memory(r);
            return;
        }
        r->told[i] = p->real;
    }
    visit_finish(&r->visit);
}

/* ---- over SFTP ---- */

static void answered(struct real_paths *r)
{
    if (--r->waiting == 0)
        complete(r);
}

static enum real_kind kind_of(const struct sftp_reply *reply)
{
    uint32_t mode = reply->attrs.permissions;
    if (reply->error == SCOUT_E_NOT_FOUND || reply->error == SCOUT_E_PERMISSION)
        return REAL_MISSING;
    if (reply->error || reply->eof || !(reply->attrs.flags & SFTP_ATTR_PERMISSIONS))
        return REAL_UNTOLD;
    return S_ISREG(mode)   ? REAL_FILE
           : S_ISDIR(mode) ? REAL_DIRECTORY
           : S_ISBLK(mode) ? REAL_BLOCK
                           : REAL_OTHER;
}

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct one *p = CONTAINER_OF(request, struct one, stat);
    struct real_paths *r = p->all;
    bool is_directory = p == &r->directory;
    p->kind = kind_of(reply);
    if (reply->error == SCOUT_E_CONNECTION_LOST || (is_directory && (reply->error || reply->eof)))
        visit_fail_reply(&r->visit, "stat", reply);
    else if (is_directory && p->kind != REAL_DIRECTORY)
        fail_no_directory(r);
    else
        answered(r);
}

static void on_real(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct one *p = CONTAINER_OF(request, struct one, request);
    struct real_paths *r = p->all;
    struct slice names = reply->names;
    struct sftp_name name;
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        visit_fail_reply(&r->visit, "resolve", reply);
        return;
    }
    if (!reply->error && sftp_next_name(&names, &name) && is_real(name.filename)) {
        p->real = keep(r, name.filename);
        if (!p->real) {
            fail_memory(r);
            return;
        }
    }
    answered(r);
}

/* `directory/asked`, or an absolute path as it is. */
static const char *request_path(struct real_paths *r, const struct one *p)
{
    size_t directory = strlen(r->visit.path), size = directory + strlen(p->asked) + 2;
    if (p->asked[0] == '/')
        return p->asked;
    char *path = arena_alloc(&r->arena, size);
    if (path) {
        memcpy(path, r->visit.path, directory);
        path[directory] = '/';
        strcpy(path + directory + 1, p->asked);
    }
    return path;
}

static int ask(struct real_paths *r, struct sftp *s)
{
    int error = sftp_stat(s, &r->directory.stat, r->visit.path, on_stat);
    if (!error)
        error = sftp_realpath(s, &r->directory.request, r->visit.path, on_real);
    for (size_t i = 0; i < r->count && !error; i++) {
        struct one *p = &r->paths[i];
        const char *path = request_path(r, p);
        error = path ? sftp_stat(s, &p->stat, path, on_stat) : SCOUT_E_NOMEM;
        if (!error)
            error = sftp_realpath(s, &p->request, path, on_real);
    }
    return error;
}

static void begin(struct visit *v)
{
    struct real_paths *r = of(v);
    struct sftp *s = visit_sftp(v);
    r->waiting = 2 * r->count + 2;
    int error = s ? ask(r, s) : SCOUT_E_CONNECTION_LOST;
    if (error)
        visit_fail_start(v, error);
    else
        pool_flush(&v->use);
}

/* ---- through the shell ---- */

static void begin_shell(struct visit *v)
{
    struct real_paths *r = of(v);
    struct buf line;
    buf_init(&line, COMMAND_TEXT_MAX + 1);
    int error = real_script_begin(&line, v->path);
    for (size_t i = 0; i < r->count && !error; i++)
        error = real_script_path(&line, r->paths[i].asked);
    visit_run_line(v, &line, error, "resolves the paths");
}

static int feed(struct visit *v, struct slice data)
{
    return buf_append(&of(v)->printed, data);
}

static enum real_kind kind_of_letter(uint8_t letter)
{
    return letter == 'f'   ? REAL_FILE
           : letter == 'd' ? REAL_DIRECTORY
           : letter == 'b' ? REAL_BLOCK
           : letter == 'o' ? REAL_OTHER
           : letter == 'n' ? REAL_MISSING
                           : REAL_UNTOLD;
}

static bool take_real(struct real_paths *r, struct slice *reply, struct one *p)
{
    struct slice path;
    uint8_t letter;
    if (!real_script_next(reply, &letter, &path))
        return false;
    p->kind = kind_of_letter(letter);
    if (is_real(path) && !(p->real = keep(r, path)))
        return false;
    return true;
}

static void fed(struct visit *v, int status)
{
    struct real_paths *r = of(v);
    struct slice reply = buf_peek(&r->printed);
    (void)status; /* a reply that is whole has its end */
    switch (real_script_kind(&reply)) {
    case REAL_SCRIPT_MISSING:
        visit_fail_path(v, SCOUT_E_NOT_FOUND);
        return;
    case REAL_SCRIPT_OTHER:
        fail_no_directory(r);
        return;
    case REAL_SCRIPT_UNABLE:
        visit_fail(v, SCOUT_E_UNSUPPORTED,
                   "The host offers no SFTP and has no readlink -f, so that it cannot be told what "
                   "the paths of a query are");
        return;
    case REAL_SCRIPT_DIRECTORY:
        break;
    case REAL_SCRIPT_NOTHING:
        visit_fail_output(v, SCOUT_E_SFTP_UNAVAILABLE);
        return;
    }
    bool whole = take_real(r, &reply, &r->directory);
    for (size_t i = 0; i < r->count && whole; i++)
        whole = take_real(r, &reply, &r->paths[i]);
    if (whole)
        complete(r);
    else
        visit_fail_output(v, SCOUT_E_SFTP_UNAVAILABLE);
}

/* ---- the life ---- */

static void take_back(struct visit *v, struct sftp *s)
{
    struct real_paths *r = of(v);
    sftp_forget(s, &r->directory.stat);
    sftp_forget(s, &r->directory.request);
    for (size_t i = 0; i < r->count; i++) {
        sftp_forget(s, &r->paths[i].stat);
        sftp_forget(s, &r->paths[i].request);
    }
}

static void reset(struct visit *v)
{
    struct real_paths *r = of(v);
    buf_clear(&r->printed);
    r->directory.real = NULL;
    for (size_t i = 0; i < r->count; i++)
        r->paths[i].real = NULL;
}

static void deliver(struct visit *v)
{
    struct real_paths *r = of(v);
    const struct real_paths_result result = {
        .failure = v->failure,
        .connected_ns = v->connected_ns,
        .directory = r->directory.real,
        .paths = r->told,
        .kinds = r->kinds,
    };
    r->fn(r->context, &result);
    real_paths_free(r);
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

static bool take_paths(struct real_paths *r, const char *const *paths, size_t count)
{
    r->paths = arena_alloc(&r->arena, (count + 1) * sizeof *r->paths);
    r->told = arena_alloc(&r->arena, (count + 1) * sizeof *r->told);
    r->kinds = arena_alloc(&r->arena, (count + 1) * sizeof *r->kinds);
    if (!r->paths || !r->told || !r->kinds)
        return false;
    for (size_t i = 0; i < count; i++) {
        r->paths[i] = (struct one){.all = r, .asked = keep(r, slice_str(paths[i]))};
        if (!r->paths[i].asked)
            return false;
    }
    r->count = count;
    return true;
}

struct real_paths *real_paths_start(struct fleet *f, const struct path_request *request,
                                    const char *const *paths, size_t count, real_paths_fn *fn,
                                    void *context)
{
    struct real_paths *r = count <= REAL_PATHS_MAX ? calloc(1, sizeof *r) : NULL;
    if (!r)
        return NULL;
    arena_init(&r->arena, REAL_PATHS_BYTES_MAX);
    buf_init(&r->printed, REAL_PATHS_BYTES_MAX);
    r->fn = fn;
    r->context = context;
    r->directory.all = r;
    const char *shown = keep(r, slice_str(request->path));
    if (!shown || !take_paths(r, paths, count)) {
        arena_fini(&r->arena);
        free(r);
        return NULL;
    }
    visit_start(&r->visit, &parts, f, request, shown);
    return r;
}

void real_paths_cancel(struct real_paths *r)
{
    visit_cancel(&r->visit);
    real_paths_free(r);
}
