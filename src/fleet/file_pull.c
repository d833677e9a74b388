/* A file of a host, read in order with many requests in flight. Its connection, its deadline and
 * its end are a visit's (visit.c).
 *
 *   stat, realpath --permit--> open --> fstat --on_opened, go--> reads (pull_read.c) --> fstat
 *
 * On a host without SFTP its shell does the same (pull_shell.c).
 *
 * A visit begins once again after a lost connection; this one only until it was opened. */
#include "file_pull.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct file_pull *pull_of(struct visit *v)
{
    return CONTAINER_OF(v, struct file_pull, visit);
}

void pull_fail_changed(struct file_pull *p)
{
    visit_fail_shown(&p->visit, SCOUT_E_CHANGED,
                     "changed while it was read: nothing of it was kept; try again");
}

void file_pull_go(struct file_pull *p, uint64_t offset)
{
    if (!p->opened || p->going || p->visit.finished)
        return;
    p->going = true;
    p->asked = offset;
    visit_idle(&p->visit, p->idle_ns);
    if (p->shell)
        pull_shell_go(p, offset);
    else
        pull_go_on(p);
}

void file_pull_resume(struct file_pull *p)
{
    if (p->going && !p->visit.finished && p->shell)
        pull_shell_go_on(p);
    else if (p->going && !p->visit.finished)
        pull_go_on(p);
}

/* ---- the open ---- */

void pull_opened(struct file_pull *p, const struct sftp_attrs *attrs)
{
    struct file_source_info info = {.real_path = slice_str(p->real_path), .attrs = *attrs};
    p->attrs = *attrs;
    p->size = attrs->size;
    p->opened = true;
    p->visit.retried = true; /* what was told of it must not change any more */
    etag_format(&p->attrs, info.etag);
    p->events->on_opened(p->context, &info);
}

static void on_fstat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, request);
    const uint32_t needed = SFTP_ATTR_SIZE | SFTP_ATTR_ACMODTIME;
    if (reply->error) {
        visit_fail_reply(&p->visit, "read", reply);
        return;
    }
    if ((reply->attrs.flags & needed) != needed) {
        visit_fail_shown(&p->visit, SCOUT_E_REMOTE,
                         "cannot be copied: the host does not tell its size and time");
        return;
    }
    pull_opened(p, &reply->attrs);
}

static void on_open(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, request);
    struct sftp *s = visit_sftp(&p->visit);
    if (reply->error) {
        visit_fail_reply(&p->visit, "read", reply);
        return;
    }
    p->handle = reply->handle;
    p->handle_open = true;
    int error = s ? sftp_fstat(s, &p->request, &p->handle, on_fstat) : SCOUT_E_CONNECTION_LOST;
    if (error)
        visit_fail_start(&p->visit, error);
    else
        pool_flush(&p->visit.use);
}

/* stat and realpath are both answered. */
static void step(struct file_pull *p)
{
    struct sftp *s = visit_sftp(&p->visit);
    struct failure why = {0};
    if (!p->stat_known || p->real_request.id != 0)
        return;
    if (!p->real_path) {
        visit_fail_shown(&p->visit, SCOUT_E_REMOTE, PULL_NO_REAL_PATH);
        return;
    }
    if (p->events->permit && p->events->permit(p->context, slice_str(p->real_path), &why) != 0) {
        visit_fail_as(&p->visit, &why);
        return;
    }
    int error = s ? sftp_open_read(s, &p->request, p->real_path, on_open) : SCOUT_E_CONNECTION_LOST;
    if (error)
        visit_fail_start(&p->visit, error);
    else
        pool_flush(&p->visit.use);
}

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, request);
    if (reply->error) {
        visit_fail_reply(&p->visit, "stat", reply);
        return;
    }
    uint32_t mode = reply->attrs.flags & SFTP_ATTR_PERMISSIONS ? reply->attrs.permissions : 0;
    if (!S_ISREG(mode)) {
        visit_fail_shown(&p->visit, SCOUT_E_NOT_A_FILE,
                         S_ISDIR(mode) ? PULL_DIRECTORY : PULL_NO_FILE);
        return;
    }
    p->stat_known = true;
    step(p);
}

static void on_real(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_pull *p = CONTAINER_OF(request, struct file_pull, real_request);
    struct slice names = reply->names;
    struct sftp_name name;
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        visit_fail_reply(&p->visit, "stat", reply);
        return;
    }
    if (!reply->error && sftp_next_name(&names, &name) && name.filename.len > 0 &&
        name.filename.len <= SFTP_PATH_MAX && name.filename.data[0] == '/' &&
        !memchr(name.filename.data, '\0', name.filename.len))
        p->real_path = strndup((const char *)name.filename.data, name.filename.len);
    step(p);
}

/* ---- the parts of the visit ---- */

static void begin(struct visit *v)
{
    struct file_pull *p = pull_of(v);
    struct sftp *s = visit_sftp(v);
    int error = s ? sftp_stat(s, &p->request, v->path, on_stat) : SCOUT_E_CONNECTION_LOST;
    if (!error)
        error = sftp_realpath(s, &p->real_request, v->path, on_real);
    if (error)
        visit_fail_start(v, error);
    else
        pool_flush(&v->use);
}

static void begin_shell(struct visit *v)
{
    pull_shell_start(pull_of(v));
}

static int feed(struct visit *v, struct slice data)
{
    return pull_shell_feed(pull_of(v), data);
}

static void fed(struct visit *v, int status)
{
    pull_shell_fed(pull_of(v), status);
}

static void take_back(struct visit *v, struct sftp *s)
{
    struct file_pull *p = pull_of(v);
    sftp_forget(s, &p->request);
    sftp_forget(s, &p->real_request);
    sftp_forget(s, &p->behind_request);
    for (unsigned i = 0; i < PULL_SLOTS; i++)
        sftp_forget(s, &p->slots[i].request);
    if (p->handle_open)
        sftp_close(s, &p->handle);
    p->handle_open = false;
}

static void free_found(struct file_pull *p)
{
    for (unsigned i = 0; i < PULL_SLOTS; i++) {
        free(p->slots[i].kept);
        p->slots[i].kept = NULL;
    }
    free(p->real_path);
    p->real_path = NULL;
    pull_shell_free(p);
}

/* Only before it was opened. */
static void reset(struct visit *v)
{
    struct file_pull *p = pull_of(v);
    free_found(p);
    p->stat_known = p->handle_open = false;
}

static void deliver(struct visit *v)
{
    struct file_pull *p = pull_of(v);
    pull_shell_abandon(p);
    p->events->on_end(p->context, &v->failure, v->connected_ns);
    visit_fini(v);
    free_found(p);
    free(p);
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

/* ---- begin and end ---- */

struct file_pull *file_pull_start(struct fleet *f, const struct file_pull_request *request,
                                  const struct file_source_events *events, void *context)
{
    size_t path_size = strlen(request->path) + 1;
    struct file_pull *p = path_size <= SFTP_PATH_MAX ? calloc(1, sizeof *p + path_size) : NULL;
    if (!p)
        return NULL;
    p->events = events;
    p->context = context;
    p->idle_ns = request->idle_ns;
    memcpy(p->shown, request->path, path_size);
    const struct path_request visit = {
        .host = request->host,
        .principal = request->principal,
        .client = request->client,
        .deadline_ns = request->deadline_ns,
    };
    visit_start(&p->visit, &parts, f, &visit, p->shown);
    return p;
}

void file_pull_stop(struct file_pull *p)
{
    visit_fail(&p->visit, SCOUT_E_CANCELLED, "Cancelled");
}
