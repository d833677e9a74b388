/* A request that is worked on: from the method to the tool and back, for tools/call and for
 * whatever other method is a call (call.h).
 *
 * A call may end before tool_call_start returns, much later, or while it is being cancelled;
 * on_done comes once in each case and is the only place that answers. A request that was cancelled
 * gets no answer (MCP "Cancellation"), and its id is free again at once; it counts as in flight
 * until its tool has really ended, so that a client cannot pile up work by cancelling. */
#include "call.h"

#include "ask.h"
#include "batch.h"
#include "progress.h"
#include "scout/tools/tool_log.h"
#include "session_state.h"
#include "subscriptions.h"
#include "tasks.h"
#include <stdlib.h>

#define APPROVAL "approval" /* the key of the question for a person's word */

static uint64_t deadline_of(const struct mcp_session *s)
{
    /* A registry without a loop, as in tests of pure tools, counts from 0. */
    struct io *io = s->config.registry->io;
    return (io ? io_now(io) : 0) + s->config.limits->call_timeout_ns;
}

static void count_begun(struct mcp_session *s)
{
    struct mcp_stats *stats = s->config.stats;
    s->in_flight++;
    stats->tool_calls++;
    if (++stats->in_flight > stats->in_flight_max)
        stats->in_flight_max = stats->in_flight;
}

/* Gives the request back; its batch may be complete now. */
static void request_end(struct mcp_session *s, struct request *r)
{
    struct batch *batch = r->batch;
    s->in_flight--;
    if (--r->way->in_flight == 0 && r->way != &s->own)
        session_mark(s, r->way);
    s->config.stats->in_flight--;
    if (r->asking)
        asking_free(r->asking);
    r->asking = NULL;
    free(r->params);
    r->params = NULL;
    request_give(&s->requests, r);
    if (batch)
        batch_call_ended(batch);
}

void call_write_result(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    const struct tool_result *result = context;
    (void)s;
    result->write(w, result->context);
}

static struct reply_to reply_of(const struct request *r)
{
    return (struct reply_to){.id = request_id(r),
                             .era = r->era,
                             .batch = r->batch,
                             .way = r->way,
                             .can = r->can,
                             .shows_apps = r->shows_apps};
}

/* ---- questions ---- */

static void write_give_up(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    struct json_text_parts parts;
    (void)s;
    json_key(w, "content");
    json_array_begin(w);
    json_object_begin(w);
    json_key(w, "type");
    json_str(w, "text");
    json_key(w, "text");
    json_text_begin(w, &parts);
    json_text_part(w, &parts, slice_str("Error: "));
    json_text_part(w, &parts, slice_str(context));
    json_text_end(w, &parts);
    json_object_end(w);
    json_array_end(w);
    json_key(w, "isError");
    json_bool(w, true);
}

/* A call that waits for a person's word is asked about until there is an answer, whatever it says:
 * whoever is there can see to it, and the call goes on. The word itself is given at a terminal and
 * nowhere else. */
static bool wants_word(const struct request *r, const struct tool_result *result)
{
    return result->is_error && result->error == SCOUT_E_CONFIRMATION && r->can & TOOL_CAN_ELICIT &&
           !r->in_round && (r->era == MCP_MODERN || r->asking);
}

static size_t ask(struct mcp_session *s, struct request *r, struct tool_call *call,
                  const struct tool_questions *questions)
{
    struct reply_to to = reply_of(r);
    uint32_t needs = 0;
    if (r->era == MCP_MODERN)
        return round_answer(s, &to, call->tool, slice_of(r->params, r->params_len), questions);
    for (size_t i = 0; i < questions->count; i++)
        needs |= ask_needs(questions->list[i].method);
    if (!r->asking || needs & ~r->can) {
        answer_result(s, &to, write_give_up,
                      "The client cannot be asked what has to be known: it does not declare the "
                      "capability for it");
        return 0;
    }
    int error = ask_send(s, r->asking, questions);
    if (error)
        answer_failure(s, &to, error);
    else
        r->asked = true;
    return 0;
}

