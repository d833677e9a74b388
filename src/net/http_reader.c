/* One connection's requests: their heads are gathered, their bodies decoded.
 *
 *     HEAD --empty line--> (length) BODY ------------------------------> DONE
 *                          (chunked) SIZE -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...
 *                                            \-- size 0 --> END_CR -> END_LF -> DONE
 *     anything that is refused -> DEAD
 *
 * Bytes are looked at once. A bare LF ends it at once: whoever counts on it would wait for an
 * answer. The body is kept whole, `body_max` bytes at most: a message of JSON-RPC is of use only
 * when all of it is there. */
#include "scout/net/http_request.h"

#include <assert.h>

enum { HEAD, BODY, SIZE, SIZE_LF, DATA, DATA_CR, DATA_LF, END_CR, END_LF, DONE, DEAD };

#define CHUNK_DIGITS_MAX 8

void http_reader_init(struct http_reader *r, size_t body_max)
{
    *r = (struct http_reader){.body_max = body_max, .state = HEAD};
    buf_init(&r->head, HTTP_HEAD_MAX);
    buf_init(&r->body, body_max);
}

void http_reader_fini(struct http_reader *r)
{
    buf_fini(&r->head);
    buf_fini(&r->body);
}

void http_reader_next(struct http_reader *r)
{
    assert(r->state == DONE);
    buf_clear(&r->head);
    buf_clear(&r->body);
    r->state = HEAD;
    r->line_len = 0;
    r->last = 0;
}

bool http_reader_is_idle(const struct http_reader *r)
{
    return r->state == HEAD && buf_len(&r->head) == 0;
}

static enum http_event refuse(struct http_reader *r, int status, const char *why)
{
    r->state = DEAD;
    r->status = status;
    r->why = why;
    return HTTP_REFUSED;
}

static enum http_event head_done(struct http_reader *r)
{
    const char *why;
    int status = http_head_parse(buf_peek(&r->head), &r->request, &why);
    if (status)
        return refuse(r, status, why);
    if (r->request.content_length > r->body_max)
        return refuse(r, 413, "the body is too large");
    r->missing = r->request.content_length;
    r->digits = 0;
    r->state = r->request.chunked ? SIZE : BODY;
    return HTTP_HEAD;
}

/* How many bytes of `data` belong to the head; *end: its last one is among them. 0 when a line
 * does not end as it should. */
static size_t head_bytes(struct http_reader *r, struct slice data, bool *end)
{
    size_t at = 0;
    *end = false;
    while (at < data.len && !*end) {
        const uint8_t *lf = memchr(data.data + at, '\n', data.len - at);
        if (!lf) {
            r->line_len += data.len - at;
            return data.len;
        }
        size_t stop = (size_t)(lf - data.data);
        r->line_len += stop - at;
        if ((stop > 0 ? data.data[stop - 1] : r->last) != '\r' || r->line_len == 0)
            return 0;
        *end = r->line_len == 1;
        r->line_len = 0;
        at = stop + 1;
    }
    return at;
}

static enum http_event feed_head(struct http_reader *r, struct slice *data)
{
    bool end;
    size_t room = buf_room(&r->head);
    size_t len = head_bytes(r, slice_of(data->data, data->len > room ? room + 1 : data->len), &end);
    if (len == 0)
        return refuse(r, 400, "a line does not end in CR LF");
    if (len > room)
        return r->line_len == buf_len(&r->head) + len
                   ? refuse(r, 414, "the request line is too long")
                   : refuse(r, 431, "the headers are too long");
    r->last = data->data[len - 1];
    if (buf_append(&r->head, slice_of(data->data, len)))
        return refuse(r, 503, "there is no memory for the request");
    *data = slice_skip(*data, len);
    return end ? head_done(r) : HTTP_MORE;
}

/* Takes what there is of the bytes that are missing. */
static enum http_event feed_bytes(struct http_reader *r, struct slice *data)
{
    size_t len = data->len < r->missing ? data->len : (size_t)r->missing;
    if (buf_append(&r->body, slice_of(data->data, len)))
        return refuse(r, 503, "there is no memory for the request");
    r->missing -= len;
    *data = slice_skip(*data, len);
    return HTTP_MORE;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_event feed_size(struct http_reader *r, uint8_t c)
{
    int digit = hex_digit(c);
    if (digit >= 0 && r->digits < CHUNK_DIGITS_MAX) {
        r->missing = r->digits++ ? r->missing << 4 | (unsigned)digit : (unsigned)digit;
        return HTTP_MORE;
    }
    if (c != '\r' || r->digits == 0)
        return refuse(r, 400, "a chunk's size is malformed");
    if (r->missing > buf_room(&r->body))
        return refuse(r, 413, "the body is too large");
    r->state = SIZE_LF;
    return HTTP_MORE;
}

/* A byte that can be only one. */
static enum http_event feed_mark(struct http_reader *r, uint8_t c)
{
    bool cr = r->state == DATA_CR || r->state == END_CR;
    if (c != (cr ? '\r' : '\n'))
        return refuse(r, 400, "a chunk does not end in CR LF, or trailers follow");
    switch (r->state) {
    case SIZE_LF:
        r->digits = 0;
        r->state = r->missing > 0 ? DATA : END_CR;
        break;
    case DATA_CR:
        r->state = DATA_LF;
        break;
    case DATA_LF:
        r->state = SIZE;
        break;
    case END_CR:
        r->state = END_LF;
        break;
    default:
        r->state = DONE;
    }
    return HTTP_MORE;
}

/* False when it waits for bytes, or was refused. */
static bool feed_body(struct http_reader *r, struct slice *data)
{
    bool counted = r->state == BODY || r->state == DATA;
    if (counted && r->missing == 0) {
        r->state = r->state == BODY ? DONE : DATA_CR;
        return true;
    }
    if (data->len == 0)
        return false;
    if (counted)
        return feed_bytes(r, data) != HTTP_REFUSED;
    uint8_t c = data->data[0];
    *data = slice_skip(*data, 1);
    return (r->state == SIZE ? feed_size(r, c) : feed_mark(r, c)) != HTTP_REFUSED;
}

enum http_event http_reader_feed(struct http_reader *r, struct slice *data)
{
    assert(r->state != DONE);
    if (r->state == HEAD && data->len > 0) {
        enum http_event event = feed_head(r, data);
        if (event != HTTP_MORE)
            return event;
    }
    while (r->state > HEAD && r->state < DONE)
        if (!feed_body(r, data))
            break;
    if (r->state == DEAD)
        return HTTP_REFUSED;
    return r->state == DONE ? HTTP_WHOLE : HTTP_MORE;
}
