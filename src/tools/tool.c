/* The registry's look-up and the life of one call.
 *
 *     started --start()--> running --tool_call_finish()--> on_done --> freed
 *        \--wrong arguments: tool_call_fail() --------------^
 *
 * A call is one allocation plus its arena; the arguments' tree lives in the arena. The call may end
 * at any moment after `start` was entered, also before it returned; its memory then stays until
 * `start` has returned, so a tool may look at its call until the end of the function that finished
 * it only there. Cancelling is a wish: the tool is told once and ends the call by itself. Ending a
 * call twice is a tool's mistake and asserts. */
#include "result.h"
#include "tool_args.h"
#include "tool_attempt.h"
#include "tool_detach.h"
#include "tool_output.h"
#include "tool_record.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdlib.h>

/* Stands for every call that ended before its start returned. Never written: it is finished. */
static const struct tool_call ended = {.finished = true};

static bool is_offered(const struct tool_registry *r, const struct tool *t)
{
    uint32_t sets = r->view ? r->view->tool_sets : 0;
    return !sets || t->takes_params || t->set == TOOL_SET_ANY || sets & TOOL_SET_BIT(t->set);
}

const struct tool *tool_find(const struct tool_registry *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->tools[i]->name, name) == 0 && is_offered(r, r->tools[i]))
            return r->tools[i];
    return NULL;
}

const struct tool *tool_find_method(const struct tool_registry *r, const char *name)
{
    for (size_t i = 0; i < r->method_count; i++)
        if (strcmp(r->methods[i]->name, name) == 0)
            return r->methods[i];
    return NULL;
}

bool tool_is_listed(const struct tool_registry *r, const struct tool *t,
                    const struct identity *identity)
{
    const struct policy *policy = r->view ? r->view->policy : NULL;
    return is_offered(r, t) &&
           (!policy || !t->verbs || policy_possible(policy, identity, t->verbs));
}

static void view_leave(struct tool_view *view)
{
    if (view && --view->calls == 0 && view->on_unused)
        view->on_unused(view);
}

static void call_free(struct tool_call *call)
{
    struct tool_view *view = call->view;
    io_task_cancel(&call->effect_task);
    tool_record_fini(call);
    arena_fini(&call->arena);
    free(call);
    view_leave(view);
}

/* ---- what policy says ---- */

/* The request as policy gets it: with who calls, and where a person's word would be. */
static struct policy_request complete(struct tool_call *call, const struct policy_request *request)
{
    struct policy_request own = *request;
    struct confirmations *confirmations = call->registry->confirmations;
    if (confirmations && !call->confirmed)
        call->confirmed = confirmations_call(confirmations);
    own.identity = call->identity;
    own.confirmations = request->unattended ? NULL : confirmations;
    own.call = call->confirmed;
    own.now_ns = confirmations ? io_now(call->registry->io) : 0;
    return own;
}

static int ask(struct tool_call *call, const struct policy_request *request, struct failure *why)
{
    const struct policy *policy = call->view ? call->view->policy : NULL;
    if (!policy)
        return 0;
    const struct policy_request own = complete(call, request);
    return policy_check(policy, &own, why);
}

int tool_call_confirm(struct tool_call *call, const struct policy_request *request,
                      const char *rule, struct failure *why)
{
    const struct policy_request own = complete(call, request);
    int error = policy_confirm(&own, rule, why);
    if (error)
        tool_record_refused(call, request);
    return error;
}

int tool_call_permit(struct tool_call *call, const struct policy_request *request,
                     struct failure *why)
{
    int error = ask(call, request, why);
    if (error)
        tool_record_refused(call, request);
    else
        audit_act_learn(&call->act, request);
    return error;
}

bool tool_call_may(struct tool_call *call, const struct policy_request *request)
{
    struct failure why;
    return ask(call, request, &why) == 0;
}

void tool_call_about(struct tool_call *call, const struct policy_request *request)
{
    audit_act_set(&call->act, request);
}

