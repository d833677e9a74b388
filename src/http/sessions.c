/* Sessions of the revisions that have them: from `initialize` to DELETE, or until nobody has used
 * one for a while. An id is 128 random bits; it counts only together with the identity that began
 * the session, and knowing it is no permission.
 *
 * What the server says outside of an answer goes to the one connection that listens; while there is
 * none, it is kept as far as the stream's bound goes, and told when somebody asks for it. */
#include "http_state.h"

#include "scout/base/container.h"
#include <stdlib.h>

#define PRIMED_SINCE "2025-11-25" /* revisions from then on know events without data */

static struct list *bucket_of(struct http_endpoint *e, struct slice id)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ id.data[i]) * 16777619u;
    return &e->buckets[(hash ^ hash >> 16) % HTTP_BUCKETS];
}

static void make_id(struct io *io, char out[HTTP_SESSION_ID_LEN + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t random[HTTP_SESSION_ID_LEN];
    io_random(io, random, sizeof random);
    for (size_t i = 0; i < HTTP_SESSION_ID_LEN; i++)
        out[i] = digits[random[i] & 63];
    out[HTTP_SESSION_ID_LEN] = '\0';
}

static bool is_idle(const struct http_session *s)
{
    return list_empty(&s->exchanges) && !s->listener;
}

static void on_expiry(struct io_timer *timer)
{
    struct http_session *s = CONTAINER_OF(timer, struct http_session, expiry);
    if (is_idle(s))
        http_session_end(s);
    else
        http_session_touch(s);
}

bool http_session_is_primed(const struct http_session *s)
{
    return strcmp(mcp_session_negotiated(s->seat->mcp), PRIMED_SINCE) >= 0;
}

void http_session_touch(struct http_session *s)
{
    struct io *io = s->endpoint->config.io;
    io_timer_start(io, &s->expiry, io_now(io) + HTTP_SESSION_IDLE_MS * (uint64_t)NS_PER_MS,
                   on_expiry);
    list_remove(&s->of_all);
    list_append(&s->endpoint->sessions, &s->of_all);
}

/* Whether that name may have one more. Clients that crash never say DELETE. */
static bool make_room(struct http_endpoint *e, const char *name)
{
    uint32_t count = 0;
    struct http_session *idle = NULL;
    if (e->session_count < HTTP_NAME_SESSIONS_MAX)
        return true;
    for (struct list *n = e->sessions.next; n != &e->sessions; n = n->next) {
        struct http_session *s = CONTAINER_OF(n, struct http_session, of_all);
        if (strcmp(s->seat->identity.name, name) != 0)
            continue;
        count++;
        if (!idle && is_idle(s))
            idle = s;
    }
    if (count < HTTP_NAME_SESSIONS_MAX)
        return e->session_count < HTTP_SESSIONS_MAX;
    if (idle)
        http_session_end(idle);
    return idle;
}

struct http_session *http_session_new(struct http_endpoint *e, struct http_seat *seat)
{
    struct http_session *s = make_room(e, seat->identity.name) ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return NULL;
    s->endpoint = e;
    s->seat = seat;
    seat->session = s;
    make_id(e->config.io, s->id);
    list_init(&s->node);
    list_init(&s->of_all);
    list_init(&s->exchanges);
    list_init(&s->streams);
    io_timer_init(&s->expiry);
    list_append(bucket_of(e, slice_str(s->id)), &s->node);
    e->session_count++;
    e->config.stats->sessions++;
    http_session_touch(s);
    return s;
}

struct http_session *http_session_find(struct http_endpoint *e, struct slice id,
                                       const struct identity *identity)
{
    const struct list *bucket = bucket_of(e, id);
    for (struct list *n = bucket->next; n != bucket; n = n->next) {
        struct http_session *s = CONTAINER_OF(n, struct http_session, node);
        if (slice_is(id, s->id) && strcmp(s->seat->identity.name, identity->name) == 0)
            return s;
    }
    return NULL;
}

void http_session_end(struct http_session *s)
{
    struct http_endpoint *e = s->endpoint;
    struct list exchanges;
    list_init(&exchanges);
    list_splice(&exchanges, &s->exchanges);
    io_timer_stop(e->config.io, &s->expiry);
    http_seat_free(s->seat);
    if (s->listener) {
        struct http_connection *c = s->listener;
        c->listening = NULL;
        c->last = true;
        http_events_end(c);
        http_connection_answered(c);
    }
    for (struct list *n; (n = list_shift(&exchanges));) {
        struct http_exchange *x = CONTAINER_OF(n, struct http_exchange, node);
        x->session = NULL;
        http_exchange_abort(x);
    }
    http_events_free(s);
    list_remove(&s->node);
    list_remove(&s->of_all);
    free(s);
    e->session_count--;
    e->config.stats->sessions--;
}

/* ---- news ---- */

/* The stream of news is the one that was made first. */
static uint64_t news_stream(struct http_session *s)
{
    if (!s->news)
        s->news = http_events_stream(s);
    return s->news;
}

void http_session_news(struct http_session *s)
{
    struct slice rest = buf_peek(&s->seat->news);
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        http_events_send(s->listener, s, news_stream(s), slice_of(rest.data, len));
        rest = slice_skip(rest, len + (end ? 1 : 0));
    }
}