static size_t ask_for_word(struct mcp_session *s, struct request *r, struct tool_call *call)
{
    struct buf params;
    struct json_writer w;
    size_t written = 0;
    buf_init(&params, 4096);
    json_writer_init(&w, &params);
    json_object_begin(&w);
    json_key(&w, "mode");
    json_str(&w, "form");
    json_key(&w, "message");
    json_str(&w, call->why->text);
    json_key(&w, "requestedSchema");
    json_raw(&w, slice_str("{\"type\":\"object\",\"properties\":{}}"));
    json_object_end(&w);
    if (json_writer_end(&w) == 0 && buf_append(&params, slice_of("", 1)) == 0) {
        const struct tool_question question = {APPROVAL, "elicitation/create",
                                               (const char *)buf_peek(&params).data};
        const struct tool_questions questions = {.list = &question, .count = 1};
        written = ask(s, r, call, &questions);
    }
    buf_fini(&params);
    return written;
}

/* ---- the call ---- */

static void answer_call(struct mcp_session *s, struct request *r, struct tool_call *call,
                        const struct tool_result *result)
{
    struct reply_to to = reply_of(r);
    if (result->questions)
        call->answer_bytes = ask(s, r, call, result->questions);
    else if (wants_word(r, result))
        call->answer_bytes = ask_for_word(s, r, call);
    else
        call->answer_bytes = r->answer(s, &to, call, result);
}

/* By tool and code; a tool's row is found by its table's address. */
static void count_ended(struct mcp_stats *stats, const struct tool_call *call,
                        const struct tool_result *result)
{
    const struct io *io = call->registry->io;
    size_t i = 0, code = (size_t)-result->error;
    if (result->is_error)
        stats->tool_errors++;
    while (i < stats->kind_count && stats->kinds[i].tool != call->tool)
        i++;
    if (i == MCP_KINDS_MAX)
        return;
    if (i == stats->kind_count)
        stats->kinds[stats->kind_count++].tool = call->tool;
    stats->kinds[i].outcomes[code < MCP_OUTCOMES ? code : (size_t)-SCOUT_E_INTERNAL]++;
    histogram_add(&stats->kinds[i].times, io ? io_now(io) - call->started_ns : 0);
}

static void on_call_done(struct tool_call *call, const struct tool_result *result)
{
    struct request *r = call->owner;
    struct mcp_session *s = r->session;
    session_enter(s);
    bool wanted = mcp_session_wants_input(s);
    count_ended(s->config.stats, call, result);
    r->asked = false;
    if (!r->cancelled)
        answer_call(s, r, call, result);
    tool_call_log(s->config.log, s->config.limits->slow_threshold_ns, call, result, NULL);
    r->call = NULL;
    if (r->starting)
        r->ended = true;
    else if (!r->asked)
        request_end(s, r);
    session_request_ended(s, wanted);
    session_leave(s);
}

/* The call goes on without the client, who is answered now. */
static void on_call_detach(struct tool_call *call, const struct tool_result *answer)
{
    struct request *r = call->owner;
    struct mcp_session *s = r->session;
    struct reply_to to = reply_of(r);
    session_enter(s);
    bool wanted = mcp_session_wants_input(s);
    if (r->can & TOOL_CAN_TASKS)
        call->answer_bytes = task_answer(s, &to, call->job);
    else
        call->answer_bytes = r->answer(s, &to, call, answer);
    tool_call_log(s->config.log, s->config.limits->slow_threshold_ns, call, answer, "detached");
    r->call = NULL;
    request_end(s, r);
    session_request_ended(s, wanted);
    session_leave(s);
}