/* Why a tool that is not listed cannot be called: the refusal of the first of its verbs. */
static void refuse_unlisted(struct tool_call *call, struct failure *why)
{
    struct policy_request request = {.early = true}; /* of no host in particular */
    for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
        request.verb = (enum policy_verb)verb;
        if (call->tool->verbs & POLICY_BIT(verb) && tool_call_permit(call, &request, why) != 0)
            return;
    }
    failure_set(why, SCOUT_E_POLICY, "The tool %s is not allowed", call->tool->name);
}

static void on_effect_task(struct io_task *task)
{
    struct tool_call *call = CONTAINER_OF(task, struct tool_call, effect_task);
    call->effect_fn(call, 0, NULL);
}

static void on_recorded(struct audit_wait *wait, int error)
{
    struct tool_call *call = CONTAINER_OF(wait, struct tool_call, audit_wait);
    struct failure why;
    if (!error) {
        call->effect_fn(call, 0, NULL);
        return;
    }
    call->effect_begun = false;
    failure_set(&why, error,
                "The audit log cannot be written, so nothing is changed on any host until it can: "
                "the daemon's log says why (is the disk full?)");
    call->effect_fn(call, error, &why);
}

void tool_call_effect(struct tool_call *call, const struct policy_request *request,
                      tool_effect_fn *fn)
{
    assert(!call->effect_fn && !call->finished);
    call->effect_fn = fn;
    audit_act_set(&call->act, request);
    if (call->registry->audit)
        tool_record_begin(call, on_recorded);
    else
        io_defer(call->registry->io, &call->effect_task, on_effect_task);
}

void tool_call_progress(struct tool_call *call, uint64_t done, uint64_t total, const char *message)
{
    call->progress = (struct tool_progress){done, total, message ? message : "done"};
    if (call->on_progress && !call->cancelled && !call->finished)
        call->on_progress(call, done, total, message);
}

bool tool_call_notify(struct tool_call *call, const char *method, tool_write_fn *write,
                      const void *context)
{
    if (!call->on_notify || call->cancelled || call->finished)
        return true;
    return call->on_notify(call, method, write, context);
}

void tool_call_leave_view(struct tool_call *call)
{
    assert(call->tool->lasts);
    struct tool_view *view = call->view;
    call->view = NULL;
    view_leave(view);
}

/* ---- the life of a call ---- */

static int prepare_args(struct tool_call *call, struct slice arguments, struct cJSON **args,
                        struct failure *why)
{
    if (arguments.len == 0)
        arguments = slice_str("{}");
    if (json_type(arguments) != JSON_OBJECT)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "the arguments must be an object");
    *args = json_parse(arguments, &call->arena);
    if (!*args)
        return failure_set(why, SCOUT_E_LIMIT, "the arguments need more than %u bytes of memory",
                           TOOL_ARENA_MAX);
    return tool_args_check(call->tool, *args, why);
}

/* What the caller said about the result, whatever the tool is. */
static void take_output_max(struct tool_call *call, const struct cJSON *args)
{
    const struct cJSON *most = cJSON_GetObjectItemCaseSensitive(args, TOOL_OUTPUT_PARAM);
    if (call->tool->is_long && most && !call->output_max)
        call->output_max = (size_t)most->valuedouble;
}

static bool may_be_raw(const struct tool_view *view, const struct identity *identity)
{
    enum tool_raw who = view ? view->raw_output : TOOL_RAW_OWNER;
    return who == TOOL_RAW_EVERYONE || (who == TOOL_RAW_OWNER && identity->is_owner);
}

struct tool_call *tool_call_start(const struct tool_registry *r, const struct tool *t,
                                  struct slice arguments, const struct identity *identity,
                                  uint64_t deadline_ns, tool_done_fn *on_done, void *owner)
{
    return tool_call_start_round(r, t, arguments, identity, deadline_ns, NULL, on_done, owner);
}

