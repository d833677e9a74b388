/* A batch: an array of messages in one line, answered by one array in one line when all is done
 * (JSON-RPC 2.0, section 6; MCP 2025-03-26 requires servers to take them, all later revisions
 * dropped them).
 *
 * Answers are gathered in the batch's own buffer as they come, in any order. `calls` counts what is
 * not answered yet; while the messages are being taken up it holds one more, so that calls which
 * end at once do not send the array early. A batch of notifications alone has no answer. */
#include "batch.h"

#include "dispatch.h"
#include "session_state.h"
#include <stdlib.h>

struct batch {
    struct mcp_session *session;
    struct mcp_way *way; /* NULL: nobody waits for it any more */
    struct buf out;
    uint32_t calls;
};

struct buf *batch_out(struct batch *b)
{
    return &b->out;
}

void batch_call_begun(struct batch *b)
{
    b->calls++;
}

static int append_array(struct buf *out, struct slice items)
{
    size_t before = buf_len(out);
    int error = buf_append_str(out, "[");
    if (!error)
        error = buf_append(out, items);
    if (!error)
        error = buf_append_str(out, "]\n");
    if (error)
        out->end = out->start + before;
    return error;
}

static void batch_send(struct batch *b)
{
    struct mcp_session *s = b->session;
    if (s->freed || s->broken || !b->way || buf_len(&b->out) == 0)
        return;
    int error = append_array(way_out(b->way), buf_peek(&b->out));
    if (error)
        session_break(s, error);
    else
        session_mark(s, b->way);
}

void batch_drop(struct batch *b)
{
    b->way = NULL;
}

void batch_call_ended(struct batch *b)
{
    if (--b->calls > 0)
        return;
    batch_send(b);
    buf_fini(&b->out);
    free(b);
}

static uint32_t count_items(struct slice array)
{
    struct json_walk walk;
    struct slice key, value;
    uint32_t count = 0;
    json_walk_begin(&walk, array);
    while (json_walk_next(&walk, &key, &value))
        count++;
    return count;
}

void batch_dispatch(struct mcp_session *s, struct slice array)
{
    struct reply_to nobody = {.batch = NULL};
    uint32_t count = count_items(array);
    if (count == 0 || count > MCP_BATCH_MAX) {
        s->config.stats->malformed++;
        answer_error(s, &nobody, RPC_INVALID_REQUEST,
                     count ? "Invalid request: too many messages in a batch"
                           : "Invalid request: the batch is empty",
                     NULL, NULL);
        return;
    }
    struct batch *b = malloc(sizeof *b);
    if (!b) {
        answer_failure(s, &nobody, SCOUT_E_NOMEM);
        return;
    }
    *b = (struct batch){.session = s, .way = s->way, .calls = 1};
    buf_init(&b->out, MCP_BATCH_OUT_MAX);
    struct json_walk walk;
    struct slice key, value;
    json_walk_begin(&walk, array);
    while (!s->freed && !s->broken && json_walk_next(&walk, &key, &value))
        dispatch_message(s, value, b);
    batch_call_ended(b);
}
