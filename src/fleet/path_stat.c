/* What is known of a path: lstat, stat, realpath and readlink together in one round trip.
 *
 * Only lstat's failure is one: a link that leads nowhere is still a link, and the others' answers
 * are left out when they fail. On a host without SFTP a script prints the same, in the form that
 * exec_reply.h has for a file; as its bytes come
 *
 *   attributes of what it leads to, or nothing "\n" target of the link "\n" */
#include "scout/fleet/path_stat.h"

#include "exec_reply.h"
#include "exec_script.h"
#include "visit.h"
#include <stdlib.h>
#include <string.h>

#define REPLY_MAX (SFTP_PATH_MAX + EXEC_REPLY_LINE_MAX)

enum question { LSTAT, STAT, REALPATH, READLINK, QUESTION_COUNT };

struct path_stat {
    struct visit visit;
    path_stat_fn *fn;
    path_permit_fn *permit;
    void *context;
    struct sftp_request requests[QUESTION_COUNT];
    unsigned waiting; /* answers that have not come */
    char *target, *real_path;
    struct exec_reply *exec;
    struct stat_result result;
    char shown[];
};

static struct path_stat *stat_of(struct visit *v)
{
    return CONTAINER_OF(v, struct path_stat, visit);
}

static void free_parts(struct path_stat *p)
{
    free(p->target);
    free(p->real_path);
    p->target = p->real_path = NULL;
    if (p->exec)
        exec_reply_fini(p->exec);
    free(p->exec);
    p->exec = NULL;
}

static void stat_free(struct path_stat *p)
{
    visit_fini(&p->visit);
    free_parts(p);
    free(p);
}

/* All is known. */
static void complete(struct path_stat *p)
{
    struct failure why = {0};
    if (p->permit && p->permit(p->context, p->result.real_path, PATH_FILE, &why) != 0)
        visit_fail_as(&p->visit, &why);
    else
        visit_finish(&p->visit);
}

/* Copies bytes that may be told; those that are too long or have a NUL are not. */
static bool keep(struct slice bytes, char **copy, struct slice *out)
{
    if (bytes.len == 0 || bytes.len > SFTP_PATH_MAX || memchr(bytes.data, '\0', bytes.len))
        return true;
    *copy = malloc(bytes.len);
    if (!*copy)
        return false;
    memcpy(*copy, bytes.data, bytes.len);
    *out = slice_of(*copy, bytes.len);
    return true;
}

/* ---- over SFTP ---- */

static void take(struct path_stat *p, enum question question, const struct sftp_reply *reply)
{
    struct slice names = reply->names;
    struct sftp_name name;
    bool kept = true;
    switch (question) {
    case LSTAT:
        p->result.attrs = reply->attrs;
        break;
    case STAT:
        p->result.reached = true;
        p->result.reached_attrs = reply->attrs;
        break;
    case REALPATH:
        kept = !sftp_next_name(&names, &name) ||
               keep(name.filename, &p->real_path, &p->result.real_path);
        break;
    default:
        kept = !sftp_next_name(&names, &name) || keep(name.filename, &p->target, &p->result.target);
        break;
    }
    if (!kept)
        visit_fail(&p->visit, SCOUT_E_NOMEM, "No memory for the path");
}

static void on_answer(struct path_stat *p, enum question question, const struct sftp_reply *reply)
{
    p->waiting--;
    if (reply->error == SCOUT_E_CONNECTION_LOST || (question == LSTAT && reply->error)) {
        visit_fail_reply(&p->visit, "stat", reply);
        return;
    }
    if (!reply->error)
        take(p, question, reply);
    if (p->waiting == 0 && !p->visit.finished)
        complete(p);
}

static void on_lstat(struct sftp_request *r, const struct sftp_reply *reply)
{
    on_answer(CONTAINER_OF(r, struct path_stat, requests[LSTAT]), LSTAT, reply);
}

static void on_stat(struct sftp_request *r, const struct sftp_reply *reply)
{
    on_answer(CONTAINER_OF(r, struct path_stat, requests[STAT]), STAT, reply);
}

static void on_real(struct sftp_request *r, const struct sftp_reply *reply)
{
    on_answer(CONTAINER_OF(r, struct path_stat, requests[REALPATH]), REALPATH, reply);
}

