/* A client's life.
 *
 *   GREETING --first bytes (client_greet.c)--> SERVING
 *   SERVING --end of its input, over-long line, drain--> DRAINING --all answered and sent-->
 * CLOSING
 *      \-------------------------- broken, closed ----------------------------------------/
 *
 * Reading pauses while the session takes no more input. A client that half-closes gets the answers
 * it still waits for; one that has closed gets none, and what it had under way is cancelled. The
 * memory goes when both the session and the stream have ended. */
#include "client_state.h"

#include "scout/base/time.h"
#include <poll.h>
#include <stdlib.h>

/* Bytes that may wait for all clients; those who take what they asked for do not notice. */
#define CLIENTS_OUT_MAX (UINT64_C(256) * 1024 * 1024)
#define CLIENT_LOOK_MS  100 /* between two looks whether a client that is not read has gone */

struct client *client_of(struct list *node)
{
    return CONTAINER_OF(node, struct client, node);
}

/* ---- the sink ---- */

static struct buf *sink_out(void *context)
{
    return stream_out(&((struct client *)context)->stream);
}

static void sink_flush(void *context)
{
    stream_flush(&((struct client *)context)->stream);
}

static size_t sink_pending(void *context)
{
    return stream_pending(&((struct client *)context)->stream);
}

static bool sink_crowded(void *context, size_t more)
{
    struct client *c = context;
    stream_tally(&c->stream); /* the others have been flushed */
    return stream_pending(&c->stream) + more > MCP_OUT_HIGH &&
           c->owner->unsent.bytes + more > CLIENTS_OUT_MAX;
}

/* ---- the end ---- */

static void free_if_gone(struct client *c)
{
    if (!c->stream_gone || !c->session_gone)
        return;
    struct client_owner *owner = c->owner;
    io_task_cancel(&c->task);
    list_remove(&c->node);
    if (c->agent)
        handed_agent_drop(c->agent);
    owner->count--;
    free(c);
    owner->on_gone(owner);
}

static void on_session_freed(void *context)
{
    struct client *c = context;
    c->session_gone = true;
    free_if_gone(c);
}

static void on_stream_closed(struct stream *s)
{
    struct client *c = CONTAINER_OF(s, struct client, stream);
    c->stream_gone = true;
    free_if_gone(c);
}

static void on_file_closed(struct io_file *file)
{
    struct client *c = CONTAINER_OF(file, struct client, file);
    c->stream_gone = true;
    free_if_gone(c);
}

void client_close(struct client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    if (c->greeting) {
        io_close(&c->file, on_file_closed);
    } else {
        io_timer_stop(c->stream.file.io, &c->look);
        stream_close(&c->stream);
    }
    mcp_session_free(c->session, on_session_freed, c);
}

static void close_if_drained(struct client *c)
{
    if (c->draining && !c->closing)
        mcp_session_end_lasting(c->session);
    if (c->draining && !c->closing && mcp_session_in_flight(c->session) == 0 &&
        stream_pending(&c->stream) == 0)
        client_close(c);
}

void client_drain(struct client *c)
{
    c->draining = true;
    if (c->greeting) {
        client_close(c); /* it has not asked for anything */
        return;
    }
    stream_pause(&c->stream);
    close_if_drained(c);
}

void client_end_calls(struct client *c)
{
    if (c->closing || c->greeting)
        return;
    mcp_session_end_calls(c->session);
    close_if_drained(c);
}

static void on_task(struct io_task *task);

/* ---- input ---- */

static void watch_hangup(struct client *c);

static void on_look(struct io_timer *timer)
{
    struct client *c = CONTAINER_OF(timer, struct client, look);
    struct pollfd peer = {c->stream.file.fd, 0, 0};
    if (poll(&peer, 1, 0) == 1 && peer.revents & (POLLHUP | POLLERR))
        client_close(c);
    else if (c->stream.ended || c->stream.paused)
        watch_hangup(c);
}

/* Nobody reads now who would notice that the client has gone. The ring cannot wait for it: its poll
 * is told of the half-close, over and over. */
