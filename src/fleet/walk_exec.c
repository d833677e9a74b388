/* A walk on a host that offers no SFTP: one `find` of its own.
 *
 * After the head that all scripts have (exec_reply.h), it prints "T" and then, for each name, a
 * letter for its type, its path below the root, NUL, the target of a link, NUL; or "A" and then the
 * same with its time and size, in words, in the place of the target; or "U" and then "./" path NUL
 * where find cannot tell more (if they are to be directories, they are). A directory comes before
 * what is in it; where it was not wanted itself, it is made up from the paths below it. */
#include "path_walk.h"

#include "exec_attrs.h"
#include "exec_reply.h"
#include "exec_script.h"
#include <stdlib.h>
#include <sys/stat.h>

#define ENTRY_BYTES 1024u /* of one entry, on average at most */
#define BYTES_MIN   (64u * 1024u)

/* The nodes on the way to the last name. */
struct trail {
    uint32_t nodes[WALK_DEPTH_MAX + 1];
    size_t count;
};

static uint64_t bytes_max(const struct path_walk *w)
{
    uint64_t bytes = (w->request.entries_max + 1) * (uint64_t)ENTRY_BYTES + BYTES_MIN;
    return bytes < WALK_BYTES_MAX ? bytes : WALK_BYTES_MAX;
}

static uint32_t mode_of_letter(uint8_t letter)
{
    switch (letter) {
    case 'f':
        return S_IFREG;
    case 'd':
        return S_IFDIR;
    case 'l':
        return S_IFLNK;
    case 'p':
        return S_IFIFO;
    case 's':
        return S_IFSOCK;
    case 'b':
        return S_IFBLK;
    case 'c':
        return S_IFCHR;
    default:
        return 0;
    }
}

static bool take_text(struct slice *s, struct slice *out)
{
    const uint8_t *nul = s->len ? memchr(s->data, '\0', s->len) : NULL;
    if (!nul)
        return false;
    *out = slice_of(s->data, (size_t)(nul - s->data));
    *s = slice_skip(*s, out->len + 1);
    return true;
}

/* The next part of a path. */
static struct slice take_part(struct slice *path)
{
    const uint8_t *slash = memchr(path->data, '/', path->len);
    struct slice part = slice_of(path->data, slash ? (size_t)(slash - path->data) : path->len);
    *path = slice_skip(*path, part.len + (slash ? 1 : 0));
    return part;
}

/* The directory `part` at this level of the trail, made where it is not there. False when it cannot
 * be one, or when there is no room for it. */
static bool enter(struct path_walk *w, struct trail *t, size_t level, struct slice part)
{
    uint32_t parent = level ? t->nodes[level - 1] : 0;
    if (level < t->count) {
        struct slice known = walk_nodes_name(&w->nodes, t->nodes[level]);
        if (known.len == part.len && memcmp(known.data, part.data, part.len) == 0)
            return true;
    }
    t->count = level;
    if (!path_walk_is_name(part) || path_walk_skips(w, part))
        return false;
    int64_t index = walk_nodes_add(&w->nodes, parent, part, S_IFDIR, false);
    if (index < 0)
        return false;
    t->nodes[t->count++] = (uint32_t)index;
    return true;
}

/* False when the walk has to end. */
static bool add(struct path_walk *w, struct trail *t, struct slice path,
                const struct sftp_attrs *attrs, struct slice target)
{
    size_t level = 0;
    struct slice part = take_part(&path);
    for (; path.len > 0; level++) {
        if (level + 1 >= w->request.depth || !enter(w, t, level, part))
            return true; /* left out: it is not of the script */
        part = take_part(&path);
    }
    t->count = level;
    size_t before = w->nodes.count;
    if (!path_walk_add(w, level ? t->nodes[level - 1] : 0, part, attrs))
        return false;
    if (w->nodes.count == before)
        return true;
    t->nodes[t->count++] = (uint32_t)before;
    if (target.len)
        walk_nodes_set_target(&w->nodes, (uint32_t)before, target);
    return true;
}

/* "SECONDS.FRACTION SIZE" */
static void parse_attrs(struct slice text, struct sftp_attrs *out)
{
    uint64_t number;
    const uint8_t *dot = text.len ? memchr(text.data, '.', text.len) : NULL;
    const uint8_t *blank = text.len ? memchr(text.data, ' ', text.len) : NULL;
    struct slice time = slice_of(text.data, dot ? (size_t)(dot - text.data) : 0);
    if (exec_attrs_take_number(&time, 10, UINT32_MAX, &number)) {
        out->flags |= SFTP_ATTR_ACMODTIME;
        out->mtime = (uint32_t)number;
    }
    struct slice size = blank ? slice_skip(text, (size_t)(blank - text.data) + 1) : slice_of("", 0);
    if (exec_attrs_take_number(&size, 10, UINT64_MAX, &number)) {
        out->flags |= SFTP_ATTR_SIZE;
        out->size = number;
    }
}

