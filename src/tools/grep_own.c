/* Searching here: the files below the directory are found by a walk, read some at a time, and
 * searched on helper threads.
 *
 * A file is a slot's from when it is read until its search is done. A search works on copies of its
 * own, so that a call that is cancelled leaves them to it; the expression is shared, and freed by
 * the last of them. Every limit, and the deadline, only cuts what is found; that a file cannot be
 * read costs that file. */
#include "grep_call.h"

#include "scout/base/container.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* What the searches under way share. */
struct shared {
    struct search_regex *regex;
    struct search_request request; /* the pattern is in the regex */
    unsigned users;
};

/* What a helper thread works on. */
struct search_job {
    struct io_job job;
    struct shared *shared;
    struct own_slot *slot; /* the loop's; NULL: cancelled */
    char *path;
    uint8_t *text;
    size_t len;
    struct buf out;
    int error;
};

struct own_slot {
    struct grep_own *own;
    struct path_get *get; /* one of the two is under way, or none */
    struct search_job *job;
    size_t file;
    char *path; /* as it is asked for; in use while it is read */
};

struct grep_own {
    struct grep_call *g;
    struct shared *shared;
    struct path_walk *walk;
    struct buf paths; /* of the files, below the directory, each with its NUL */
    uint32_t *starts; /* where each begins */
    size_t count, next, busy, done;
    uint64_t bytes; /* of the files that were begun, as far as is known */
    uint64_t unreadable;
    uint64_t results; /* that were found, about */
    struct buf out;
    enum grep_cut cut;       /* nothing more is begun */
    enum grep_cut cut_later; /* there are more files than those */
    uint64_t deadline_ns; /* of reading: earlier than the call's, so that there is time to tell */
    struct own_slot slots[GREP_OWN_READS];
};

static void pump(struct grep_own *o);

/* ---- ends ---- */

static void leave(struct shared *s)
{
    if (--s->users > 0)
        return;
    search_regex_free(s->regex);
    free(s);
}

static void job_free(struct search_job *j)
{
    leave(j->shared);
    free(j->path);
    free(j->text);
    buf_fini(&j->out);
    free(j);
}

void grep_own_cancel(struct grep_own *o)
{
    if (o->walk)
        path_walk_cancel(o->walk);
    for (size_t i = 0; i < GREP_OWN_READS; i++) {
        struct own_slot *s = &o->slots[i];
        if (s->get)
            path_get_cancel(s->get);
        if (s->job)
            s->job->slot = NULL; /* it is freed when it is done */
        free(s->path);
    }
    leave(o->shared);
    buf_fini(&o->paths);
    buf_fini(&o->out);
    free(o->starts);
    free(o);
}

static void fail(struct grep_own *o, const struct failure *why)
{
    struct grep_call *g = o->g;
    const struct failure own = *why;
    g->own = NULL;
    grep_own_cancel(o);
    grep_fail(g, &own);
}

static void fail_memory(struct grep_own *o)
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
        fail_memory(o);
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

/* ---- one file ---- */

static void run_job(struct io_job *job)
{
    struct search_job *j = CONTAINER_OF(job, struct search_job, job);
    j->error = search_text(j->shared->regex, &j->shared->request, j->path,
                           slice_of(j->text, j->len), &j->out);
}

static void release(struct own_slot *s)
{
    s->own->busy--;
    s->own->done++;
    s->get = NULL;
    s->job = NULL;
    free(s->path);
    s->path = NULL;
}

/* Matches, where lines are shown, but no more of a file than are shown of one; else files. */
static void count_results(struct grep_own *o, struct slice out)
{
    uint64_t matches = 0;
    if (o->g->request.mode != SEARCH_CONTENT) {
        o->results += out.len > 0;
        return;
    }
    for (const uint8_t *lf; out.len > 0 && (lf = memchr(out.data, '\n', out.len));) {
        size_t digits = 0, len = (size_t)(lf - out.data);
        while (digits < len && out.data[digits] >= '0' && out.data[digits] <= '9')
            digits++;
        matches += out.data[digits] == ':'; /* the first has its path in front */
        out = slice_skip(out, len + 1);
    }
    o->results += matches < o->g->request.per_file ? matches : o->g->request.per_file - 1;
}

static void on_searched(struct io_job *job)
{
    struct search_job *j = CONTAINER_OF(job, struct search_job, job);
    struct own_slot *s = j->slot;
    if (!s) {
        job_free(j);
        return;
    }
    struct grep_own *o = s->own;
    int error = j->error == SCOUT_E_NOMEM ? j->error : buf_append(&o->out, buf_peek(&j->out));
    count_results(o, buf_peek(&j->out));
    bool cut = j->error == SCOUT_E_LIMIT || error == SCOUT_E_LIMIT;
    job_free(j);
    release(s);
    if (error == SCOUT_E_NOMEM) {
        fail_memory(o);
        return;
    }
    if (cut)
        o->cut = GREP_CUT_SIZE;
    else if (o->results > o->g->results_max && !o->cut)
        o->cut = GREP_CUT_MATCHES;
    tool_call_progress(o->g->path.call, o->done, o->count, "files searched");
    pump(o);
}