struct tool_call *tool_call_start_round(const struct tool_registry *r, const struct tool *t,
                                        struct slice arguments, const struct identity *identity,
                                        uint64_t deadline_ns, const struct tool_round *round,
                                        tool_done_fn *on_done, void *owner)
{
    struct tool_call *call = malloc(sizeof *call);
    struct failure why;
    struct cJSON *args = NULL;
    bool raw = round && round->raw;
    if (!call)
        return NULL;
    *call = (struct tool_call){.tool = t,
                               .registry = r,
                               .view = r->view,
                               .identity = identity,
                               .started_ns = r->io ? io_now(r->io) : 0,
                               .deadline_ns = deadline_ns,
                               .begin_by_ns = deadline_ns,
                               .on_done = on_done,
                               .owner = owner,
                               .round = round,
                               .raw = raw && may_be_raw(r->view, identity),
                               .output_max = raw ? SIZE_MAX / 2 : 0,
                               .starting = true};
    if (call->view)
        call->view->calls++;
    io_task_init(&call->effect_task);
    arena_init(&call->arena, TOOL_ARENA_MAX);
    tool_record_init(call);
    tool_detach_init(call, round);
    if (!tool_is_listed(r, t, identity)) {
        struct failure other;
        refuse_unlisted(call, &why);
        if (prepare_args(call, arguments, &args, &other) == 0)
            tool_attempt_record(call, args);
        tool_call_fail(call, &why);
    } else if (prepare_args(call, arguments, &args, &why) != 0)
        tool_call_fail(call, &why);
    else {
        take_output_max(call, args);
        tool_detach_keep(call, arguments);
        t->start(call, args);
    }
    call->starting = false;
    call->round = NULL;
    if (call->finished) {
        call_free(call);
        return (struct tool_call *)(uintptr_t)&ended;
    }
    tool_detach_arm(call);
    return call;
}

struct slice tool_call_answer(const struct tool_call *call, const char *key)
{
    return call->round ? json_member(call->round->answers, key) : slice_of(NULL, 0);
}

void tool_call_ask(struct tool_call *call, const struct tool_questions *questions)
{
    assert(!call->effect_begun);
    const struct tool_result result = {.questions = questions};
    tool_call_finish(call, &result);
}

static struct tool_result failed(const struct failure *why)
{
    return (struct tool_result){.is_error = true,
                                .error = why->error,
                                .stage = why->stage,
                                .write = result_failed,
                                .context = why};
}

/* The tool has ended, and its result is not wanted any more. */
static void end_cancelled(struct tool_call *call)
{
    struct failure why;
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    const struct tool_result result = failed(&why);
    tool_output_cancel(call);
    call->why = &why;
    tool_call_deliver(call, &result);
}

void tool_call_cancel(struct tool_call *call)
{
    if (call->cancelled || call->finished)
        return;
    assert(!call->starting); /* nobody has the pointer yet */
    call->cancelled = true;
    if (call->output)
        end_cancelled(call);
    else if (call->tool->cancel)
        call->tool->cancel(call);
}

void tool_call_finish(struct tool_call *call, const struct tool_result *result)
{
    assert(!call->finished && !call->output);
    tool_output_begin(call, result);
}

void tool_call_deliver(struct tool_call *call, const struct tool_result *result)
{
    assert(!call->finished);
    struct tool_record record;
    call->finished = true;
    if (result->error == SCOUT_E_CONFIRMATION && !call->effect_fn && call->confirmed)
        confirmations_give_back(call->registry->confirmations, call->confirmed);
    tool_record_take(call, &record);
    tool_detach_stop(call);
    call->on_done(call, result);
    tool_detach_fini(call);
    tool_record_end(call, &record, result);
    if (!call->starting)
        call_free(call);
}

void tool_call_fail(struct tool_call *call, const struct failure *why)
{
    struct failure own;
    if (tool_output_failure(call, why, &own))
        why = &own;
    const struct tool_result result = failed(why);
    call->why = why;
    tool_call_finish(call, &result);
}
