/* The fixtures on a Unix socket, one message a line: what `scout mcp` moves bytes to and from.
 *
 * As the daemon's clients, without all that is about who they are. A client goes with its stream
 * and its session, whichever ends last. */
#include "lines.h"

#include "scout/net/stream.h"
#include <stdlib.h>

struct line_client {
    struct stream stream;
    struct mcp_session *session;
    struct io_task task;
    bool stream_gone, session_gone, closing;
};

static void free_if_gone(struct line_client *c)
{
    if (!c->stream_gone || !c->session_gone)
        return;
    io_task_cancel(&c->task);
    free(c);
}

static void on_session_freed(void *context)
{
    struct line_client *c = context;
    c->session_gone = true;
    free_if_gone(c);
}

static void on_closed(struct stream *s)
{
    struct line_client *c = CONTAINER_OF(s, struct line_client, stream);
    c->stream_gone = true;
    free_if_gone(c);
}

static void close_client(struct line_client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    stream_close(&c->stream);
    mcp_session_free(c->session, on_session_freed, c);
}

static void after_input(struct line_client *c, int error)
{
    if (error)
        close_client(c);
    else if (mcp_session_wants_input(c->session))
        stream_resume(&c->stream);
    else
        stream_pause(&c->stream);
}

static void on_data(struct stream *s, struct slice data)
{
    struct line_client *c = CONTAINER_OF(s, struct line_client, stream);
    if (!c->closing)
        after_input(c, mcp_session_feed(c->session, data));
}

static void on_end(struct stream *s, int error)
{
    (void)error;
    close_client(CONTAINER_OF(s, struct line_client, stream));
}

static void on_task(struct io_task *task)
{
    struct line_client *c = CONTAINER_OF(task, struct line_client, task);
    if (!c->closing)
        after_input(c, mcp_session_continue(c->session));
}

static void on_room(void *context)
{
    struct line_client *c = context;
    if (!c->closing)
        io_defer(c->stream.file.io, &c->task, on_task);
}

static void on_drain(struct stream *s)
{
    on_room(CONTAINER_OF(s, struct line_client, stream));
}

static struct buf *out(void *context)
{
    return stream_out(&((struct line_client *)context)->stream);
}

static void flush(void *context)
{
    stream_flush(&((struct line_client *)context)->stream);
}

static size_t pending(void *context)
{
    return stream_pending(&((struct line_client *)context)->stream);
}

void lines_accept(struct io *io, int fd, const struct mcp_config *mcp)
{
    static const struct stream_events events = {on_data, on_end, on_drain, on_closed};
    static const struct identity suite = {.name = "suite", .role = ROLE_OPERATOR};
    struct line_client *c = calloc(1, sizeof *c);
    struct mcp_config config = *mcp;
    const struct mcp_sink sink = {out, flush, pending, NULL, c, false};
    config.identity = &suite;
    if (!c || mcp_session_new(&c->session, &config, &sink) != 0) {
        free(c);
        io_discard(io, fd);
        return;
    }
    io_task_init(&c->task);
    mcp_session_on_room(c->session, on_room, c);
    stream_init(&c->stream, io, fd, MCP_OUT_MAX, &events);
    stream_drain_late(&c->stream);
    stream_resume(&c->stream);
}
