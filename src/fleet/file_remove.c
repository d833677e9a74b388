/* Removing a file: lstat, what policy says, lstat again, remove; each one round trip. */
#include "scout/fleet/file_remove.h"

#include "visit.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum remove_stage { LOOKING, SETTLED, GOING, REMOVING };

struct file_remove {
    struct visit visit;
    const struct file_put_events *events;
    void *context;
    enum remove_stage stage;
    char etag[ETAG_SIZE];
    struct sftp_request request;
    struct file_put_target target;
    struct file_put_result result;
    char shown[];
};

static struct file_remove *remove_of(struct visit *v)
{
    return CONTAINER_OF(v, struct file_remove, visit);
}

/* ---- the steps ---- */

static void on_removed(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_remove *r = CONTAINER_OF(request, struct file_remove, request);
    r->result.may_have_replaced = reply->error == SCOUT_E_CONNECTION_LOST;
    if (reply->error)
        visit_fail_reply(&r->visit, "remove", reply);
    else
        visit_finish(&r->visit);
}

static void send_remove(struct file_remove *r)
{
    struct sftp *s = visit_sftp(&r->visit);
    int error = s ? sftp_remove(s, &r->request, r->shown, on_removed) : SCOUT_E_CONNECTION_LOST;
    if (error) {
        visit_fail_start(&r->visit, error);
        return;
    }
    r->stage = REMOVING;
    pool_flush(&r->visit.use);
}

static void settle(struct file_remove *r)
{
    struct failure why = {0};
    if (r->events->permit && r->events->permit(r->context, &r->target, &why) != 0) {
        visit_fail_as(&r->visit, &why);
        return;
    }
    r->visit.retried = true; /* never begun twice */
    r->stage = SETTLED;
    if (r->events->on_settled)
        r->events->on_settled(r->context, &r->target);
    else
        file_remove_go(r);
}

static void on_look(struct sftp_request *request, const struct sftp_reply *reply)
{
    struct file_remove *r = CONTAINER_OF(request, struct file_remove, request);
    const struct sftp_attrs *a = &reply->attrs;
    char etag[ETAG_SIZE];
    if (reply->error == SCOUT_E_NOT_FOUND)
        visit_fail_shown(&r->visit, SCOUT_E_CHANGED, "is not there any more");
    else if (reply->error)
        visit_fail_reply(&r->visit, "stat", reply);
    else if (!(a->flags & SFTP_ATTR_PERMISSIONS) || !S_ISREG(a->permissions))
        visit_fail_shown(&r->visit, SCOUT_E_NOT_A_FILE, "is no regular file any more");
    else if (strcmp(etag_format(a, etag), r->etag) != 0)
        visit_fail_shown(&r->visit, SCOUT_E_CHANGED, "has changed meanwhile");
    else if (r->stage == GOING)
        send_remove(r);
    else {
        r->target =
            (struct file_put_target){.real_path = slice_str(r->shown), .exists = true, .attrs = *a};
        memcpy(r->target.etag, etag, sizeof etag);
        settle(r);
    }
}

static void look(struct file_remove *r)
{
    struct sftp *s = visit_sftp(&r->visit);
    int error = s ? sftp_lstat(s, &r->request, r->shown, on_look) : SCOUT_E_CONNECTION_LOST;
    if (error)
        visit_fail_start(&r->visit, error);
    else
        pool_flush(&r->visit.use);
}

void file_remove_go(struct file_remove *r)
{
    if (r->stage != SETTLED || r->visit.finished)
        return;
    r->stage = GOING;
    look(r);
}

/* ---- the parts of the visit ---- */

static void begin(struct visit *v)
{
    look(remove_of(v));
}

static void begin_shell(struct visit *v)
{
    char text[320];
    snprintf(text, sizeof text, "%.128s offers no SFTP, which removing a file needs",
             v->host->name);
    visit_fail(v, SCOUT_E_SFTP_UNAVAILABLE, text);
}

static void take_back(struct visit *v, struct sftp *s)
{
    struct file_remove *r = remove_of(v);
    if (r->stage == REMOVING && r->request.id != 0)
        r->result.may_have_replaced = true;
    sftp_forget(s, &r->request);
}

static void deliver(struct visit *v)
{
    struct file_remove *r = remove_of(v);
    struct failure first = v->failure;
    r->result.failure = v->failure;
    if (first.error && r->result.may_have_replaced)
        failure_set(&r->result.failure, first.error, "%.400s; the file may be gone nevertheless",
                    first.text);
    r->result.connected_ns = v->connected_ns;
    r->result.real_path = slice_str(r->shown);
    r->events->on_end(r->context, &r->result);
    visit_fini(v);
    free(r);
}

static const struct visit_parts parts = {
    .begin = begin,
    .begin_shell = begin_shell,
    .take_back = take_back,
    .deliver = deliver,
};

/* ---- begin and end ---- */

struct file_remove *file_remove_start(struct fleet *f, const struct file_put_request *request,
                                      const struct file_put_events *events, void *context)
{
    size_t path_size = strlen(request->path) + 1;
    struct file_remove *r = path_size <= SFTP_PATH_MAX ? calloc(1, sizeof *r + path_size) : NULL;
    if (!r)
        return NULL;
    r->events = events;
    r->context = context;
    snprintf(r->etag, sizeof r->etag, "%s", request->etag);
    memcpy(r->shown, request->path, path_size);
    const struct path_request visit = {
        .host = request->host,
        .principal = request->principal,
        .client = request->client,
        .deadline_ns = request->deadline_ns,
    };
    visit_start(&r->visit, &parts, f, &visit, r->shown);
    return r;
}

void file_remove_stop(struct file_remove *r)
{
    if (r->stage != REMOVING) /* else its answer is waited for */
        visit_fail(&r->visit, SCOUT_E_CANCELLED, "Cancelled");
}
