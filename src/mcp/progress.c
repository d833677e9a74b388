/* Progress is told while a call runs and never behind its answer: it comes from the call, which has
 * ended then. What is told grows each time (the specification has "MUST increase"), the first at
 * once, any other PROGRESS_INTERVAL_MS after the last one at the soonest. What comes too early, or
 * while much waits for the client, is dropped: the next one says more.
 *
 * The sink is flushed by a task: flushing may lead to the owner's code, which may end the call that
 * a tool has just told about. */
#include "progress.h"

#include "notification.h"
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
    struct slice token;
    uint64_t done, total;
    const char *message;
};

static void write_progress(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    const struct progress *p = context;
    (void)s;
    json_key(w, "progressToken");
    json_raw(w, p->token);
    json_key(w, "progress");
    json_uint(w, p->done);
    if (p->total) {
        json_key(w, "total");
        json_uint(w, p->total);
    }
    if (p->message) {
        json_key(w, "message");
        json_str(w, p->message);
    }
}

void progress_tell(struct tool_call *call, uint64_t done, uint64_t total, const char *message)
{
    struct request *r = call->owner;
    struct mcp_session *s = r->session;
    struct io *io = s->config.registry->io;
    const struct progress progress = {slice_of(r->token, r->token_len), done, total, message};
    if (!io || r->token_len == 0 || r->cancelled || s->freed || s->broken)
        return;
    uint64_t now = io_now(io);
    if (r->told && (done <= r->told_done || now - r->told_ns < PROGRESS_INTERVAL_MS * NS_PER_MS))
        return;
    if (!notification_send(s, r->way, "notifications/progress", write_progress, &progress))
        return;
    r->told = true;
    r->told_ns = now;
    r->told_done = done;
}
