/* A connection's life: requests one after another, each answered before the next is looked at.
 *
 *     IDLE --bytes--> READING --whole--> ANSWERING --answered--> IDLE
 *       \ idle time      \ 408, refused     \ stalled   \ the last one
 *        \                `------------------ + --------> FINISHED --sent--> LINGERING
 *         `------------------------------------`-------------------------> CLOSING
 *
 * What comes while a request is being answered is kept; from KEPT_HIGH bytes on reading stops.
 * The peer's end of input is its end: a client that closes its response's connection does not want
 * it any more (MCP, "Streamable HTTP", cancellation), and nothing tells that from a half-close. */
#include "http_state.h"

#include "scout/base/container.h"
#include <stdlib.h>

#define KEPT_HIGH (32u * 1024u)
#define KEPT_MAX                                                                                   \
    (8u * 1024u * 1024u) /* with what was under way when reading stopped: all 4 MiB of the ring */
#define LINGER_MS 2000

static void feed(struct http_connection *c, struct slice data);
static void wait_ms(struct http_connection *c, uint64_t ms);

struct buf *http_connection_out(struct http_connection *c)
{
    return c->secure ? &c->secure->plain : stream_out(&c->stream);
}

void http_connection_flush(struct http_connection *c)
{
    if (c->secure)
        http_secure_flush(c);
    else
        stream_flush(&c->stream);
}

size_t http_connection_pending(const struct http_connection *c)
{
    return stream_pending(&c->stream) + (c->secure ? buf_len(&c->secure->plain) : 0);
}

/* ---- the end ---- */

static void on_closed(struct stream *stream)
{
    struct http_connection *c = CONTAINER_OF(stream, struct http_connection, stream);
    struct http_endpoint *e = c->endpoint;
    io_task_cancel(&c->task);
    http_reader_fini(&c->reader);
    buf_fini(&c->kept);
    list_remove(&c->node);
    address_counts_leave(&e->addresses, c->of_address);
    free(c);
    e->connection_count--;
    e->config.stats->open--;
    http_endpoint_release(e);
}

void http_connection_close(struct http_connection *c)
{
    if (c->closing)
        return;
    c->closing = true;
    io_timer_stop(c->endpoint->config.io, &c->timer);
    io_timer_stop(c->endpoint->config.io, &c->expiry);
    http_session_unlisten(c);
    if (c->exchange)
        http_exchange_detach(c->exchange);
    c->exchange = NULL;
    http_secure_close(c);
    stream_close(&c->stream);
}

/* What came behind the last request is read and dropped for a while: closing with bytes unread
 * would reset the connection, and the client might lose its answer. */
static void close_if_drained(struct http_connection *c)
{
    if (!c->finished || c->lingering || c->closing || http_connection_pending(c) > 0)
        return;
    if (c->secure && http_secure_end(c))
        return; /* that has to go first */
    c->lingering = true;
    io_shutdown_send(&c->stream.file);
    stream_resume(&c->stream);
    wait_ms(c, LINGER_MS);
}

void http_connection_drain(struct http_connection *c)
{
    c->last = true;
    if (c->listening && c->answering) {
        http_events_end(c); /* a stream of news would not end by itself */
        http_connection_answered(c);
    } else if (!c->answering && http_reader_is_idle(&c->reader)) {
        c->finished = true;
        close_if_drained(c);
    }
}

/* ---- time ---- */

static void on_timer(struct io_timer *timer);

static void wait_ms(struct http_connection *c, uint64_t ms)
{
    struct io *io = c->endpoint->config.io;
    io_timer_start(io, &c->timer, io_now(io) + ms * NS_PER_MS, on_timer);
}

/* It has taken all that there is, or some of it. */
static void moved(struct http_connection *c)
{
    c->sent = c->stream.sent;
    c->moved_ns = io_now(c->endpoint->config.io);
}

static bool stalls(struct http_connection *c)
{
    if (http_connection_pending(c) == 0 || c->sent != c->stream.sent)
        moved(c);
    return io_now(c->endpoint->config.io) - c->moved_ns >= HTTP_STALL_TIME_MS * (uint64_t)NS_PER_MS;
}

/* A look at a connection that is being answered, or that has its last answer. */
static void watch(struct http_connection *c)
{
    if (c->lingering || stalls(c))
        http_connection_close(c);
    else if (c->listening)
        http_events_keepalive(c);
    if (!c->closing)
        wait_ms(c, c->listening ? HTTP_KEEPALIVE_MS : HTTP_STALL_TIME_MS);
}

static void on_timer(struct io_timer *timer)
{
    struct http_connection *c = CONTAINER_OF(timer, struct http_connection, timer);
    if (c->answering || c->finished) {
        watch(c);
    } else if (http_reader_is_idle(&c->reader)) {
        http_connection_close(c);
    } else {
        c->last = true;
        http_respond_error(c, 408, "The request took too long");
    }
}

/* ---- requests ---- */

/* A client that does not take its answers gets no further ones made. */
static bool may_take(const struct http_connection *c)
{
    size_t most = http_endpoint_is_crowded(c->endpoint, 0) ? HTTP_CROWDED_MAX : MCP_OUT_HIGH;
    return !c->closing && !c->answering && !c->finished && http_connection_pending(c) < most;
}

static void keep(struct http_connection *c, struct slice data)
{
    if (c->last || data.len == 0)
        return; /* nothing that comes behind the last request counts */
    if (buf_append(&c->kept, data) != 0)
        http_connection_close(c);
    else if (buf_len(&c->kept) >= KEPT_HIGH)
        stream_pause(&c->stream);
}

