/* Writing a file to a host: its life, and what its parts have in common. Its connection, its
 * deadline and its end are a visit's (visit.c).
 *
 *   put_target   stat, lstat, realpath, realpath of the folder   --permit, go-->
 *   put_write    open, then contents with chown beside them      --all of them, owner settled-->
 *   put_place    mode, fsync, fstat, close, lstat                --as it has to be-->
 *                rename, stat                                    --> result
 *   put_clean    whatever else happened after the open: remove, then the failure
 *
 * Each line but the contents is one round trip: five for a small file, four for one that is new. A
 * server answers what was asked of one file in the order in which it was asked (draft,
 * section 6.1), so the mode may go right behind the last write.
 *
 * A host without SFTP gets the same by its shell (put_shell.c).
 *
 * A visit begins once again after a lost connection; this one only until it is settled. */
#include "file_put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct file_put *put_of(struct visit *v)
{
    return CONTAINER_OF(v, struct file_put, visit);
}

static void free_found(struct file_put *p)
{
    for (unsigned i = 0; i < 2; i++) {
        free(p->real_of[i]);
        p->real_of[i] = NULL;
    }
    free(p->real_path);
    free(p->temp);
    free(p->partial);
    p->real_path = p->temp = p->partial = NULL;
}

/* ---- requests side by side ---- */

bool put_side_started(struct file_put *p, unsigned i, int error)
{
    if (error) {
        visit_fail_start(&p->visit, error);
        return false;
    }
    p->side[i].put = p;
    p->side[i].error = 0;
    p->side_waiting++;
    return true;
}

bool put_side_take(struct put_side *side, const struct sftp_reply *reply)
{
    struct file_put *p = side->put;
    side->error = reply->error;
    side->attrs = reply->attrs;
    p->side_waiting--;
    if (reply->error == SCOUT_E_CONNECTION_LOST) {
        visit_fail_reply(&p->visit, "write", reply);
        return false;
    }
    visit_moved(&p->visit, p->side_waiting > 0 || p->slots_used > 0);
    return p->side_waiting == 0;
}

void put_fail_lost(struct file_put *p)
{
    const struct sftp_reply lost = {.error = SCOUT_E_CONNECTION_LOST};
    visit_fail_reply(&p->visit, "write", &lost);
}

/* A server says "Failure" to most that goes wrong with contents. */
void put_fail_reply(struct file_put *p, const char *what, const struct sftp_reply *reply)
{
    if (reply->error != SCOUT_E_REMOTE || reply->status != SFTP_FX_FAILURE) {
        visit_fail_reply(&p->visit, what, reply);
        return;
    }
    struct failure why;
    failure_set(&why, SCOUT_E_REMOTE,
                "Failed to %s %.256s: %s says only \"%.*s\"; its disk may be full, or a quota or a "
                "size limit reached",
                what, p->shown, p->visit.host->name,
                (int)(reply->message.len > 64 ? 64 : reply->message.len),
                reply->message.len ? (const char *)reply->message.data : "");
    visit_fail_as(&p->visit, &why);
}

/* ---- settled ---- */

void put_settle(struct file_put *p)
{
    struct failure why = {0};
    p->target.real_path = slice_str(p->real_path);
    if (p->events->permit && p->events->permit(p->context, &p->target, &why) != 0) {
        visit_fail_as(&p->visit, &why);
        return;
    }
    p->visit.retried = true; /* never begun twice */
    p->stage = PUT_SETTLED;
    p->result.created = !p->target.exists;
    if (p->events->on_settled)
        p->events->on_settled(p->context, &p->target);
    else
        file_put_go(p);
}

void file_put_go(struct file_put *p)
{
    if (p->stage != PUT_SETTLED || p->visit.finished)
        return;
    if (p->idle_ns)
        visit_idle(&p->visit, p->idle_ns);
    if (p->shell)
        put_shell_open(p);
    else
        put_open(p);
}

uint64_t file_put_offset(const struct file_put *p)
{
    return p->begin;
}

/* ---- the parts of the visit ---- */

static void begin(struct visit *v)
{
    put_target_start(put_of(v));
}

static void begin_shell(struct visit *v)
{
    put_shell_start(put_of(v));
}

static int feed(struct visit *v, struct slice data)
{
    return put_shell_feed(put_of(v), data);
}

static void fed(struct visit *v, int status)
{
    put_shell_fed(put_of(v), status);
}

static void take_back(struct visit *v, struct sftp *s)
{
    struct file_put *p = put_of(v);
    for (unsigned i = 0; i < PUT_SIDE; i++)
        sftp_forget(s, &p->side[i].request);
    for (unsigned i = 0; i < PUT_SLOTS; i++)
        sftp_forget(s, &p->slots[i].request);
    sftp_forget(s, &p->owner_request);
    sftp_forget(s, &p->sync_request);
    if (p->handle_open)
        sftp_close(s, &p->handle);
    p->handle_open = false;
}

/* Only before it was settled. */
static void reset(struct visit *v)
{
    struct file_put *p = put_of(v);
    free_found(p);
    put_shell_free(p);
    p->side_waiting = 0;
    p->target = (struct file_put_target){0};
}

void put_deliver(struct file_put *p)
{
    struct file_put_result *r = &p->result;
    r->failure = p->visit.failure;
    r->connected_ns = p->visit.connected_ns;
    r->real_path = slice_str(p->real_path ? p->real_path : "");
    p->events->on_end(p->context, r);
    io_timer_stop(fleet_io(p->visit.fleet), &p->again);
    visit_fini(&p->visit);
    free_found(p);
    free(p->parent);
    free(p->keep_as);
    free(p->tail);
    put_shell_free(p);
    free(p);
}

static void deliver(struct visit *v)
{
    struct file_put *p = put_of(v);
    io_timer_stop(fleet_io(v->fleet), &p->again);
    put_shell_abandon(p);
    if (v->failure.error && p->stage >= PUT_OPENING && p->stage < PUT_PLACED)
        put_clean_start(p);
    else
        put_deliver(p);
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

struct file_put *file_put_start(struct fleet *f, const struct file_put_request *request,
                                const struct file_put_events *events, void *context)
{
    size_t path_size = strlen(request->path) + 1;
    struct file_put *p = path_size <= SFTP_PATH_MAX ? calloc(1, sizeof *p + path_size) : NULL;
    if (!p)
        return NULL;
    *p = (struct file_put){
        .events = events,
        .context = context,
        .condition = request->condition,
        .has_mode = request->has_mode,
        .mode = request->mode & 0777u,
        .idle_ns = request->idle_ns,
        .has_contents = request->has_contents,
        .contents = request->contents,
        .size = request->size,
        .keep_as = request->keep_as ? strdup(request->keep_as) : NULL,
    };
    if (request->etag)
        snprintf(p->etag, sizeof p->etag, "%s", request->etag);
    memcpy(p->shown, request->path, path_size);
    io_timer_init(&p->again);
    const struct path_request visit = {
        .host = request->host,
        .principal = request->principal,
        .client = request->client,
        .deadline_ns = request->deadline_ns,
    };
    visit_start(&p->visit, &parts, f, &visit, p->shown);
    return p;
}

void file_put_fail(struct file_put *p, const struct failure *why)
{
    if (p->stage < PUT_PLACING) /* a rename that was sent is waited for: its answer says more */
        visit_fail_as(&p->visit, why);
}

void file_put_stop(struct file_put *p)
{
    struct failure why;
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    file_put_fail(p, &why);
}