/* Begins the call, the first time or for another round. */
static void run(struct mcp_session *s, struct request *r, const struct tool *tool,
                struct slice arguments, const struct tool_round *round)
{
    struct tool_round own = *round;
    own.raw = r->raw;
    own.on_detach = on_call_detach;
    r->starting = true;
    r->ended = false;
    struct tool_call *call =
        tool_call_start_round(s->config.registry, tool, arguments, s->config.identity,
                              deadline_of(s), &own, on_call_done, r);
    r->starting = false;
    if (!call) {
        struct reply_to to = reply_of(r);
        answer_failure(s, &to, SCOUT_E_NOMEM);
    }
    if (!call || (r->ended && !r->asked)) {
        request_end(s, r);
        return;
    }
    if (r->ended)
        return; /* it waits for answers */
    r->call = call;
    call->on_progress = progress_tell;
    call->on_notify = subscription_notify;
    call->shows_apps = r->shows_apps;
    if (r->cancelled)
        tool_call_cancel(call);
}

/* Of a modern call, its params are needed once more when it ends with questions. */
static bool keep_params(struct request *r, const struct call_start *start)
{
    if (r->era == MCP_LEGACY) {
        r->asking = r->can ? asking_new(r, start->tool, start->arguments, r->can) : NULL;
        return true;
    }
    if (!r->can || start->params.len > ASK_KEPT_MAX)
        return true;
    r->params = malloc(start->params.len + 1);
    if (!r->params)
        return false;
    r->params_len = start->params.len;
    if (start->params.len)
        memcpy(r->params, start->params.data, start->params.len);
    return true;
}

/* What a program asks for, and no model can: it is beside the arguments. */
static bool wants_raw(struct slice params)
{
    return json_string_is(json_member(json_member(params, "_meta"), "scout/output"), "raw");
}

void call_start(struct mcp_session *s, const struct reply_to *to, const struct call_start *start)
{
    struct slice token;
    struct tool_round round = {.can = to->can};
    struct buf state;
    if (!progress_token(start->params, &token)) {
        answer_error(s, to, RPC_INVALID_PARAMS,
                     "Invalid params: \"progressToken\" must be a string or an integer", NULL,
                     NULL);
        return;
    }
    buf_init(&state, ASK_KEPT_MAX);
    if (to->era == MCP_MODERN && !round_read(s, to, start->tool, start->params, &round, &state)) {
        buf_fini(&state);
        return;
    }
    struct request *r = request_take(&s->requests, to);
    if (!r || !keep_params(r, start)) {
        if (r)
            request_give(&s->requests, r);
        answer_failure(s, to, SCOUT_E_NOMEM);
        buf_fini(&state);
        return;
    }
    r->session = s;
    r->way = session_way(s, to);
    r->way->in_flight++;
    r->answer = start->answer;
    r->in_round = json_member(round.answers, APPROVAL).len > 0;
    r->raw = wants_raw(start->params);
    progress_want(r, token);
    count_begun(s);
    if (to->batch)
        batch_call_begun(to->batch);
    run(s, r, start->tool, start->arguments, &round);
    buf_fini(&state);
}

void call_go_on(struct mcp_session *s, struct request *r, const struct tool_round *round)
{
    session_enter(s);
    bool wanted = mcp_session_wants_input(s);
    r->asked = false;
    r->in_round = true;
    run(s, r, r->asking->tool, r->asking->arguments, round);
    session_request_ended(s, wanted);
    session_leave(s);
}

void call_give_up(struct mcp_session *s, struct request *r, const char *why)
{
    struct reply_to to = reply_of(r);
    session_enter(s);
    bool wanted = mcp_session_wants_input(s);
    answer_result(s, &to, write_give_up, why);
    request_end(s, r);
    session_request_ended(s, wanted);
    session_leave(s);
}

void call_cancel(struct mcp_session *s, struct request *r)
{
    if (r->text) {
        request_drop(&s->requests, r); /* it waited for its turn */
        return;
    }
    request_set_cancelled(&s->requests, r);
    if (r->asked)
        request_end(s, r);
    else if (r->call)
        tool_call_cancel(r->call);
}
