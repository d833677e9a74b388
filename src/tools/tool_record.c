/* One record a call, or two where it has an effect. A call that policy refused is recorded with
 * what was refused and with the refusal's words; of any other the weightiest act counts that policy
 * was asked about. What is a part of another call is recorded under the number of that. The record
 * is made after the caller's on_done, since only then it is known how large the answer was. */
#include "tool_record.h"

void tool_record_init(struct tool_call *call)
{
    struct audit *audit = call->registry->audit;
    audit_act_init(&call->act);
    audit_wait_init(&call->audit_wait);
    if (call->registry->part_of)
        call->number = call->registry->part_of;
    else
        call->number = audit ? audit_number(audit) : 0;
}

void tool_record_fini(struct tool_call *call)
{
    audit_wait_cancel(&call->audit_wait);
    audit_act_fini(&call->act);
    if (call->refused)
        audit_act_fini(call->refused);
}

void tool_record_refused(struct tool_call *call, const struct policy_request *request)
{
    if (!call->refused) {
        call->refused = arena_alloc(&call->arena, sizeof *call->refused);
        if (!call->refused)
            return;
        audit_act_init(call->refused);
    }
    audit_act_set(call->refused, request);
}

static bool is_refusal(int error)
{
    return error == SCOUT_E_POLICY || error == SCOUT_E_CONFIRMATION;
}

const struct audit_act *tool_call_act(const struct tool_call *call, int error)
{
    return is_refusal(error) && call->refused ? call->refused : &call->act;
}

static struct audit_call record_of(const struct tool_call *call, const struct identity *identity,
                                   const struct audit_act *act)
{
    return (struct audit_call){
        .number = call->number, .identity = identity, .tool = call->tool->name, .act = act};
}

void tool_record_begin(struct tool_call *call, audit_fn *fn)
{
    const struct audit_call record = record_of(call, call->identity, &call->act);
    call->effect_begun = true;
    audit_begin(call->registry->audit, &record, &call->audit_wait, fn);
}

void tool_record_take(const struct tool_call *call, struct tool_record *out)
{
    if (call->registry->audit)
        out->identity = *call->identity;
}

void tool_record_end(struct tool_call *call, const struct tool_record *record,
                     const struct tool_result *result)
{
    struct audit *audit = call->registry->audit;
    if (!audit)
        return;
    const struct audit_call who =
        record_of(call, &record->identity, tool_call_act(call, result->error));
    const struct audit_outcome outcome = {
        .error = result->error,
        .stage = result->stage,
        .reason = is_refusal(result->error) && call->why ? call->why->text : NULL,
        .has_exit = call->has_exit,
        .exit_status = call->exit_status,
        .bytes = call->answer_bytes,
        .duration_ns = io_now(call->registry->io) - call->started_ns,
    };
    audit_wait_cancel(&call->audit_wait);
    audit_end(audit, &who, &outcome, call->effect_begun);
}
