/* One message of a client, and its answer.
 *
 * What the dispatcher writes for it are lines, gathered in `lines`. When the answer is all there
 * is, it becomes a JSON body with the status that fits it. When something comes before it
 * (progress, a question), or when it takes longer than HTTP_KEEPALIVE_MS, and the client takes
 * events, the response becomes a stream of events that ends with the answer. Without events, only
 * the answer counts.
 *
 * A client that goes away cancels its message, unless that belongs to a session of the older
 * revisions: there "disconnection is not cancellation", the work goes on, and its events can be
 * asked for again. */
#include "http_state.h"

#include "scout/base/container.h"
#include <stdlib.h>

static void progress(struct http_exchange *x);
static void on_keepalive(struct io_timer *timer);

/* ---- the way ---- */

static struct buf *way_out(void *context)
{
    return &((struct http_exchange *)context)->lines;
}

static void way_flush(void *context)
{
    progress(context);
}

static size_t way_pending(void *context)
{
    const struct http_exchange *x = context;
    return buf_len(&x->lines) + (x->connection ? http_connection_pending(x->connection) : 0);
}

/* Lines that wait here are not among what waits for all yet. */
static bool way_crowded(void *context, size_t more)
{
    struct http_exchange *x = context;
    size_t own = way_pending(x) + more, lines = buf_len(&x->lines) + more;
    if (own <= HTTP_CROWDED_MAX || !http_endpoint_is_crowded(x->endpoint, lines))
        return false;
    x->endpoint->config.stats->crowded++;
    x->crowded = true;
    return true;
}

/* ---- life ---- */

static struct http_exchange *exchange_new(struct http_connection *c)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    const struct mcp_sink sink = {way_out, way_flush, way_pending, way_crowded, x, true};
    x->endpoint = c->endpoint;
    x->connection = c;
    mcp_way_init(&x->way, &sink);
    buf_init(&x->lines, MCP_OUT_MAX);
    list_init(&x->node);
    list_init(&x->of_all);
    list_append(&c->endpoint->exchanges, &x->of_all);
    io_timer_init(&x->keepalive);
    c->endpoint->exchange_count++;
    return x;
}

void http_exchange_free(struct http_exchange *x)
{
    struct http_endpoint *e = x->endpoint;
    io_timer_stop(e->config.io, &x->keepalive);
    if (x->running && x->seat)
        mcp_session_drop_way(x->seat->mcp, &x->way);
    if (x->own)
        http_seat_free(x->own);
    list_remove(&x->node);
    list_remove(&x->of_all);
    buf_fini(&x->lines);
    free(x);
    e->exchange_count--;
    http_endpoint_release(e);
}

void http_exchange_detach(struct http_exchange *x)
{
    x->connection = NULL;
    if (!x->busy && (!x->running || !x->session))
        http_exchange_free(x);
}

/* The client learns that there will be no answer, in the form in which it waits for one. */
static void part(struct http_exchange *x, int status, const char *why)
{
    struct http_connection *c = x->connection;
    x->connection = NULL;
    c->exchange = NULL;
    c->last = true;
    c->admission.challenge = "Bearer error=\"invalid_token\"";
    if (!x->streaming) {
        http_respond_error(c, status, why);
    } else {
        http_events_end(c);
        http_connection_answered(c);
    }
}

void http_exchange_expel(struct http_exchange *x)
{
    x->connection->last = true;
    if (x->own && x->seat == x->own)
        mcp_session_end_lasting(x->own->mcp);
    if (!x->running || !x->connection)
        return; /* that was its end */
    part(x, 401, "The token does not hold any more");
    http_exchange_detach(x);
}

void http_exchange_abort(struct http_exchange *x)
{
    x->seat = NULL; /* it is gone, and forgets its ways by itself */
    if (x->connection)
        part(x, 404, "The session has ended");
    http_exchange_free(x);
}

/* ---- the answer ---- */

static int status_of(const struct http_exchange *x)
{
    switch (x->fault.code) {
    case 0:
        return 200;
    case -32700:
    case -32600:
    case -32020:
    case -32021:
    case -32022:
        return 400;
    case -32601:
        return x->modern ? 404 : 200;
    case -32602:
        return x->fault.envelope ? 400 : 200;
    default:
        return 200;
    }
}

/* The first line that waits, without its end. */
static struct slice first_line(const struct http_exchange *x)
{
    struct slice lines = buf_peek(&x->lines);
    const uint8_t *end = lines.len ? memchr(lines.data, '\n', lines.len) : NULL;
    return slice_of(lines.data, end ? (size_t)(end - lines.data) : lines.len);
}

static void begin_stream(struct http_exchange *x)
{
    x->streaming = true;
    if (x->session && x->connection)
        x->stream = http_events_stream(x->session);
    if (x->connection)
        http_events_begin(x->connection);
    if (x->connection && x->stream && http_session_is_primed(x->session))
        http_events_send(x->connection, x->session, x->stream, slice_of(NULL, 0));
}

static void send_lines(struct http_exchange *x)
{
    while (buf_len(&x->lines) > 0) {
        struct slice line = first_line(x);
        if (x->connection || x->stream)
            http_events_send(x->connection, x->session, x->stream, line);
        buf_consume(&x->lines, line.len + 1 <= buf_len(&x->lines) ? line.len + 1 : line.len);
    }
}

