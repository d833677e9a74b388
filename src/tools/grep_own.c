/* Searching here: the files below the directory are found by a walk, read some at a time, and
 * searched on helper threads.
 *
 * A file is a slot's from when it is read until its search is done (grep_own_file.c). Every limit,
 * and the deadline, only cuts what is found. */
#include "grep_own.h"

#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <stdlib.h>
#include <sys/stat.h>

/* ---- ends ---- */

void grep_own_cancel(struct grep_own *o)
{
    if (o->walk)
        path_walk_cancel(o->walk);
    for (size_t i = 0; i < GREP_OWN_READS; i++)
        grep_own_drop(&o->slots[i]);
    grep_shared_leave(o->shared);
    buf_fini(&o->paths);
    buf_fini(&o->out);
    free(o->starts);
    free(o);
}

void grep_own_fail(struct grep_own *o, const struct failure *why)
{
    struct grep_call *g = o->g;
    const struct failure own = *why;
    g->own = NULL;
    grep_own_cancel(o);
    grep_fail(g, &own);
}

void grep_own_fail_memory(struct grep_own *o)
{
    struct grep_call *g = o->g;
    g->own = NULL;
    grep_own_cancel(o);
    grep_fail_memory(g);
}

/* All that was begun is done. */
static void finish(struct grep_own *o)
{
    struct grep_call *g = o->g;
    struct search_found found;
    int error = search_output_parse(buf_peek(&o->out), slice_of("", 0), g->request.mode, &found);
    if (error == SCOUT_E_NOMEM) {
        grep_own_fail_memory(o);
        return;
    }
    if (!o->cut)
        o->cut = error ? GREP_CUT_SIZE : o->cut_later;
    found.unreadable = o->unreadable;
    g->own = NULL;
    grep_finish(g, &found, o->cut); /* `g` is gone, what was found is in `o` */
    free(found.lines);
    grep_own_cancel(o);
}

void grep_own_pump(struct grep_own *o)
{
    for (size_t i = 0; i < GREP_OWN_READS && o->next < o->count && !o->cut; i++) {
        struct own_slot *s = &o->slots[i];
        if (s->get || s->job)
            continue;
        if (!grep_own_read(o, s)) {
            grep_own_fail_memory(o);
            return;
        }
    }
    if (o->busy == 0)
        finish(o);
}

/* ---- which files ---- */

static int add_path(struct grep_own *o, struct slice path)
{
    size_t at = buf_len(&o->paths);
    int error = buf_append(&o->paths, path);
    if (!error)
        error = buf_append(&o->paths, slice_of("", 1));
    o->starts[o->count] = (uint32_t)at;
    o->count += !error;
    return error;
}

/* Regular files that are not empty, as far as is known. */
static bool is_searched(const struct walk_entry *e)
{
    return (S_ISREG(e->mode) || e->mode == 0) && e->size > 0;
}

static int take_files(struct grep_own *o, const struct walk_result *walk)
{
    int error = 0;
    o->starts = malloc((walk->entry_count + 1) * sizeof *o->starts);
    if (!o->starts)
        return SCOUT_E_NOMEM;
    for (size_t i = 0; i < walk->entry_count && !error; i++) {
        const struct walk_entry *e = &walk->entries[i];
        uint64_t size = e->size < GREP_OWN_FILE_MAX ? e->size : GREP_OWN_FILE_MAX;
        if (!is_searched(e))
            continue;
        if (o->bytes + size > GREP_OWN_BYTES_MAX) {
            o->cut_later = GREP_CUT_SIZE;
            break;
        }
        o->bytes += size;
        error = add_path(o, e->path);
    }
    return error;
}

static void on_walked(void *context, const struct walk_result *walk)
{
    struct grep_own *o = context;
    o->walk = NULL;
    if (walk->failure.error) {
        grep_own_fail(o, &walk->failure);
        return;
    }
    o->unreadable = walk->unreadable;
    if (take_files(o, walk) != 0) {
        grep_own_fail_memory(o);
        return;
    }
    if (walk->cut)
        o->cut_later = walk->cut == WALK_CUT_TIME ? GREP_CUT_TIME : GREP_CUT_SIZE;
    grep_own_pump(o);
}

static int permit_below(void *context, struct slice real_path, enum path_kind kind,
                        struct failure *why)
{
    const struct grep_own *o = context;
    (void)kind;
    return path_permit_below(o->g->path.call, POLICY_LIST, &o->g->path.target, real_path, why);
}

static bool start_walk(struct grep_own *o)
{
    struct grep_call *g = o->g;
    struct walk_request request = {
        .path = path_call_request(&g->path),
        .permit_below = permit_below,
        .depth = WALK_DEPTH_MAX,
        .glob = g->glob,
        .files = true,
        .skip_history = true,
        .sorted = true,
        .entries_max = GREP_OWN_FILES_MAX,
    };
    request.path.path = g->real[0] ? g->real : g->path.target.path;
    request.path.deadline_ns = o->deadline_ns;
    o->walk = path_walk_start(g->path.call->view->env->fleet, &request, on_walked, o);
    return o->walk != NULL;
}

static bool start_file(struct grep_own *o)
{
    const char *real = o->g->real, *slash = strrchr(real, '/');
    o->starts = malloc(sizeof *o->starts);
    if (!o->starts || add_path(o, slice_str(slash ? slash + 1 : real)) != 0)
        return false;
    grep_own_pump(o);
    return true;
}

static struct grep_shared *make_shared(const struct grep_call *g)
{
    struct grep_shared *s = calloc(1, sizeof *s);
    if (s && search_regex_new(&s->regex, g->request.posix) != 0) {
        free(s);
        return NULL;
    }
    if (s) {
        s->request = g->request;
        s->users = 1;
    }
    return s;
}

void grep_own_start(struct grep_call *g)
{
    struct grep_own *o = calloc(1, sizeof *o);
    struct grep_shared *shared = o ? make_shared(g) : NULL;
    if (!shared) {
        free(o);
        grep_fail_memory(g);
        return;
    }
    uint64_t now = io_now(g->path.call->registry->io), deadline = g->path.call->deadline_ns;
    o->g = g;
    o->shared = shared;
    o->deadline_ns = deadline > now ? deadline - (deadline - now) / WALK_RESERVE_PART : deadline;
    buf_init(&o->paths, WALK_BYTES_MAX);
    buf_init(&o->out, SEARCH_OUTPUT_MAX);
    g->own = o;
    bool begun = search_text_begin(&o->out) == 0 && (g->is_file ? start_file(o) : start_walk(o));
    if (!begun)
        grep_own_fail_memory(o);
}
