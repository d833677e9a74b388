/* A client's lines in, and the room for them.
 *
 * Framing. Lines are taken straight out of the bytes that came; only a line that is not whole, or
 * that must wait, is copied into `in`. A byte is searched for a line break once, so a peer that
 * sends its megabytes singly costs no more than one that does not.
 *
 * Room. While MCP_IN_FLIGHT_MAX requests are in flight, lines are still looked at, so that a call
 * can be cancelled (dispatch.c); what takes a place waits in order, up to MCP_WAITING_MAX messages
 * and MCP_INPUT_HIGH bytes with all that is kept. Beyond that, and while MCP_OUT_HIGH bytes wait
 * for the client, no line is looked at. What arrives meanwhile is kept, up to MCP_INPUT_MAX bytes.
 */
#include "dispatch.h"
#include "session_state.h"

#include <assert.h>

#define FEED_PIECE (64u * 1024u) /* so much is copied before lines are taken up again */

/* ---- room ---- */

static size_t kept_bytes(const struct mcp_session *s)
{
    return buf_len(&s->in) + s->requests.waiting_bytes;
}

static bool may_go_on(const struct mcp_session *s)
{
    return !s->freed && !s->broken && s->own.sink.pending(s->own.sink.context) < MCP_OUT_HIGH;
}

bool mcp_session_wants_input(const struct mcp_session *s)
{
    bool room = s->in_flight < MCP_IN_FLIGHT_MAX ||
                (s->requests.waiting_count < MCP_WAITING_MAX && kept_bytes(s) < MCP_INPUT_HIGH);
    return room && may_go_on(s);
}

/* ---- lines ---- */

static void write_line_too_long(struct json_writer *w, const struct mcp_session *s,
                                const void *context)
{
    (void)s;
    (void)context;
    json_key(w, "reason");
    json_str(w, "line-too-long");
}

static void refuse_line(struct mcp_session *s)
{
    struct reply_to nobody = {.batch = NULL};
    s->config.stats->malformed++;
    if (s->config.log)
        log_event(s->config.log, LOG_WARN, "mcp-line-too-long", NULL);
    answer_error(s, &nobody, RPC_INVALID_REQUEST, "Invalid request: the line is too long",
                 write_line_too_long, NULL);
    session_break(s, SCOUT_E_LIMIT);
}

static void take_line(struct mcp_session *s, struct slice line)
{
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (line.len > MCP_LINE_MAX)
        refuse_line(s);
    else if (line.len > 0)
        dispatch_line(s, line);
}

/* Takes up what waits, as long as there is room. */
static void take_waiting(struct mcp_session *s)
{
    while (s->requests.waiting_count > 0 && may_go_on(s) &&
           (s->in_flight < MCP_IN_FLIGHT_MAX || !request_first_takes_place(&s->requests)))
        dispatch_waiting(s);
}

/* Takes up whole lines of `data` in place, as long as they may be looked at. Returns what is left.
 */
static struct slice take_lines(struct mcp_session *s, struct slice data)
{
    while (data.len > 0 && mcp_session_wants_input(s)) {
        const uint8_t *end = memchr(data.data, '\n', data.len);
        if (!end)
            break;
        size_t len = (size_t)(end - data.data);
        take_line(s, slice_of(data.data, len));
        data = slice_skip(data, len + 1);
        take_waiting(s);
    }
    return data;
}

/* The same for the bytes that were kept. */
static void take_kept_lines(struct mcp_session *s)
{
    while (buf_len(&s->in) > s->scanned && mcp_session_wants_input(s)) {
        struct slice kept = buf_peek(&s->in);
        struct slice rest = slice_skip(kept, s->scanned);
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        if (!end) {
            s->scanned = kept.len;
            if (kept.len > MCP_LINE_MAX + 1) /* one more, for a CR */
                refuse_line(s);
            return;
        }
        size_t len = (size_t)(end - kept.data);
        take_line(s, slice_of(kept.data, len));
        s->scanned = 0;
        buf_consume(&s->in, len + 1);
        take_waiting(s);
    }
}

static void keep(struct mcp_session *s, struct slice data)
{
    while (data.len > 0 && !s->broken && !s->freed) {
        size_t len = data.len < FEED_PIECE ? data.len : FEED_PIECE;
        int error = kept_bytes(s) + len > MCP_INPUT_MAX
                        ? SCOUT_E_LIMIT
                        : buf_append(&s->in, slice_of(data.data, len));
        if (error) {
            session_break(s, error);
            break;
        }
        data = slice_skip(data, len);
        take_kept_lines(s);
    }
}

int mcp_session_feed(struct mcp_session *s, struct slice data)
{
    assert(!s->processing && !s->freed);
    if (s->broken)
        return s->broken;
    session_enter(s);
    s->processing = true;
    take_waiting(s);
    if (buf_len(&s->in) == 0)
        data = take_lines(s, data);
    keep(s, data);
    s->processing = false;
    int error = s->broken;
    session_flush(s);
    session_leave(s);
    return error;
}

int mcp_session_continue(struct mcp_session *s)
{
    if (s->broken || s->processing || s->freed)
        return s->broken;
    session_enter(s);
    s->processing = true;
    take_waiting(s);
    take_kept_lines(s);
    s->processing = false;
    int error = s->broken;
    session_flush(s);
    session_leave(s);
    return error;
}
