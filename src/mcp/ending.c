/* The end of a session's requests where it is the daemon that ends: whoever waits for an answer
 * gets one. A call that is cancelled here, and not by its client, is answered with what there is so
 * far (of a command what it has printed), as soon as what it had begun at a host has stopped. */
#include "ask.h"
#include "scout/base/container.h"
#include "session_state.h"

static const char going[] = "The daemon is shutting down";

static struct request *request_of(struct list *node)
{
    return CONTAINER_OF(node, struct request, node);
}

/* Those that wait for their turn do not get it any more. A notification has no answer. */
static void refuse_waiting(struct mcp_session *s)
{
    while (!s->freed && !list_empty(&s->requests.waiting)) {
        struct request *r = request_of(s->requests.waiting.next);
        struct reply_to to = {.id = request_id(r)};
        if (r->id_len)
            answer_failure(s, &to, SCOUT_E_SHUTTING_DOWN);
        request_drop(&s->requests, r);
    }
}

/* One that can be ended still; ending it may end others. */
static struct request *next_to_end(const struct mcp_session *s)
{
    for (struct list *n = s->requests.live.next; n != &s->requests.live; n = n->next) {
        struct request *r = request_of(n);
        if (r->asked || (r->call && !r->call->cancelled && !r->call->finished))
            return r;
    }
    return NULL;
}

void mcp_session_end_calls(struct mcp_session *s)
{
    struct request *r;
    session_enter(s);
    refuse_waiting(s);
    while (!s->freed && (r = next_to_end(s))) {
        if (r->asked)
            call_give_up(s, r, going);
        else
            tool_call_cancel(r->call);
    }
    session_leave(s);
}
