/* The first part of a change: what is there, and the turn at it. What was read before somebody
 * else's turn ended may be old, and is read again. */
#include "file_change.h"

#include "scout/fleet/path_get.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <stdio.h>

/* ---- the look ---- */

static void on_turn(struct path_lock *lock, bool late)
{
    struct change *c = CONTAINER_OF(lock, struct change, lock);
    if (late) {
        change_fail_file(c, SCOUT_E_DEADLINE, "other changes of it took too long");
        return;
    }
    c->has_turn = true;
    if (c->is_old || path_locks_ended(c->call->registry->locks) != c->turns)
        change_look(c); /* somebody may have changed it since */
    else
        change_work(c);
}

static void drop_content(struct change *c)
{
    buf_fini(&c->job->before);
    buf_init(&c->job->before, UNDO_FILE_MAX);
    holding_end(&c->holding);
}

static void on_looked(struct change *c)
{
    const struct tool_call *call = c->call;
    const char *path = c->real_path[0] ? c->real_path : c->target.path;
    if (c->has_turn && strcmp(c->lock.path, path) == 0) {
        change_work(c);
        return;
    }
    path_lock_give(&c->lock); /* it was one at another path */
    c->has_turn = false;
    if (path_lock_take(call->registry->locks, &c->lock, c->target.host, path, call->deadline_ns,
                       on_turn))
        return;
    /* Whose turn it is may wait for memory: who waits for the turn keeps none of it. */
    c->is_old = true;
    drop_content(c);
}

static int permit_look(void *context, struct slice real_path, enum path_kind kind,
                       struct failure *why)
{
    struct change *c = context;
    const char *wants = NULL;
    if (kind != PATH_FILE)
        return failure_set(why, SCOUT_E_NOT_A_FILE,
                           "%.400s is a directory: only a file can be changed", c->target.path);
    if (c->real_path[0] && !slice_is(real_path, c->real_path))
        return failure_set(why, SCOUT_E_CHANGED,
                           "%.400s leads somewhere else than a moment ago: nothing was changed",
                           c->target.path);
    if (real_path.len < sizeof c->real_path)
        snprintf(c->real_path, sizeof c->real_path, "%.*s", (int)real_path.len,
                 real_path.len ? (const char *)real_path.data : "");
    int error =
        c->kind == CHANGE_EDIT ? path_permit(c->call, POLICY_READ, &c->target, real_path, why) : 0;
    c->may_show = c->kind == CHANGE_EDIT || path_may_show(c->call, &c->target, real_path);
    return error ? error
                 : path_permit_write(c->call, &c->target, real_path, slice_str(""), &wants, why);
}

static void take_file(struct change *c, const struct path_result *result)
{
    char text[128];
    if (result->truncated) {
        snprintf(text, sizeof text,
                 "it has %llu bytes, and at most %zu (max_file_size) can be changed",
                 (unsigned long long)result->attrs.size, c->size_max);
        change_fail_file(c, SCOUT_E_LIMIT, text);
        return;
    }
    c->existed = true;
    c->attrs = result->attrs;
    etag_format(&c->attrs, c->etag_before);
    if (!change_hold(c, result->text.len))
        return;
    if (result->text.len && buf_append(&c->job->before, result->text) != 0)
        change_fail_memory(c);
    else
        on_looked(c);
}

static void on_got(void *context, const struct path_result *result)
{
    struct change *c = context;
    c->get = NULL;
    c->call->connected_ns = result->connected_ns;
    if (result->failure.error == SCOUT_E_NOT_FOUND && c->kind != CHANGE_EDIT)
        on_looked(c); /* there is nothing yet, or not any more */
    else if (result->failure.error)
        change_fail(c, &result->failure);
    else
        take_file(c, result);
}

void change_look(struct change *c)
{
    const struct tool_call *call = c->call;
    const struct path_request request = {
        .host = c->host,
        .path = c->target.path,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .size_max = c->size_max,
        .holdings = call->view->env->holdings,
        .deadline_ns = call->deadline_ns,
        .permit = permit_look,
    };
    drop_content(c);
    c->existed = c->is_old = false;
    c->turns = path_locks_ended(call->registry->locks);
    c->get = path_get_start(call->view->env->fleet, &request, on_got, c);
    if (!c->get)
        change_fail_memory(c);
}
