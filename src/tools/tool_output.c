/* A result that says it is clean and whole, and questions, go on as they are, context and all. Any
 * other is written once, into a buffer; what needs nothing goes on as it is, which is what
 * most results do. The rest is made fit for a model (model_result.h), large ones on a helper
 * thread, from copies of their own: a call that is cancelled meanwhile leaves them to it.
 *
 * A client that may have results raw gets what the tool wrote, and nothing of this runs. */
#include "tool_output.h"

#include "model_result.h"
#include "result.h"
#include "scout/base/container.h"
#include "scout/tools/output_store.h"
#include <stdlib.h>

struct tool_output {
    struct io_job job;
    struct tool_call *call; /* NULL: cancelled */
    struct redactor *redactor;
    struct tool_result result; /* without its writer */
    struct model_request request;
    struct model_result made;
    int error;
    struct buf written;
    size_t *blocks;
    char handle[OUTPUT_HANDLE_SIZE];
};

static void output_free(struct tool_output *o)
{
    model_result_fini(&o->made);
    buf_fini(&o->written);
    redactor_free(o->redactor);
    free(o->blocks);
    free(o);
}

bool tool_output_is_raw(const struct tool_call *call)
{
    return call->raw || !call->view || !call->view->redactor;
}

/* ---- failures ---- */

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((*text < ' ' && *text != '\n' && *text != '\t') || *text == 0x7F)
            return false;
    return true;
}

bool tool_output_failure(const struct tool_call *call, const struct failure *why,
                         struct failure *own)
{
    struct slice text = slice_str(why->text);
    struct buf clean, neutral, again; /* in this order, see clean_json.c */
    struct clean_counts counts = {0};
    if (tool_output_is_raw(call) ||
        (is_printable(why->text) && !redact_suspects(call->view->redactor, text)))
        return false;
    buf_init(&clean, CLEAN_TEXT_MAX);
    buf_init(&neutral, CLEAN_TEXT_MAX);
    buf_init(&again, CLEAN_TEXT_MAX);
    struct redact_budget budget = redact_budget_of(call->view->redactor, text.len);
    int error = redact(call->view->redactor, text, &clean, &counts.redacted, &budget);
    if (!error)
        error = neutralise(buf_peek(&clean), &neutral, &counts.neutralised);
    if (!error)
        error = redact(call->view->redactor, buf_peek(&neutral), &again, &counts.redacted, &budget);
    if (error)
        failure_set(own, why->error, "It failed, and there is no memory to say why");
    else
        failure_set(own, why->error, "%.*s", (int)buf_len(&again),
                    (const char *)buf_peek(&again).data);
    own->stage = why->stage;
    buf_fini(&clean);
    buf_fini(&neutral);
    buf_fini(&again);
    return true;
}

/* ---- the end ---- */

static void write_members(struct json_writer *w, const void *context)
{
    json_members(w, *(const struct slice *)context);
}

static void write_error(struct json_writer *w, const void *context)
{
    if (!w->error)
        w->error = *(const int *)context;
}

static void deliver_json(struct tool_call *call, const struct tool_result *result,
                         struct slice json)
{
    struct tool_result own = *result;
    own.write = write_members;
    own.context = &json;
    tool_call_deliver(call, &own);
}

static void deliver_error(struct tool_call *call, const struct tool_result *result, int error)
{
    struct tool_result own = *result;
    own.write = write_error;
    own.context = &error;
    tool_call_deliver(call, &own);
}

static void deliver_made(struct tool_output *o)
{
    struct tool_call *call = o->call;
    call->output = NULL;
    if (o->error) {
        deliver_error(call, &o->result, o->error);
    } else {
        if (o->made.keep)
            output_store_put(call->registry->outputs, call->identity, o->handle, &o->made.whole);
        deliver_json(call, &o->result, buf_peek(&o->made.json));
    }
    output_free(o);
}

static void run_job(struct io_job *job)
{
    struct tool_output *o = CONTAINER_OF(job, struct tool_output, job);
    o->error = model_result_make(&o->made, &o->request);
}

static void on_made(struct io_job *job)
{
    struct tool_output *o = CONTAINER_OF(job, struct tool_output, job);
    if (o->call)
        deliver_made(o);
    else
        output_free(o);
}

void tool_output_cancel(struct tool_call *call)
{
    call->output->call = NULL;
    call->output = NULL;
}

/* ---- the begin ---- */

static size_t budget_of(const struct tool_call *call, const struct tool_result *result)
{
    if (result->is_whole || call->tool->takes_params)
        return 0;
    return call->view->output_budget && call->output_max ? call->output_max
                                                         : call->view->output_budget;
}

/* The buffer moves. */
static struct tool_output *output_new(struct tool_call *call, const struct tool_result *result,
                                      const struct model_request *request, struct buf *written)
{
    struct tool_output *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->call = call;
    o->redactor = redactor_hold(call->view->redactor);
    o->result = *result;
    o->request = *request;
    o->written = *written;
    buf_init(written, 0);
    o->request.json = buf_peek(&o->written);
    o->request.handle = o->handle;
    o->request.keep_max = OUTPUT_OWNER_BYTES_MAX;
    if (call->registry->outputs)
        output_store_handle(call->registry->outputs, o->handle);
    if (request->block_count > 0) {
        size_t size = request->block_count * sizeof *o->blocks;
        o->blocks = malloc(size);
        if (o->blocks)
            memcpy(o->blocks, request->blocks, size);
        o->request.blocks = o->blocks;
        o->request.block_count = o->blocks ? request->block_count : 0;
    }
    return o;
}

static bool is_small(const struct tool_call *call, size_t len)
{
    size_t most =
        redactor_has_patterns(call->view->redactor) ? OUTPUT_INLINE_PATTERN_MAX : OUTPUT_INLINE_MAX;
    return len <= most;
}

/* What failed is small, and its reason is its caller's only until this returns. */
static void make(struct tool_call *call, const struct tool_result *result,
                 const struct model_request *request, struct buf *written)
{
    bool has_helper = !call->why && call->registry->io;
    bool now = !has_helper || is_small(call, buf_len(written));
    struct tool_output *o = output_new(call, result, request, written);
    if (!o) {
        deliver_error(call, result, SCOUT_E_NOMEM);
        return;
    }
    call->output = o;
    o->request.soon = now;
    if (now) {
        run_job(&o->job);
        if (o->error || !o->made.is_short || !has_helper) {
            deliver_made(o);
            return;
        }
        model_result_fini(&o->made); /* it takes longer than the loop has */
        o->request.soon = false;
    }
    io_job_start(call->registry->io, &o->job, run_job, on_made);
}

void tool_output_begin(struct tool_call *call, const struct tool_result *result)
{
    struct buf written;
    if (tool_output_is_raw(call) || result->questions || (result->is_clean && result->is_whole)) {
        tool_call_deliver(call, result);
        return;
    }
    buf_init(&written, MODEL_RESULT_MAX);
    int error = result_object(&written, result);
    const struct model_request request = {
        .redactor = call->view->redactor,
        .json = buf_peek(&written),
        .budget = budget_of(call, result),
        .for_apps = call->shows_apps,
        .is_clean = result->is_clean,
        .redacted = result->redacted,
        .blocks = result->blocks,
        .block_count = result->block_count,
    };
    if (error)
        deliver_error(call, result, error);
    else if (model_result_is_made(&request))
        deliver_json(call, result, request.json);
    else
        make(call, result, &request, &written);
    buf_fini(&written);
}
