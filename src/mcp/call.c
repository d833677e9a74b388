/* A request that is worked on: from the method to the tool and back, for tools/call and for
 * whatever other method is a call (call.h).
 *
 * A call may end before tool_call_start returns, much later, or while it is being cancelled;
 * on_done comes once in each case and is the only place that answers. A request that was cancelled
 * gets no answer (MCP "Cancellation"), and its id is free again at once; it counts as in flight
 * until its tool has really ended, so that a client cannot pile up work by cancelling. */
#include "call.h"

#include "batch.h"
#include "call_log.h"
#include "progress.h"
#include "session_state.h"
#include <stdio.h>

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

static void on_call_done(struct tool_call *call, const struct tool_result *result)
{
    struct request *r = call->owner;
    struct mcp_session *s = r->session;
    session_enter(s);
    bool wanted = mcp_session_wants_input(s);
    if (result->is_error)
        s->config.stats->tool_errors++;
    if (!r->cancelled) {
        struct reply_to to = {.id = request_id(r), .era = r->era, .batch = r->batch, .way = r->way};
        call->answer_bytes = r->answer(s, &to, call, result);
    }
    call_log(s, call, result);
    if (r->starting)
        r->ended = true;
    else
        request_end(s, r);
    session_request_ended(s, wanted);
    session_leave(s);
}

void call_start(struct mcp_session *s, const struct reply_to *to, const struct call_start *start)
{
    struct slice token;
    if (!progress_token(start->params, &token)) {
        answer_error(s, to, RPC_INVALID_PARAMS,
                     "Invalid params: \"progressToken\" must be a string or an integer", NULL,
                     NULL);
        return;
    }
    struct request *r = request_take(&s->requests, to);
    if (!r) {
        answer_failure(s, to, SCOUT_E_NOMEM);
        return;
    }
    r->session = s;
    r->way = session_way(s, to);
    r->way->in_flight++;
    r->answer = start->answer;
    r->starting = true;
    progress_want(r, token);
    count_begun(s);
    if (to->batch)
        batch_call_begun(to->batch);
    struct tool_call *call = tool_call_start(s->config.registry, start->tool, start->arguments,
                                             s->config.identity, deadline_of(s), on_call_done, r);
    r->starting = false;
    if (!call)
        answer_failure(s, to, SCOUT_E_NOMEM);
    if (!call || r->ended) {
        request_end(s, r);
        return;
    }
    r->call = call;
    call->on_progress = progress_tell;
    call->shows_apps = to->shows_apps;
    if (r->cancelled)
        tool_call_cancel(call);
}

void call_cancel(struct mcp_session *s, struct request *r)
{
    if (r->text) {
        request_drop(&s->requests, r); /* it waited for its turn */
        return;
    }
    request_set_cancelled(&s->requests, r);
    if (r->call)
        tool_call_cancel(r->call);
}
