/* One file of a search: it is read, then searched on a helper thread. A search works on copies of
 * its own, so that a call that is cancelled leaves them to it; the expression is shared, and freed
 * by the last of them. That a file cannot be read costs that file. */
#include "grep_own.h"

#include "scout/base/container.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <stdio.h>
#include <stdlib.h>

/* What a helper thread works on. */
struct grep_job {
    struct io_job job;
    struct grep_shared *shared;
    struct own_slot *slot; /* the loop's; NULL: cancelled */
    char *path;
    uint8_t *text;
    size_t len;
    struct buf out;
    int error;
};

void grep_shared_leave(struct grep_shared *s)
{
    if (--s->users > 0)
        return;
    search_regex_free(s->regex);
    free(s);
}

static void job_free(struct grep_job *j)
{
    grep_shared_leave(j->shared);
    free(j->path);
    free(j->text);
    buf_fini(&j->out);
    free(j);
}

void grep_own_drop(struct own_slot *s)
{
    if (s->get)
        path_get_cancel(s->get);
    if (s->job)
        s->job->slot = NULL; /* it is freed when it is done */
    free(s->path);
}

static void run_job(struct io_job *job)
{
    struct grep_job *j = CONTAINER_OF(job, struct grep_job, job);
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

/* Matches, where lines are shown, but no more of a file than are shown of one at least; else files.
 */
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
    uint64_t most = grep_per_file(o->g);
    o->results += matches < most ? matches : most;
}

static void on_searched(struct io_job *job)
{
    struct grep_job *j = CONTAINER_OF(job, struct grep_job, job);
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
        grep_own_fail_memory(o);
        return;
    }
    if (cut)
        o->cut = GREP_CUT_SIZE;
    else if (o->results > o->g->results_max && !o->cut)
        o->cut = GREP_CUT_MATCHES;
    tool_call_progress(o->g->path.call, o->done, o->count, "files searched");
    grep_own_pump(o);
}

static bool start_job(struct own_slot *s, struct slice text)
{
    struct grep_own *o = s->own;
    struct grep_job *j = calloc(1, sizeof *j);
    if (!j)
        return false;
    *j = (struct grep_job){.shared = o->shared,
                           .slot = s,
                           .path = strdup(grep_own_path(o, s->file)),
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
            grep_own_pump(o);
        else
            grep_own_fail(o, &result->failure);
        return;
    }
    if (result->truncated && !o->cut_later)
        o->cut_later = GREP_CUT_SIZE;
    if (!start_job(s, result->text))
        grep_own_fail_memory(o);
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
    return asprintf(&path, "%s%s%s", root, slash, grep_own_path(o, file)) < 0 ? NULL : path;
}

bool grep_own_read(struct grep_own *o, struct own_slot *s)
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
