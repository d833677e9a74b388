/* Answers go straight into the buffer they leave by: the session's sink, or the array of a batch.
 *
 * An answer is there whole or not at all. If the buffer's cap or memory refuses it half-way, the
 * buffer is put back to where it was and the request is answered with an error instead, which is
 * small; if that does not fit either, the session is broken: it cannot keep its promise of one
 * answer per request, so its owner must end it. Nothing is written for a session that was freed. */
#include "answer.h"

#include "batch.h"
#include "session_state.h"

struct answer_body {
    answer_write_fn *write;
    const void *context;
    bool is_error, ends_subscription;
    const char *type; /* of a result; NULL: "complete" */
    enum rpc_code code;
    const char *message;
};

/* Every result names the server (MCP 2026-07-28, `_meta` of results). */
static void write_server_meta(struct json_writer *w, const struct mcp_session *s,
                              const struct reply_to *to, const struct answer_body *body)
{
    json_key(w, "_meta");
    json_object_begin(w);
    json_key(w, "io.modelcontextprotocol/serverInfo");
    session_write_server_info(w, s);
    if (body->ends_subscription) {
        json_key(w, "io.modelcontextprotocol/subscriptionId");
        json_raw(w, to->id);
    }
    json_object_end(w);
}

static void write_result(struct json_writer *w, const struct mcp_session *s,
                         const struct reply_to *to, const struct answer_body *body)
{
    json_key(w, "result");
    json_object_begin(w);
    if (to->era == MCP_MODERN) {
        json_key(w, "resultType");
        json_str(w, body->type ? body->type : "complete");
    }
    if (body->write)
        body->write(w, s, body->context);
    if (to->era == MCP_MODERN)
        write_server_meta(w, s, to, body);
    json_object_end(w);
}

static void write_error(struct json_writer *w, const struct mcp_session *s,
                        const struct answer_body *body)
{
    json_key(w, "error");
    json_object_begin(w);
    json_key(w, "code");
    json_int(w, body->code);
    json_key(w, "message");
    json_str(w, body->message);
    if (body->write) {
        json_key(w, "data");
        json_object_begin(w);
        body->write(w, s, body->context);
        json_object_end(w);
    }
    json_object_end(w);
}

static int write_message(struct buf *out, const struct mcp_session *s, const struct reply_to *to,
                         const struct answer_body *body)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "jsonrpc");
    json_str(&w, "2.0");
    if (to->id.len) {
        json_key(&w, "id");
        json_raw(&w, to->id);
    }
    if (body->is_error)
        write_error(&w, s, body);
    else
        write_result(&w, s, to, body);
    json_object_end(&w);
    return json_writer_end(&w);
}

/* Writes the answer, or leaves the buffer as it was. */
static int try_answer(struct mcp_session *s, const struct reply_to *to,
                      const struct answer_body *body, size_t *written)
{
    struct mcp_way *way = session_way(s, to);
    struct buf *out = to->batch ? batch_out(to->batch) : way_out(way);
    size_t before = buf_len(out);
    int error = to->batch && before > 0 ? buf_append_str(out, ",") : 0;
    if (!error)
        error = write_message(out, s, to, body);
    if (!error && !to->batch)
        error = buf_append_str(out, "\n");
    if (error)
        out->end = out->start + before;
    else if (!to->batch)
        session_mark(s, way);
    *written = buf_len(out) - before;
    return error;
}

/* Whether the client, which does not take what it asked for, has to make do with an error. */
static bool is_too_much(const struct mcp_way *way, const struct reply_to *to)
{
    size_t gathered = to->batch ? buf_len(batch_out(to->batch)) : 0;
    return way->sink.crowded && way->sink.crowded(way->sink.context, gathered);
}

/* Writes a result, or leaves the buffer as it was: it is not there if it is what was too much. */
static int try_result(struct mcp_session *s, const struct reply_to *to,
                      const struct answer_body *body, size_t *written)
{
    struct mcp_way *way = session_way(s, to);
    int error = is_too_much(way, to) ? SCOUT_E_LIMIT : try_answer(s, to, body, written);
    if (error || !way->sink.strict || !is_too_much(way, to))
        return error;
    struct buf *out = to->batch ? batch_out(to->batch) : way_out(way);
    out->end -= *written;
    *written = 0;
    return SCOUT_E_LIMIT;
}

static size_t answer(struct mcp_session *s, const struct reply_to *to,
                     const struct answer_body *body)
{
    size_t written = 0;
    if (s->freed || s->broken)
        return 0;
    int error =
        body->is_error ? try_answer(s, to, body, &written) : try_result(s, to, body, &written);
    if (error && body->is_error)
        session_break(s, error);
    else if (error)
        answer_failure(s, to, error);
    return written;
}

size_t answer_result(struct mcp_session *s, const struct reply_to *to, answer_write_fn *write,
                     const void *context)
{
    struct answer_body body = {.write = write, .context = context};
    return answer(s, to, &body);
}

size_t answer_questions(struct mcp_session *s, const struct reply_to *to, answer_write_fn *write,
                        const void *context)
{
    struct answer_body body = {.write = write, .context = context, .type = "input_required"};
    return answer(s, to, &body);
}

size_t answer_task(struct mcp_session *s, const struct reply_to *to, answer_write_fn *write,
                   const void *context)
{
    struct answer_body body = {.write = write, .context = context, .type = "task"};
    return answer(s, to, &body);
}

size_t answer_subscription_end(struct mcp_session *s, const struct reply_to *to)
{
    struct answer_body body = {.ends_subscription = true};
    return answer(s, to, &body);
}

void answer_error(struct mcp_session *s, const struct reply_to *to, enum rpc_code code,
                  const char *message, answer_write_fn *write, const void *context)
{
    struct answer_body body = {
        .write = write, .context = context, .is_error = true, .code = code, .message = message};
    if (!s->fault.code && !to->batch)
        s->fault.code = code;
    answer(s, to, &body);
}

static void write_failure_data(struct json_writer *w, const struct mcp_session *s,
                               const void *context)
{
    (void)s;
    json_key(w, "code");
    json_str(w, error_code(*(const int *)context));
}

void answer_failure(struct mcp_session *s, const struct reply_to *to, int error)
{
    answer_error(s, to, RPC_INTERNAL_ERROR, error_text(error), write_failure_data, &error);
}