static void watch_hangup(struct client *c)
{
    struct io *io = c->stream.file.io;
    if (!c->closing)
        io_timer_start(io, &c->look, io_now(io) + CLIENT_LOOK_MS * (uint64_t)NS_PER_MS, on_look);
}

static void after_input(struct client *c, int error)
{
    if (error) {
        client_drain(c); /* what was written, the error included, still goes out */
        return;
    }
    if (c->draining || c->stream.ended) {
        close_if_drained(c);
    } else if (mcp_session_wants_input(c->session)) {
        stream_resume(&c->stream);
    } else {
        stream_pause(&c->stream);
        watch_hangup(c);
    }
}

static void on_data(struct stream *s, struct slice data)
{
    struct client *c = CONTAINER_OF(s, struct client, stream);
    if (!c->closing && !c->draining)
        after_input(c, mcp_session_feed(c->session, data));
}

static void on_end(struct stream *s, int error)
{
    struct client *c = CONTAINER_OF(s, struct client, stream);
    if (error) {
        client_close(c);
        return;
    }
    /* Lines that are kept for want of room are still to be answered. */
    c->draining = true;
    watch_hangup(c);
    io_defer(s->file.io, &c->task, on_task);
}

/* Kept input goes on here and not from within the call that made room. */
static void on_task(struct io_task *task)
{
    struct client *c = CONTAINER_OF(task, struct client, task);
    if (!c->closing)
        after_input(c, mcp_session_continue(c->session));
}

static void on_drain(struct stream *s)
{
    struct client *c = CONTAINER_OF(s, struct client, stream);
    if (!c->closing)
        io_defer(s->file.io, &c->task, on_task);
}

static void on_room(void *context)
{
    struct client *c = context;
    if (!c->closing)
        io_defer(c->stream.file.io, &c->task, on_task);
}

static const struct stream_events events = {on_data, on_end, on_drain, on_stream_closed};

/* ---- the beginning ---- */

void client_begin(struct client *c, struct slice bytes)
{
    stream_init_file(&c->stream, &c->file, MCP_OUT_MAX, &events);
    stream_count(&c->stream, &c->owner->unsent);
    stream_drain_late(&c->stream);
    c->greeting = false;
    if (bytes.len > 0)
        after_input(c, mcp_session_feed(c->session, bytes));
    else
        stream_resume(&c->stream);
}

uint32_t clients_by_door(const struct client_owner *owner, const struct door *door)
{
    uint32_t count = 0;
    for (struct list *n = owner->clients.next; n != &owner->clients; n = n->next)
        count += CONTAINER_OF(n, struct client, node)->door == door;
    return count;
}

void client_refresh(struct client *c)
{
    if (!c->token.name[0]) {
        c->identity.role = c->door->role;
        return;
    }
    const struct token *now = tokens_same(c->owner->tokens, &c->token);
    if (now)
        c->identity.role = now->role;
    else
        client_close(c);
}

int client_open(struct client_owner *owner, struct io *io, int fd, const struct door *door,
                const struct identity *identity)
{
    struct client *c = calloc(1, sizeof *c);
    const struct mcp_sink sink = {sink_out, sink_flush, sink_pending, sink_crowded, c, false};
    struct mcp_config mcp = owner->mcp;
    if (c) {
        c->owner = owner;
        c->door = door;
        c->identity = *identity;
        c->identity.client = ++owner->opened;
        mcp.identity = &c->identity;
    }
    if (!c || mcp_session_new(&c->session, &mcp, &sink) != 0) {
        free(c);
        io_discard(io, fd);
        return SCOUT_E_NOMEM;
    }
    list_init(&c->node);
    list_append(&owner->clients, &c->node);
    owner->count++;
    io_task_init(&c->task);
    io_timer_init(&c->look);
    c->greeting = true;
    io_op_init(&c->first);
    io_file_adopt(io, &c->file, fd);
    mcp_session_on_room(c->session, on_room, c);
    io_poll(&c->file, &c->first, POLLIN, client_on_greeting);
    return 0;
}