/* All that was said before the answer is left out. */
static void send_answer(struct http_exchange *x)
{
    struct http_response r = {.status = x->crowded ? 503 : status_of(x),
                              .type = "application/json",
                              .retry_after_s = x->crowded ? HTTP_CROWDED_RETRY_S : 0};
    struct slice line = first_line(x);
    while (line.len + 1 < buf_len(&x->lines)) {
        buf_consume(&x->lines, line.len + 1);
        line = first_line(x);
    }
    if (line.len == 0)
        r = (struct http_response){.status = 202};
    r.body = line;
    if (x->begins_session)
        r.session_id = x->session->id;
    http_respond(x->connection, &r);
}

static void finish(struct http_exchange *x)
{
    if (x->streaming && x->stream)
        http_events_stream_end(x->session, x->stream);
    if (x->streaming && x->connection)
        http_events_end(x->connection);
    x->running = false;
    x->seat = NULL;
    x->session = NULL;
    list_remove(&x->node);
    io_timer_stop(x->endpoint->config.io, &x->keepalive);
    buf_clear(&x->lines);
    if (x->connection)
        http_connection_answered(x->connection);
}

/* Writing to a connection may close it, which detaches the exchange: it goes here, and not from
 * within. True: it has gone. */
static bool leave(struct http_exchange *x)
{
    x->busy = false;
    if (x->connection || (x->running && x->session))
        return false;
    http_exchange_free(x);
    return true;
}

static bool has_more_than_answer(const struct http_exchange *x)
{
    return first_line(x).len + 1 < buf_len(&x->lines);
}

static void progress(struct http_exchange *x)
{
    if (x->processing || !x->running)
        return;
    bool done = x->way.in_flight == 0;
    if (!done && buf_len(&x->lines) == 0)
        return;
    x->busy = true;
    if (!x->streaming && x->takes_events && (!done || has_more_than_answer(x)))
        begin_stream(x);
    if (x->streaming)
        send_lines(x);
    else if (!done)
        buf_clear(&x->lines);
    else if (x->connection)
        send_answer(x);
    if (done)
        finish(x);
    leave(x);
}

static void on_keepalive(struct io_timer *timer)
{
    struct http_exchange *x = CONTAINER_OF(timer, struct http_exchange, keepalive);
    struct io *io = x->endpoint->config.io;
    x->busy = true;
    if (!x->streaming)
        begin_stream(x);
    if (x->connection)
        http_events_keepalive(x->connection);
    if (leave(x))
        return;
    io_timer_start(io, &x->keepalive, io_now(io) + HTTP_KEEPALIVE_MS * (uint64_t)NS_PER_MS,
                   on_keepalive);
}

/* ---- the message ---- */

static bool get_header(const void *context, const char *name, struct slice *value)
{
    return http_request_header(context, name, value);
}

/* `initialize` was answered without a session: one begins, with the seat that it was answered at.
 */
static bool begin_session(struct http_exchange *x)
{
    struct http_session *s = http_session_new(x->endpoint, x->own);
    if (!s)
        return false;
    x->own = NULL;
    x->session = s;
    x->begins_session = true;
    list_append(&s->exchanges, &x->node);
    return true;
}

/* Of a session, the connection that began it counts as the client. */
static bool take_seat(struct http_exchange *x, struct http_connection *c, struct http_session *s)
{
    x->session = s;
    c->admission.identity.client = s ? s->seat->identity.client : c->number;
    if (s) {
        x->seat = s->seat;
        s->seat->identity = c->admission.identity;
        s->seat->credential = c->admission.credential;
        list_append(&s->exchanges, &x->node);
        return true;
    }
    if (!x->own)
        x->own = http_seat_new(x->endpoint, &c->admission.identity);
    else
        x->own->identity = c->admission.identity;
    x->seat = x->own;
    if (x->own)
        x->own->credential = c->admission.credential;
    return x->own;
}

void http_exchange_start(struct http_connection *c, struct http_session *s)
{
    const struct http_request *q = &c->reader.request;
    struct io *io = c->endpoint->config.io;
    struct slice value;
    struct http_exchange *x = c->exchange ? c->exchange : (c->exchange = exchange_new(c));
    if (!x || !take_seat(x, c, s)) {
        http_respond_error(c, 503, "There is no memory for the request");
        return;
    }
    bool has_version = http_request_header(q, "mcp-protocol-version", &value);
    x->modern = has_version && !mcp_is_session_version(value);
    x->takes_events =
        http_request_header(q, "accept", &value) && http_list_has(value, "text/event-stream");
    x->streaming = x->begins_session = x->crowded = false;
    x->stream = 0;
    x->running = x->processing = true;
    const struct mcp_headers headers = {get_header, q};
    int error =
        mcp_session_message(x->seat->mcp, buf_peek(&c->reader.body), &headers, &x->way, &x->fault);
    x->processing = false;
    if (!error && !s && mcp_session_negotiated(x->own->mcp) && !begin_session(x))
        error = SCOUT_E_LIMIT;
    if (error) {
        c->last = true;
        buf_clear(&x->lines);
        c->exchange = NULL;
        x->connection = NULL;
        http_exchange_free(x);
        http_respond_error(c, 503, "The message could not be taken up");
        if (s)
            http_session_end(s); /* it takes no further message */
        return;
    }
    if (x->takes_events)
        io_timer_start(io, &x->keepalive, io_now(io) + HTTP_KEEPALIVE_MS * (uint64_t)NS_PER_MS,
                       on_keepalive);
    progress(x);
}