static void parse(struct path_walk *w, struct slice text)
{
    const uint32_t untyped = path_walk_wants_directories(w) ? S_IFDIR : 0;
    struct trail trail = {.count = 0};
    struct slice path, more = {0};
    bool attrs_follow = text.len > 0 && text.data[0] == 'A';
    bool typed = attrs_follow || (text.len > 0 && text.data[0] == 'T');
    text = slice_skip(text, text.len > 0);
    while (take_text(&text, &path) && (!typed || take_text(&text, &more))) {
        struct sftp_attrs attrs = {.flags = SFTP_ATTR_PERMISSIONS};
        attrs.permissions = typed && path.len ? mode_of_letter(path.data[0]) : untyped;
        if (attrs_follow)
            parse_attrs(more, &attrs);
        size_t skip = typed ? 1 : 2; /* the letter, or "./" */
        struct slice target = attrs_follow ? slice_of("", 0) : more;
        if (path.len > skip && !add(w, &trail, slice_skip(path, skip), &attrs, target))
            return;
    }
}

/* What is in a directory that is not permitted does not get into the result. */
static void forbid(struct path_walk *w)
{
    struct buf path;
    buf_init(&path, SFTP_PATH_MAX);
    for (uint32_t i = 1; i < w->nodes.count; i++) {
        struct walk_node *node = &w->nodes.nodes[i];
        if (node->first == WALK_NONE)
            continue;
        int error = path_walk_real(w, i, &path);
        struct slice real = buf_peek(&path);
        if (error || !path_walk_permits(w, slice_of(real.data, real.len - 1)))
            node->note = WALK_FORBIDDEN;
    }
    buf_fini(&path);
}

/* Makes the result of what came. The visit may have ended with it. */
static void take_reply(struct path_walk *w)
{
    struct exec_reply *r = w->exec;
    if (r->kind == EXEC_REPLY_MISSING || r->kind == EXEC_REPLY_DENIED) {
        visit_fail_path(&w->visit,
                        r->kind == EXEC_REPLY_MISSING ? SCOUT_E_NOT_FOUND : SCOUT_E_PERMISSION);
        return;
    }
    uint32_t mode = r->kind == EXEC_REPLY_DIRECTORY ? S_IFDIR : 0;
    if (!path_walk_enter(w, buf_peek(&r->real_path), mode))
        return;
    if (r->truncated)
        w->result.cut = WALK_CUT_SIZE;
    parse(w, buf_peek(&r->text));
    forbid(w);
}

int walk_exec_feed(struct path_walk *w, struct slice data)
{
    return exec_reply_feed(w->exec, data);
}

void walk_exec_end(struct path_walk *w, int status)
{
    (void)status; /* find's own failures are no reason to tell nothing */
    int error = exec_reply_end(w->exec);
    if (error) {
        visit_fail_output(&w->visit, error);
        return;
    }
    take_reply(w);
    visit_finish(&w->visit);
}

bool walk_exec_expire(struct path_walk *w)
{
    if (w->exec->state != EXEC_REPLY_IN_TEXT || exec_reply_end(w->exec) != 0)
        return false;
    take_reply(w);
    return true;
}

void walk_exec_start(struct path_walk *w)
{
    const struct walk_request *r = &w->request;
    const char *name = r->glob && !path_glob_name(r->glob, 1) ? path_glob_name(r->glob, 0) : NULL;
    const char *pattern = r->pattern ? r->pattern : name ? name : r->skip_hidden ? "" : "*";
    struct buf command;
    buf_init(&command, EXEC_COMMAND_MAX);
    w->exec = calloc(1, sizeof *w->exec);
    int error = w->exec ? walk_nodes_init(&w->nodes) : SCOUT_E_NOMEM;
    if (w->exec) {
        exec_reply_init(w->exec, bytes_max(w));
        w->exec->is_walk = true;
    }
    if (!error)
        error = exec_script_write_walk(&command, w->visit.path, bytes_max(w), r->depth, pattern,
                                       !r->files                        ? ""
                                       : path_walk_wants_directories(w) ? "d"
                                                                        : "f");
    visit_run_line(&w->visit, &command, error, "walks the directory");
}

void walk_exec_free(struct path_walk *w)
{
    if (w->exec)
        exec_reply_fini(w->exec);
    free(w->exec);
    w->exec = NULL;
}
