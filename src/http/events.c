/* Server-sent events (WHATWG HTML, "Server-sent events"): one line of JSON-RPC is the data of one
 * event, and one chunk of the response.
 *
 * Events of a session have ids, `STREAM-NUMBER`, and are kept, STREAM_MAX bytes of each stream and
 * the last STREAMS_MAX streams, so that a client whose connection broke can ask for what came after
 * the last one that it saw. For all sessions together it is HTTP_KEPT_MAX bytes: beyond that the
 * stream that has been silent longest is forgotten, else whoever opens many sessions would take all
 * memory. A stream's first event has an id and nothing else, for clients that know that. */
#include "http_state.h"

#include "scout/base/container.h"
#include "scout/http/header_values.h"
#include <stdio.h>
#include <stdlib.h>

#define STREAM_MAX     (256u * 1024u)
#define STREAMS_MAX    16
#define EVENT_HEAD_MAX 64

struct event_record {
    uint64_t number;
    uint64_t len; /* of the line that follows */
};

void http_events_begin(struct http_connection *c)
{
    const struct http_response r = {.status = 200, .type = "text/event-stream", .events = true};
    http_respond(c, &r);
}

void http_events_end(struct http_connection *c)
{
    if (!c->closing)
        http_respond_chunks_end(c);
}

void http_events_keepalive(struct http_connection *c)
{
    if (!c->closing && http_connection_pending(c) == 0)
        http_respond_chunk(c, slice_str(":\n\n"), slice_of("", 0), slice_of("", 0));
}

static void send_event(struct http_connection *c, uint64_t stream, uint64_t number,
                       struct slice line)
{
    char head[EVENT_HEAD_MAX];
    int len = stream
                  ? snprintf(head, sizeof head, "id: %llu-%llu\ndata: ", (unsigned long long)stream,
                             (unsigned long long)number)
                  : snprintf(head, sizeof head, "data: ");
    if (!c->closing)
        http_respond_chunk(c, slice_of(head, (size_t)len), line, slice_str("\n\n"));
}

static struct http_stream *stream_find(const struct http_session *s, uint64_t number)
{
    for (struct list *n = s->streams.next; n != &s->streams; n = n->next) {
        struct http_stream *stream = CONTAINER_OF(n, struct http_stream, node);
        if (stream->number == number)
            return stream;
    }
    return NULL;
}

/* None of what was sent so far can be asked for any more. */
static void forget(struct http_endpoint *e, struct http_stream *stream)
{
    e->kept_bytes -= buf_len(&stream->events);
    buf_clear(&stream->events);
    stream->first = stream->next;
    list_remove(&stream->of_all);
}

/* Adds the event; older ones make room. One that is too large by itself is not kept, and what was
 * before it is forgotten, too: nobody shall be told a stream with a hole. */
static void append(struct http_stream *stream, struct slice line)
{
    const struct event_record record = {stream->next, line.len};
    size_t len = sizeof record + line.len;
    while (buf_len(&stream->events) > 0 && buf_room(&stream->events) < len) {
        struct event_record first;
        memcpy(&first, buf_peek(&stream->events).data, sizeof first);
        buf_consume(&stream->events, sizeof first + first.len);
        stream->first = first.number + 1;
    }
    if (len > buf_room(&stream->events) ||
        buf_append(&stream->events, slice_of(&record, sizeof record)) != 0 ||
        buf_append(&stream->events, line) != 0) {
        buf_clear(&stream->events);
        stream->first = stream->next + 1;
    }
    stream->next++;
}

static void keep(struct http_endpoint *e, struct http_stream *stream, struct slice line)
{
    e->kept_bytes -= buf_len(&stream->events);
    append(stream, line);
    e->kept_bytes += buf_len(&stream->events);
    list_remove(&stream->of_all);
    list_append(&e->streams, &stream->of_all);
    while (e->kept_bytes > HTTP_KEPT_MAX)
        forget(e, CONTAINER_OF(e->streams.next, struct http_stream, of_all));
}

void http_events_send(struct http_connection *c, struct http_session *s, uint64_t stream,
                      struct slice line)
{
    struct http_stream *kept = stream ? stream_find(s, stream) : NULL;
    uint64_t number = 0;
    if (kept) {
        number = kept->next;
        keep(s->endpoint, kept, line);
    }
    if (c)
        send_event(c, kept ? stream : 0, number, line);
}

static void stream_free(struct http_session *s, struct http_stream *stream)
{
    forget(s->endpoint, stream);
    list_remove(&stream->node);
    buf_fini(&stream->events);
    free(stream);
    s->stream_count--;
    s->endpoint->config.stats->streams--;
}

/* The oldest that has ended makes room. */
static bool make_room(struct http_session *s)
{
    for (struct list *n = s->streams.next; n != &s->streams; n = n->next) {
        struct http_stream *stream = CONTAINER_OF(n, struct http_stream, node);
        if (stream->ended) {
            stream_free(s, stream);
            return true;
        }
    }
    return false;
}

uint64_t http_events_stream(struct http_session *s)
{
    if (s->stream_count >= STREAMS_MAX && !make_room(s))
        return 0;
    struct http_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return 0;
    buf_init(&stream->events, STREAM_MAX);
    stream->number = ++s->stream_number;
    list_init(&stream->node);
    list_init(&stream->of_all);
    list_append(&s->streams, &stream->node);
    s->stream_count++;
    s->endpoint->config.stats->streams++;
    return stream->number;
}

void http_events_stream_end(struct http_session *s, uint64_t number)
{
    struct http_stream *stream = stream_find(s, number);
    if (stream)
        stream->ended = true;
}

void http_events_free(struct http_session *s)
{
    while (!list_empty(&s->streams))
        stream_free(s, CONTAINER_OF(s->streams.next, struct http_stream, node));
}

bool http_events_find(const struct http_session *s, struct slice id, struct http_stream **out)
{
    uint64_t stream, number;
    if (!http_event_id_parse(id, &stream, &number))
        return false;
    *out = stream_find(s, stream);
    return *out && number < (*out)->next && number + 1 >= (*out)->first;
}

void http_events_replay(const struct http_stream *stream, struct http_connection *c,
                        struct slice id)
{
    uint64_t number, last = 0;
    struct event_record record;
    struct slice rest = buf_peek(&stream->events);
    if (!http_event_id_parse(id, &number, &last))
        return;
    while (rest.len > 0) {
        memcpy(&record, rest.data, sizeof record);
        if (record.number > last)
            send_event(c, stream->number, record.number,
                       slice_of(rest.data + sizeof record, record.len));
        rest = slice_skip(rest, sizeof record + record.len);
    }
}