static const char *path_of(const struct grep_own *o, size_t file)
{
    return (const char *)buf_peek(&o->paths).data + o->starts[file];
}

static bool start_job(struct own_slot *s, struct slice text)
{
    struct grep_own *o = s->own;
    struct search_job *j = calloc(1, sizeof *j);
    if (!j)
        return false;
    *j = (struct search_job){.shared = o->shared,
                             .slot = s,
                             .path = strdup(path_of(o, s->file)),
                             .text = malloc(text.len + 1),
                             .len = text.len};
    o->shared->users++;
    buf_init(&j->out, SEARCH_OUTPUT_MAX);
    if (!j->path || !j->text) {
        job_free(j);
        return false;
    }
    if (text.len)
        memcpy(j->text, text.data, text.len);
    j->text[text.len] = '\0';
    s->job = j;
    io_job_start(o->g->path.call->registry->io, &j->job, run_job, on_searched);
    return true;
}

/* What a failure to read one file means to the whole: false ends it. */
static bool bear(struct grep_own *o, const struct failure *why)
{
    switch (why->error) {
    case SCOUT_E_DEADLINE:
        o->cut = GREP_CUT_TIME;
        return true;
    case SCOUT_E_PERMISSION:
    case SCOUT_E_REMOTE:
        o->unreadable++;
        return true;
    case SCOUT_E_NOT_FOUND: /* it has gone, or become something else */
    case SCOUT_E_NOT_A_FILE:
    case SCOUT_E_POLICY:
        return true;
    default:
        return false;
    }
}

static void on_got(void *context, const struct path_result *result)
{
    struct own_slot *s = context;
    struct grep_own *o = s->own;
    s->get = NULL;
    if (result->failure.error) {
        bool borne = !o->g->is_file && bear(o, &result->failure);
        release(s);
        if (borne)
            pump(o);
        else
            fail(o, &result->failure);
        return;
    }
    if (result->truncated && !o->cut_later)
        o->cut_later = GREP_CUT_SIZE;
    if (!start_job(s, result->text))
        fail_memory(o);
}

static int permit_file(void *context, struct slice real_path, enum path_kind kind,
                       struct failure *why)
{
    const struct own_slot *s = context;
    const struct grep_call *g = s->own->g;
    const char *rule;
    if (kind != PATH_FILE)
        return failure_set(why, SCOUT_E_NOT_A_FILE, "it is a directory");
    if (g->is_file)
        return path_permit(g->path.call, POLICY_READ, &g->path.target, real_path, why);
    bool may = path_may_read(g->path.call, &g->path.target, real_path, &rule);
    if (may && (!rule || (g->given && strcmp(rule, g->given) == 0)))
        return 0;
    return failure_set(why, SCOUT_E_POLICY, "it may not be read");
}

/* The path of a file as the host is asked for it. */
static char *full_path(const struct grep_own *o, size_t file)
{
    const struct grep_call *g = o->g;
    const char *root = g->real[0] ? g->real : g->path.target.path;
    char *path;
    if (g->is_file)
        return strdup(root);
    const char *slash = root[strlen(root) - 1] == '/' ? "" : "/";
    return asprintf(&path, "%s%s%s", root, slash, path_of(o, file)) < 0 ? NULL : path;
}

static bool read_file(struct grep_own *o, struct own_slot *s)
{
    struct path_request request = path_call_request(&o->g->path);
    s->own = o;
    s->file = o->next++;
    s->path = full_path(o, s->file);
    if (!s->path)
        return false;
    request.path = s->path;
    request.size_max = GREP_OWN_FILE_MAX;
    request.deadline_ns = o->deadline_ns;
    request.permit = permit_file;
    s->get = path_get_start(o->g->path.call->view->env->fleet, &request, on_got, s);
    o->busy += s->get != NULL;
    return s->get != NULL;
}

/* Sets free slots to work; ends when there is no more to do. */
static void pump(struct grep_own *o)
{
    for (size_t i = 0; i < GREP_OWN_READS && o->next < o->count && !o->cut; i++) {
        struct own_slot *s = &o->slots[i];
        if (s->get || s->job)
            continue;
        if (!read_file(o, s)) {
            fail_memory(o);
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
        fail(o, &walk->failure);
        return;
    }
    o->unreadable = walk->unreadable;
    if (take_files(o, walk) != 0) {
        fail_memory(o);
        return;
    }
    if (walk->cut)
        o->cut_later = walk->cut == WALK_CUT_TIME ? GREP_CUT_TIME : GREP_CUT_SIZE;
    pump(o);
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
    pump(o);
    return true;
}

static struct shared *make_shared(const struct grep_call *g)
{
    struct shared *s = calloc(1, sizeof *s);
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
    struct shared *shared = o ? make_shared(g) : NULL;
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
        fail_memory(o);
}
