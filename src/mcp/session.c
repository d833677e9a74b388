/* One client: its life, and the ways by which it is answered. Its lines are in session_lines.c.
 *
 * Tools may end calls, and the owner may free the session, from within almost any call: each
 * function that may lead there holds the session (session_enter, session_leave), which goes when it
 * was freed, nothing is in flight and nobody holds it. While lines are taken up, flushing and news
 * of room wait until the end. */
#include "batch.h"
#include "call.h"
#include "dispatch.h"
#include "session_state.h"

#include <assert.h>
#include <stdlib.h>

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

void session_flush(struct mcp_session *s)
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

uint32_t mcp_session_in_flight(const struct mcp_session *s)
{
    return s->in_flight;
}

void mcp_session_on_room(struct mcp_session *s, void (*on_room)(void *context), void *context)
{
    s->on_room = on_room;
    s->room_context = context;
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
