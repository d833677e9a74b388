/* One client: its lines in, its life, its room.
 *
 * Framing. Lines are taken straight out of the bytes that came; only a line that is not whole, or
 * that must wait, is copied into `in`. A byte is searched for a line break once, so a peer that
 * sends its megabytes singly costs no more than one that does not.
 *
 * Room. While MCP_IN_FLIGHT_MAX requests are in flight, lines are still looked at, so that a call
 * can be cancelled (dispatch.c); what takes a place waits in order, up to MCP_WAITING_MAX messages
 * and MCP_INPUT_HIGH bytes with all that is kept. Beyond that, and while MCP_OUT_HIGH bytes wait
 * for the client, no line is looked at. What arrives meanwhile is kept, up to MCP_INPUT_MAX bytes.
 *
 * Life. Tools may end calls, and the owner may free the session, from within almost any call: each
 * function that may lead there holds the session (session_enter, session_leave), which goes when it
 * was freed, nothing is in flight and nobody holds it. While lines are taken up, flushing and news
 * of room wait until the end. */
#include "batch.h"
#include "call.h"
#include "dispatch.h"
#include "session_state.h"

#include <assert.h>
#include <stdlib.h>

#define FEED_PIECE (64u * 1024u) /* so much is copied before lines are taken up again */

int mcp_session_new(struct mcp_session **out, const struct mcp_config *config,
                    const struct mcp_sink *sink)
{
    assert(config->registry && config->stats);
    struct mcp_session *s = calloc(1, sizeof *s);
    if (!s)
        return SCOUT_E_NOMEM;
    s->config = *config;
    mcp_way_init(&s->own, sink);
    s->way = &s->own;
    list_init(&s->unflushed);
    list_init(&s->asking);
    buf_init(&s->in, MCP_INPUT_MAX);
    request_table_init(&s->requests);
    subscriptions_init(s);
    io_task_init(&s->flush_task);
    *out = s;
    return 0;
}

static void session_destroy(struct mcp_session *s)
{
    void (*on_freed)(void *context) = s->on_freed;
    void *context = s->freed_context;
    io_task_cancel(&s->flush_task);
    request_table_fini(&s->requests);
    buf_fini(&s->in);
    free(s);
    if (on_freed)
        on_freed(context);
}

void session_enter(struct mcp_session *s)
{
    s->entered++;
}

void session_leave(struct mcp_session *s)
{
    if (--s->entered == 0 && s->freed && s->in_flight == 0)
        session_destroy(s);
}

void mcp_way_init(struct mcp_way *way, const struct mcp_sink *sink)
{
    *way = (struct mcp_way){.sink = *sink};
    list_init(&way->unflushed);
}

struct buf *way_out(const struct mcp_way *way)
{
    return way->sink.out(way->sink.context);
}

struct mcp_way *session_way(struct mcp_session *s, const struct reply_to *to)
{
    return to->way ? to->way : s->way;
}

void session_mark(struct mcp_session *s, struct mcp_way *way)
{
    list_remove(&way->unflushed);
    list_append(&s->unflushed, &way->unflushed);
}

void session_break(struct mcp_session *s, int error)
{
    if (!s->broken)
        s->broken = error;
}

void session_write_server_info(struct json_writer *w, const struct mcp_session *s)
{
    json_object_begin(w);
    json_key(w, "name");
    json_str(w, s->config.server_name);
    json_key(w, "version");
    json_str(w, s->config.server_version);
    json_object_end(w);
}

static void session_flush(struct mcp_session *s)
{
    while (!s->freed && !list_empty(&s->unflushed)) {
        struct mcp_way *way = CONTAINER_OF(list_shift(&s->unflushed), struct mcp_way, unflushed);
        way->sink.flush(way->sink.context);
    }
}

static void on_flush_task(struct io_task *task)
{
    struct mcp_session *s = CONTAINER_OF(task, struct mcp_session, flush_task);
    session_enter(s);
    session_flush(s);
    session_leave(s);
}

void session_flush_later(struct mcp_session *s, struct mcp_way *way)
{
    session_mark(s, way);
    io_defer(s->config.registry->io, &s->flush_task, on_flush_task);
}

void session_request_ended(struct mcp_session *s, bool wanted)
{
    if (s->processing)
        return;
    session_flush(s);
    bool news = s->broken || s->in_flight == 0 || s->requests.waiting_count > 0 ||
                (!wanted && mcp_session_wants_input(s));
    if (news && !s->freed && s->on_room)
        s->on_room(s->room_context);
}

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

uint32_t mcp_session_in_flight(const struct mcp_session *s)
{
    return s->in_flight;
}

void mcp_session_on_room(struct mcp_session *s, void (*on_room)(void *context), void *context)
{
    s->on_room = on_room;
    s->room_context = context;
}

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

int mcp_session_message(struct mcp_session *s, struct slice text, const struct mcp_headers *headers,
                        struct mcp_way *way, struct mcp_fault *fault)
{
    assert(!s->processing && !s->freed);
    s->fault = *fault = (struct mcp_fault){.code = 0};
    if (s->broken)
        return s->broken;
    session_enter(s);
    s->processing = true;
    s->way = way;
    s->headers = headers;
    dispatch_line(s, text);
    s->headers = NULL;
    s->way = &s->own;
    s->processing = false;
    int error = s->broken;
    *fault = s->fault;
    session_flush(s);
    session_leave(s);
    return error;
}

static struct request *live_by_way(const struct mcp_session *s, const struct mcp_way *way)
{
    for (struct list *n = s->requests.live.next; n != &s->requests.live; n = n->next) {
        struct request *r = CONTAINER_OF(n, struct request, node);
        if (r->way == way)
            return r;
    }
    return NULL;
}

/* What the way was to tell is told to nobody, and not counted for it any more. */
static void leave_way(struct mcp_session *s, struct request *r)
{
    if (r->batch)
        batch_drop(r->batch);
    r->way->in_flight--;
    r->way = &s->own;
    r->way->in_flight++;
}

/* Requests that have not ended would be answered by ways that may be gone by then. */
static void forget_way(struct mcp_session *s, struct list *requests, const struct mcp_way *way)
{
    for (struct list *n = requests->next; n != requests; n = n->next) {
        struct request *r = CONTAINER_OF(n, struct request, node);
        if (r->way == way || !way)
            leave_way(s, r);
    }
}

void mcp_session_drop_way(struct mcp_session *s, struct mcp_way *way)
{
    struct request *r;
    session_enter(s);
    list_remove(&way->unflushed); /* a call that ends here and now flushes what waits for that */
    while ((r = live_by_way(s, way))) {
        leave_way(s, r);
        call_cancel(s, r);
    }
    forget_way(s, &s->requests.ending, way);
    session_leave(s);
}

const char *mcp_session_negotiated(const struct mcp_session *s)
{
    return s->negotiated;
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

void mcp_session_free(struct mcp_session *s, void (*on_freed)(void *context), void *context)
{
    assert(!s->freed);
    session_enter(s);
    s->freed = true;
    s->on_freed = on_freed;
    s->freed_context = context;
    subscriptions_fini(s);
    forget_way(s, &s->requests.live, NULL);
    forget_way(s, &s->requests.ending, NULL);
    while (list_shift(&s->unflushed))
        ;
    while (!list_empty(&s->requests.live))
        call_cancel(s, CONTAINER_OF(s->requests.live.next, struct request, node));
    session_leave(s);
}
