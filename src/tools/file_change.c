/* A change of a file, step by step.
 *
 *   locate (of an undo by its id: where is it?)
 *     --> look: real path, policy, content --> turn at the file --> look again, if it may be old
 *     --> (of an undo: the state before) --> job: content afterwards, difference
 *     --> put or remove: looks once more, policy with a person's word; settled
 *     --> record of the effect --> state before on the disk --> go --> answer
 *
 * What was read is what is changed: the put and the remove have its etag as their condition, and
 * nobody else of this daemon is at the file meanwhile. Nothing is changed before the state is kept.
 * A state whose change did not come is dropped again; where it may have come, it stays.
 *
 * The difference shows content: it is told to who may read it. An edit is refused to all others,
 * since its refusals show content, too. */
#include "file_change.h"

#include "scout/fleet/path_get.h"
#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <stdio.h>

/* ---- the ends ---- */

static void release(struct change *c)
{
    if (c->get)
        path_get_cancel(c->get);
    c->get = NULL;
    undo_cancel(&c->undo_wait);
    path_lock_give(&c->lock);
    holding_end(&c->holding);
    if (c->job_runs)
        c->job->owner = NULL; /* it is freed when it is done */
    else
        change_job_free(c->job);
    c->job = NULL;
    c->call->state = NULL; /* `c` is in the call's arena */
}

void change_fail(struct change *c, const struct failure *why)
{
    const struct failure own = *why; /* it may be the job's */
    if (c->kept[0])
        undo_drop(c->call->registry->undo, c->kept);
    release(c);
    tool_call_fail(c->call, &own);
}

static void fail(struct change *c, int error, const char *text)
{
    struct failure why;
    failure_set(&why, error, "%s", text);
    change_fail(c, &why);
}

/* "web1:/etc/hosts: " before what is said of the file. */
void change_fail_file(struct change *c, int error, const char *text)
{
    struct failure why;
    failure_set(&why, error, "%.80s:%.200s: %s", c->target.host, c->target.path, text);
    change_fail(c, &why);
}

void change_fail_memory(struct change *c)
{
    fail(c, SCOUT_E_NOMEM, "No memory for the request");
}

void change_finish(struct change *c, const struct file_put_result *result)
{
    const struct change_answer answer = {.c = c, .result = result};
    const struct tool_result written = {.write = change_answer_write, .context = &answer};
    struct change_job *job = c->job;
    c->job = NULL;
    release(c);
    c->job = job; /* for the answer */
    tool_call_finish(c->call, &written);
    change_job_free(job);
}

/* Whoever waits for something holds nothing: this is refused instead (holdings.h). */
bool change_hold(struct change *c, size_t more)
{
    const struct tool_call *call = c->call;
    struct holdings *h = call->view->env->holdings;
    uint64_t bytes = CHANGE_HOLD_FACTOR * (uint64_t)(buf_len(&c->job->before) + more);
    struct failure why;
    if (!h || bytes <= HOLDINGS_SMALL || holding_try(&c->holding, h, call->identity->client, bytes))
        return true;
    holdings_refuse(h, &why);
    change_fail(c, &why);
    return false;
}

/* ---- what it makes of the file ---- */

static void on_worked_out(void *owner, struct change_job *job)
{
    struct change *c = owner;
    c->job_runs = false;
    if (job->why.error)
        change_fail_file(c, job->why.error, job->why.text);
    else if (job->same && c->may_show)
        change_finish(c, NULL);
    else
        change_put(c);
}

static void work_out(struct change *c)
{
    c->job->existed = c->existed;
    c->job_runs = true;
    change_job_start(c->call->registry->io, c->job, on_worked_out, c);
}

/* The file gets a mode of its own only where it would have another one. */
static void set_mode(struct change *c, bool wanted, uint32_t mode)
{
    c->job->sets_mode = wanted && (!c->existed || (c->attrs.permissions & 07777u) != mode);
    c->job->mode = mode;
}

static void on_found(struct undo_wait *wait, int error, const struct failure *why,
                     const struct undo_state *state)
{
    struct change *c = CONTAINER_OF(wait, struct change, undo_wait);
    struct change_job *j = c->job;
    if (error) {
        change_fail(c, why);
        return;
    }
    memcpy(c->undone, state->id, sizeof c->undone);
    c->of_undo = state->of_undo;
    j->taking_back = true;
    j->left_there = state->is_there;
    memcpy(j->left, state->hash, sizeof j->left);
    j->exists_after = state->was_there;
    set_mode(c, state->has_mode && state->was_there, state->mode);
    if (!change_hold(c, state->content.len))
        return;
    if (state->content.len && buf_append(&j->after, state->content) != 0)
        change_fail_memory(c);
    else
        work_out(c);
}