void http_session_unlisten(struct http_connection *c)
{
    struct http_session *s = c->listening;
    c->listening = NULL;
    if (s)
        s->listener = NULL;
}

/* A newer listener takes the place of an older one, which may be a connection that is long dead. */
static void listen_news(struct http_session *s, struct http_connection *c)
{
    struct http_connection *old = s->listener;
    if (old) {
        http_session_unlisten(old);
        http_events_end(old);
        http_connection_answered(old);
    }
    s->listener = c;
    c->listening = s;
}

static struct http_exchange *exchange_of(struct http_session *s, uint64_t stream)
{
    for (struct list *n = s->exchanges.next; n != &s->exchanges; n = n->next) {
        struct http_exchange *x = CONTAINER_OF(n, struct http_exchange, node);
        if (x->stream == stream)
            return x;
    }
    return NULL;
}

/* The connection that it had may have been dead for long, unknown to this side. */
static void take_over(struct http_exchange *x, struct http_connection *c)
{
    struct http_connection *old = x->connection;
    if (c->exchange)
        http_exchange_detach(c->exchange);
    c->exchange = x;
    x->connection = c;
    if (!old)
        return;
    old->exchange = NULL;
    http_connection_close(old);
}

/* Goes on with a stream behind the event that the client has seen last. */
static void resume(struct http_session *s, struct http_connection *c, struct slice last)
{
    struct http_stream *stream;
    if (http_endpoint_is_crowded(s->endpoint, 0)) {
        s->endpoint->config.stats->crowded++;
        http_respond_error(c, 503, "Too much waits to be sent");
        return;
    }
    if (!http_events_find(s, last, &stream)) {
        http_respond_error(c, 404, "The events behind Last-Event-ID are not kept any more");
        return;
    }
    http_events_begin(c);
    http_events_replay(stream, c, last);
    struct http_exchange *x = exchange_of(s, stream->number);
    if (c->closing)
        return;
    if (stream->number == s->news) {
        listen_news(s, c);
    } else if (stream->ended || !x) {
        http_events_end(c);
        http_connection_answered(c);
    } else {
        take_over(x, c);
    }
}

void http_session_listen(struct http_session *s, struct http_connection *c)
{
    struct slice value;
    const struct http_request *q = &c->reader.request;
    if (!http_request_header(q, "accept", &value) || !http_list_has(value, "text/event-stream")) {
        http_respond_error(c, 406, "A GET gives text/event-stream");
        return;
    }
    if (http_request_header(q, "last-event-id", &value)) {
        resume(s, c, value);
        return;
    }
    listen_news(s, c);
    http_events_begin(c);
    if (!c->closing && http_session_is_primed(s))
        http_events_send(c, s, news_stream(s), slice_of(NULL, 0));
}