static void on_link(struct sftp_request *r, const struct sftp_reply *reply)
{
    on_answer(CONTAINER_OF(r, struct path_stat, requests[READLINK]), READLINK, reply);
}

static void begin(struct visit *v)
{
    struct path_stat *p = stat_of(v);
    struct sftp *s = visit_sftp(v);
    int error = s ? sftp_lstat(s, &p->requests[LSTAT], v->path, on_lstat) : SCOUT_E_CONNECTION_LOST;
    if (!error)
        error = sftp_stat(s, &p->requests[STAT], v->path, on_stat);
    if (!error)
        error = sftp_realpath(s, &p->requests[REALPATH], v->path, on_real);
    if (!error)
        error = sftp_readlink(s, &p->requests[READLINK], v->path, on_link);
    p->waiting = QUESTION_COUNT;
    if (error)
        visit_fail_start(v, error);
    else
        pool_flush(&v->use);
}

static void take_back(struct visit *v, struct sftp *s)
{
    struct path_stat *p = stat_of(v);
    for (size_t i = 0; i < QUESTION_COUNT; i++)
        sftp_forget(s, &p->requests[i]);
}

/* ---- through the shell ---- */

static void begin_shell(struct visit *v)
{
    struct path_stat *p = stat_of(v);
    struct buf command;
    buf_init(&command, EXEC_COMMAND_MAX);
    p->exec = calloc(1, sizeof *p->exec);
    int error = p->exec ? exec_script_write_stat(&command, v->path) : SCOUT_E_NOMEM;
    if (p->exec)
        exec_reply_init(p->exec, REPLY_MAX);
    visit_run_line(v, &command, error, "looks at the path");
}

static int feed(struct visit *v, struct slice data)
{
    return exec_reply_feed(stat_of(v)->exec, data);
}

/* The two lines that come as the file's bytes. */
static bool take_lines(struct path_stat *p, struct slice text)
{
    const uint8_t *end = text.len ? memchr(text.data, '\n', text.len) : NULL;
    if (!end)
        return false;
    struct slice attrs = slice_of(text.data, (size_t)(end - text.data));
    struct slice target = slice_skip(text, attrs.len + 1);
    p->result.reached = attrs.len > 0;
    exec_reply_attrs(attrs, &p->result.reached_attrs);
    if (target.len > 0)
        target.len--; /* the newline behind it */
    p->result.target = target;
    return true;
}

static void fed(struct visit *v, int status)
{
    struct path_stat *p = stat_of(v);
    struct exec_reply *r = p->exec;
    int error = exec_reply_end(r);
    (void)status;
    if (error) {
        visit_fail_output(v, error);
        return;
    }
    if (r->kind != EXEC_REPLY_FILE) {
        visit_fail_path(v, r->kind == EXEC_REPLY_DENIED ? SCOUT_E_PERMISSION : SCOUT_E_NOT_FOUND);
        return;
    }
    p->result.attrs = r->attrs;
    p->result.real_path = buf_peek(&r->real_path);
    if (take_lines(p, buf_peek(&r->text)))
        complete(p);
    else
        visit_fail_output(v, SCOUT_E_PARSE);
}

/* ---- the life ---- */

static void reset(struct visit *v)
{
    struct path_stat *p = stat_of(v);
    free_parts(p);
    p->result = (struct stat_result){0};
}

static void deliver(struct visit *v)
{
    struct path_stat *p = stat_of(v);
    if (v->failure.error)
        p->result = (struct stat_result){.failure = v->failure};
    p->result.connected_ns = v->connected_ns;
    p->fn(p->context, &p->result);
    stat_free(p);
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

struct path_stat *path_stat_start(struct fleet *f, const struct path_request *request,
                                  path_stat_fn *fn, void *context)
{
    size_t path_size = strlen(request->path) + 1;
    struct path_stat *p = calloc(1, sizeof *p + path_size);
    if (!p)
        return NULL;
    p->fn = fn;
    p->permit = request->permit;
    p->context = context;
    memcpy(p->shown, request->path, path_size);
    visit_start(&p->visit, &parts, f, request, p->shown);
    return p;
}

void path_stat_cancel(struct path_stat *p)
{
    visit_cancel(&p->visit);
    stat_free(p);
}