/* By its id, or the one of the file as it is. */
static void find_state(struct change *c, undo_fn *fn)
{
    struct undo_state wanted = {.is_there = c->existed};
    struct failure why;
    snprintf(wanted.owner, sizeof wanted.owner, "%s", c->call->identity->name);
    snprintf(wanted.host, sizeof wanted.host, "%s", c->target.host);
    snprintf(wanted.path, sizeof wanted.path, "%s",
             c->real_path[0] ? c->real_path : c->target.path);
    if (c->undo_id)
        snprintf(wanted.id, sizeof wanted.id, "%s", c->undo_id);
    if (c->job)
        memcpy(wanted.hash, c->job->left, sizeof wanted.hash);
    if (undo_find(c->call->registry->undo, &wanted, &c->undo_wait, fn, &why) != 0)
        change_fail(c, &why);
}

static void on_hashed(void *owner, struct change_job *job)
{
    struct change *c = owner;
    c->job_runs = false;
    if (job->why.error)
        change_fail_file(c, job->why.error, job->why.text);
    else
        find_state(c, on_found);
}

static bool copy(char **out, const char *text)
{
    *out = strdup(text);
    return *out != NULL;
}

static void begin_work(struct change *c)
{
    struct change_job *j = c->job;
    bool memory = true;
    if (c->kind == CHANGE_UNDO) {
        c->job_runs = true;
        change_job_hash(c->call->registry->io, j, on_hashed, c);
        return;
    }
    j->exists_after = true;
    set_mode(c, c->sets_mode, c->mode);
    if (c->kind == CHANGE_EDIT) {
        j->replace_all = c->replace_all;
        memory = copy(&j->old_string, c->old_string) && copy(&j->new_string, c->new_string);
    } else if (c->content[0]) {
        memory = buf_append_str(&j->after, c->content) == 0;
    }
    if (memory)
        work_out(c);
    else
        change_fail_memory(c);
}

/* What the caller says the file has to be. */
void change_work(struct change *c)
{
    char text[160];
    if (c->etag && !c->existed) {
        change_fail_file(c, SCOUT_E_CHANGED, "it is not there, and an etag was given");
    } else if (c->etag && strcmp(c->etag, c->etag_before) != 0) {
        snprintf(text, sizeof text, "it has changed: its etag is %s, not %.64s; read it again",
                 c->etag_before, c->etag);
        change_fail_file(c, SCOUT_E_CHANGED, text);
    } else if (c->kind == CHANGE_WRITE && c->existed && !c->etag && !c->overwrite) {
        change_fail_file(
            c, SCOUT_E_EXISTS,
            "there is a file already: give the etag that it has (from read), or overwrite; "
            "or use the tool edit");
    } else {
        begin_work(c);
    }
}

/* ---- the begin ---- */

static void begin(struct change *c)
{
    struct failure why;
    int error = fleet_host(c->call->view->env->fleet, c->target.host, &c->host, &why);
    if (!error && c->kind == CHANGE_EDIT)
        error = path_permit_early(c->call, POLICY_BIT(POLICY_READ), &c->target, &why);
    if (!error)
        error = path_permit_early(c->call, POLICY_BIT(POLICY_WRITE), &c->target, &why);
    if (error) {
        change_fail(c, &why);
        return;
    }
    c->job = change_job_new(c->target.path, c->kind == CHANGE_EDIT ? c->size_max : UNDO_FILE_MAX);
    if (c->job)
        change_look(c);
    else
        change_fail_memory(c);
}

/* Where the state of that id is of. It is looked for again when it is this call's turn. */
static void on_located(struct undo_wait *wait, int error, const struct failure *why,
                       const struct undo_state *state)
{
    struct change *c = CONTAINER_OF(wait, struct change, undo_wait);
    if (error) {
        change_fail(c, why);
        return;
    }
    c->target.kind = TARGET_PATH;
    snprintf(c->target.host, sizeof c->target.host, "%s", state->host);
    snprintf(c->target.path, sizeof c->target.path, "%s", state->path);
    begin(c);
}

void change_start(struct change *c)
{
    const struct tool_call *call = c->call;
    uint64_t size_max = call->view->env->file_size_max;
    c->call->state = c;
    c->size_max = size_max < UNDO_FILE_MAX ? (size_t)size_max : UNDO_FILE_MAX;
    if (!c->undo_id)
        begin(c);
    else
        find_state(c, on_located);
}

void change_cancel(struct tool_call *call)
{
    struct change *c = call->state;
    struct failure why;
    if (!c)
        return;
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled: nothing was changed");
    if (c->put || c->remove)
        change_stop(c, &why);
    else
        change_fail(c, &why);
}
