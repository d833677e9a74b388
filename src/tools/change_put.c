/* The last part of a change: the file is put in place, or removed.
 *
 *   put or remove: looks once more, policy with a person's word; settled
 *     --> record of the effect --> state before on the disk --> go --> end
 *
 * Nothing is changed before the state is kept. A state whose change did not come is dropped again;
 * where it may have come, it stays. */
#include "file_change.h"

#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <stdio.h>

/* The put or the remove is ended, and with it, later, the call. */
void change_stop(struct change *c, const struct failure *why)
{
    c->ending = *why;
    if (c->put)
        file_put_stop(c->put);
    else
        file_remove_stop(c->remove);
}

/* ---- the put or the remove ---- */

static int permit_change(void *context, const struct file_put_target *target, struct failure *why)
{
    struct change *c = context;
    const char **wants = c->dry_run ? &c->wants : NULL;
    if (c->existed && c->real_path[0] && !slice_is(target->real_path, c->real_path))
        return failure_set(why, SCOUT_E_CHANGED,
                           "%.400s leads somewhere else than a moment ago: nothing was changed",
                           c->target.path);
    if (!c->existed)
        c->may_show =
            c->kind == CHANGE_WRITE || path_may_show(c->call, &c->target, target->real_path);
    return path_permit_write(c->call, &c->target, target->real_path, buf_peek(&c->job->act), wants,
                             why);
}

static void go(struct change *c)
{
    if (c->put)
        file_put_go(c->put);
    else
        file_remove_go(c->remove);
}

static void on_kept(struct undo_wait *wait, int error, const struct failure *why,
                    const struct undo_state *state)
{
    struct change *c = CONTAINER_OF(wait, struct change, undo_wait);
    (void)state;
    if (!error) {
        go(c);
        return;
    }
    c->kept[0] = '\0';
    change_stop(c, why);
}

/* What the file is now goes to the disk here. */
static void keep(struct change *c)
{
    const struct change_job *j = c->job;
    uint32_t mode = c->attrs.permissions & 0777u;
    struct undo_state state = {
        .of_undo = c->kind == CHANGE_UNDO && !c->of_undo,
        .was_there = c->existed,
        .has_mode = c->existed && (j->sets_mode || !j->exists_after),
        .mode = mode,
        .is_there = j->exists_after,
        .content = buf_peek(&j->before),
    };
    struct failure why;
    snprintf(state.owner, sizeof state.owner, "%s", c->call->identity->name);
    snprintf(state.host, sizeof state.host, "%s", c->target.host);
    snprintf(state.path, sizeof state.path, "%s", c->real_path);
    memcpy(state.hash, j->hash, sizeof state.hash);
    if (undo_keep(c->call->registry->undo, &state, c->kept, &c->undo_wait, on_kept, &why) != 0)
        change_stop(c, &why);
}

static void on_effect(struct tool_call *call, int error, const struct failure *why)
{
    struct change *c = call->state;
    if (error)
        change_stop(c, why);
    else
        keep(c);
}

static void on_settled(void *context, const struct file_put_target *target)
{
    struct change *c = context;
    const struct policy_request request = {.verb = POLICY_WRITE,
                                           .host = c->target.host,
                                           .path = target->real_path,
                                           .path_settled = true};
    c->settled = true;
    snprintf(c->real_path, sizeof c->real_path, "%.*s", (int)target->real_path.len,
             (const char *)target->real_path.data);
    if (c->dry_run)
        change_stop(c, &(struct failure){.error = SCOUT_E_CANCELLED});
    else
        tool_call_effect(c->call, &request, on_effect);
}

/* It failed. Where the change may have come nevertheless, the state before stays. */
static void end_failed(struct change *c, const struct file_put_result *result)
{
    const struct failure *f = &result->failure;
    struct failure why = f->error == SCOUT_E_CANCELLED && c->ending.error ? c->ending : *f;
    if (result->may_have_replaced && c->kept[0]) {
        failure_set(&why, f->error, "%.400s (the state before is kept as %s)", f->text, c->kept);
        why.stage = f->stage;
        c->kept[0] = '\0';
    }
    change_fail(c, &why);
}

static void on_end(void *context, const struct file_put_result *result)
{
    struct change *c = context;
    c->put = NULL;
    c->remove = NULL;
    if (result->connected_ns)
        c->call->connected_ns = result->connected_ns;
    if (c->dry_run && c->settled && result->failure.error == SCOUT_E_CANCELLED &&
        !c->call->cancelled) {
        change_finish(c, NULL);
    } else if (result->failure.error) {
        end_failed(c, result);
    } else {
        if (c->undone[0])
            undo_drop(c->call->registry->undo, c->undone);
        change_finish(c, result);
    }
}

static const struct file_put_events events = {
    .permit = permit_change, .on_settled = on_settled, .on_end = on_end};

void change_put(struct change *c)
{
    const struct change_job *j = c->job;
    const struct tool_call *call = c->call;
    const struct file_put_request request = {
        .host = c->host,
        .path = c->existed && !j->exists_after && c->real_path[0] ? c->real_path : c->target.path,
        .principal = call->identity->principal,
        .client = call->identity->client,
        .deadline_ns = call->deadline_ns,
        .condition = c->existed ? FILE_PUT_ETAG : FILE_PUT_ABSENT,
        .etag = c->etag_before,
        .has_mode = j->sets_mode,
        .mode = j->mode,
        .has_contents = true,
        .contents = buf_peek(&j->after),
    };
    struct fleet *fleet = call->view->env->fleet;
    if (j->exists_after)
        c->put = file_put_start(fleet, &request, &events, c);
    else
        c->remove = file_remove_start(fleet, &request, &events, c);
    if (!c->put && !c->remove)
        change_fail_memory(c);
}
