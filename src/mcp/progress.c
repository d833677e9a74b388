/* Progress is told while a call runs and never behind its answer: it comes from the call, which has
 * ended then. What is told grows each time (the specification has "MUST increase"), the first at
 * once, any other PROGRESS_INTERVAL_MS after the last one at the soonest. What comes too early, or
 * while much waits for the client, is dropped: the next one says more.
 *
 * The sink is flushed by a task: flushing may lead to the owner's code, which may end the call that
 * a tool has just told about. */
#include "progress.h"

#include "scout/base/time.h"
#include "session_state.h"

bool progress_token(struct slice params, struct slice *token)
{
    *token = json_member(json_member(params, "_meta"), "progressToken");
    if (json_type(*token) == JSON_NULL)
        token->len = 0;
    return token->len == 0 || message_id_is_good(*token);
}

void progress_want(struct request *r, struct slice token)
{
    r->token_len = token.len;
    if (token.len)
        memcpy(r->token, token.data, token.len);
}

struct progress {
    uint64_t done, total;
    const char *message;
};

static int write_progress(struct buf *out, struct slice token, const struct progress *p)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, "jsonrpc");
    json_str(&w, "2.0");
    json_key(&w, "method");
    json_str(&w, "notifications/progress");
    json_key(&w, "params");
    json_object_begin(&w);
    json_key(&w, "progressToken");
    json_raw(&w, token);
    json_key(&w, "progress");
    json_uint(&w, p->done);
    if (p->total) {
        json_key(&w, "total");
        json_uint(&w, p->total);
    }
    if (p->message) {
        json_key(&w, "message");
        json_str(&w, p->message);
    }
    json_object_end(&w);
    json_object_end(&w);
    int error = json_writer_end(&w);
    return error ? error : buf_append_str(out, "\n");
}

void progress_tell(struct tool_call *call, uint64_t done, uint64_t total, const char *message)
{
    struct request *r = call->owner;
    struct mcp_session *s = r->session;
    struct io *io = s->config.registry->io;
    const struct progress progress = {done, total, message};
    if (!io || r->token_len == 0 || r->cancelled || s->freed || s->broken)
        return;
    uint64_t now = io_now(io);
    if (r->told && (done <= r->told_done || now - r->told_ns < PROGRESS_INTERVAL_MS * NS_PER_MS))
        return;
    if (r->way->sink.pending(r->way->sink.context) >= MCP_OUT_HIGH)
        return;
    struct buf *out = way_out(r->way);
    size_t before = buf_len(out);
    if (write_progress(out, slice_of(r->token, r->token_len), &progress) != 0) {
        out->end = out->start + before;
        return;
    }
    r->told = true;
    r->told_ns = now;
    r->told_done = done;
    session_flush_later(s, r->way);
}