static void on_task(struct io_task *task)
{
    struct http_connection *c = CONTAINER_OF(task, struct http_connection, task);
    if (c->closing || c->answering)
        return;
    struct buf kept = c->kept;
    buf_init(&c->kept, KEPT_MAX);
    feed(c, buf_peek(&kept));
    buf_fini(&kept);
    if (may_take(c))
        stream_resume(&c->stream);
}

void http_connection_answered(struct http_connection *c)
{
    struct io *io = c->endpoint->config.io;
    if (c->closing)
        return;
    if (c->answering)
        histogram_add(&c->endpoint->config.stats->request_times, io_now(io) - c->since_ns);
    c->answering = false;
    io_timer_stop(io, &c->expiry);
    http_session_unlisten(c);
    moved(c);
    c->finished = c->last;
    wait_ms(c, c->last ? HTTP_STALL_TIME_MS : HTTP_IDLE_TIME_MS);
    if (!c->last)
        http_reader_next(&c->reader);
    if (!c->feeding)
        io_defer(io, &c->task, on_task);
}

/* What is refused before its body came is the connection's last: the body would be taken for a
 * request. */
static void on_head(struct http_connection *c)
{
    const struct http_request *q = &c->reader.request;
    bool has_body = q->chunked || q->content_length > 0;
    c->endpoint->config.stats->requests++;
    c->last = true;
    if (has_body && !http_route_head(c))
        return;
    c->last = q->close || c->endpoint->draining || http_secure_is_stale(c);
    if (!q->expect_continue || !has_body)
        return;
    if (buf_append_str(http_connection_out(c), "HTTP/1.1 100 Continue\r\n\r\n") != 0)
        http_connection_close(c);
    else
        http_connection_flush(c);
}

static void on_whole(struct http_connection *c)
{
    const struct http_request *q = &c->reader.request;
    bool has_body = q->chunked || q->content_length > 0;
    c->answering = true;
    c->since_ns = io_now(c->endpoint->config.io);
    moved(c);
    wait_ms(c, HTTP_STALL_TIME_MS);
    if (has_body || http_route_head(c))
        http_route_whole(c);
    if (c->listening)
        wait_ms(c, HTTP_KEEPALIVE_MS);
    if (c->answering && !c->closing)
        http_connection_watch_expiry(c);
}

/* Takes up requests as long as each is answered at once. What is left of `data` is kept. */
static void feed(struct http_connection *c, struct slice data)
{
    bool more = true;
    c->feeding = true;
    while (more && may_take(c)) {
        bool was_idle = http_reader_is_idle(&c->reader);
        enum http_event event = http_reader_feed(&c->reader, &data);
        if (was_idle && !http_reader_is_idle(&c->reader))
            wait_ms(c, HTTP_REQUEST_TIME_MS);
        more = event != HTTP_MORE;
        if (event == HTTP_HEAD) {
            on_head(c);
        } else if (event == HTTP_WHOLE) {
            on_whole(c);
        } else if (event == HTTP_REFUSED) {
            c->last = true;
            http_respond_error(c, c->reader.status, c->reader.why);
        }
    }
    c->feeding = false;
    if (!c->closing && !c->finished)
        keep(c, data);
    close_if_drained(c);
}

void http_connection_take(struct http_connection *c, struct slice data)
{
    if (c->closing || c->finished)
        return;
    if (c->answering || buf_len(&c->kept) > 0)
        keep(c, data);
    else
        feed(c, data);
}

void http_connection_ready(struct http_connection *c)
{
    if (!c->finished)
        wait_ms(c, HTTP_IDLE_TIME_MS);
}

void http_connection_finish(struct http_connection *c)
{
    c->last = c->finished = true;
    wait_ms(c, HTTP_STALL_TIME_MS);
    close_if_drained(c);
}

static void on_data(struct stream *stream, struct slice data)
{
    struct http_connection *c = CONTAINER_OF(stream, struct http_connection, stream);
    if (c->closing || c->finished)
        return;
    if (c->secure)
        http_secure_input(c, data);
    else
        http_connection_take(c, data);
}

static void on_end(struct stream *stream, int error)
{
    (void)error;
    http_connection_close(CONTAINER_OF(stream, struct http_connection, stream));
}

static void on_drain(struct stream *stream)
{
    struct http_connection *c = CONTAINER_OF(stream, struct http_connection, stream);
    if (buf_len(&c->kept) > 0 && may_take(c))
        io_defer(c->endpoint->config.io, &c->task, on_task);
    close_if_drained(c);
}

static const struct stream_events events = {on_data, on_end, on_drain, on_closed};

int http_connection_open(struct http_endpoint *e, int fd, const struct address *peer, uint32_t most)
{
    struct http_connection *c = calloc(1, sizeof *c);
    int refused =
        c ? address_counts_enter(&e->addresses, peer, most, &c->of_address) : SCOUT_E_NOMEM;
    if (refused) {
        free(c);
        return refused;
    }
    c->endpoint = e;
    c->peer = *peer;
    c->number = ++*e->config.clients;
    c->since_ns = io_now(e->config.io);
    list_init(&c->node);
    list_append(&e->connections, &c->node);
    http_reader_init(&c->reader, HTTP_BODY_MAX);
    buf_init(&c->kept, KEPT_MAX);
    io_timer_init(&c->timer);
    io_timer_init(&c->expiry);
    io_task_init(&c->task);
    stream_init(&c->stream, e->config.io, fd, HTTP_OUT_MAX, &events);
    stream_count(&c->stream, &e->config.stats->unsent);
    io_file_tune(&c->stream.file);
    int error = e->tls ? http_secure_open(c) : 0;
    e->connection_count++;
    e->config.stats->open++;
    wait_ms(c, HTTP_REQUEST_TIME_MS);
    if (error)
        http_connection_close(c);
    else
        stream_resume(&c->stream);
    return 0;
}
