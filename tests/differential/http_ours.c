/* The account that our reader gives of bytes. It stops where the daemon does: at a refusal, and
 * behind a request that closes the connection. */
#include "http_account.h"

#include "scout/net/http_request.h"
#include <strings.h>

static void add_header(struct http_message *m, const struct http_header *h)
{
    account_add(&m->head, h->name);
    account_add(&m->head, slice_str("\1"));
    account_add(&m->head, h->value);
    account_add(&m->head, slice_str("\2"));
    static const char *const framing[] = {"Transfer-Encoding", "Content-Length", "Connection"};
    for (size_t i = 0; i < sizeof framing / sizeof framing[0]; i++)
        if (h->name.len == strlen(framing[i]) &&
            strncasecmp((const char *)h->name.data, framing[i], h->name.len) == 0)
            for (const uint8_t *c = h->value.data; *c != '\r'; c++)
                m->tab |= *c == '\t';
}

static void add_head(struct http_account *a, const struct http_request *q)
{
    struct http_message *m = &a->messages[a->count++];
    m->has_head = true;
    m->close = q->close;
    account_add(&m->head, q->method);
    account_add(&m->head, slice_str("\2"));
    account_add(&m->head, q->path);
    if (q->path.data[q->path.len] == '?')
        account_add(&m->head, slice_str("?"));
    account_add(&m->head, q->query);
    account_add(&m->head, slice_str("\2"));
    for (size_t i = 0; i < q->header_count; i++)
        add_header(m, &q->headers[i]);
}

/* What one event tells; whether the reader is to go on with the same bytes. */
static bool note_event(struct http_account *a, struct http_reader *r, enum http_event event,
                       size_t at)
{
    struct http_message *m = a->count ? &a->messages[a->count - 1] : NULL;
    switch (event) {
    case HTTP_HEAD:
        add_head(a, &r->request);
        return true;
    case HTTP_WHOLE:
        account_add(&m->body, buf_peek(&r->body));
        m->is_whole = true;
        m->end = at;
        http_reader_next(r);
        if (m->close || a->count == ACCOUNT_MESSAGES_MAX)
            a->end = ACCOUNT_CLOSED;
        return a->end == ACCOUNT_OPEN;
    case HTTP_REFUSED:
        a->end = ACCOUNT_REFUSED;
        a->why = r->why;
        a->code = r->status;
        return false;
    default:
        return false;
    }
}

void http_account_ours(struct http_account *a, struct slice bytes, struct cuts cuts)
{
    struct http_reader r;
    http_reader_init(&r, ACCOUNT_BODY_MAX);
    for (size_t at = 0; at < bytes.len && a->end == ACCOUNT_OPEN;) {
        size_t piece = cuts_next(&cuts, bytes.len - at);
        struct slice data = slice_of(bytes.data + at, piece);
        at += piece;
        bool more = true;
        while (more) {
            enum http_event event = http_reader_feed(&r, &data);
            more = note_event(a, &r, event, at - data.len) && (event == HTTP_HEAD || data.len > 0);
        }
    }
    a->is_idle = a->end == ACCOUNT_OPEN && http_reader_is_idle(&r);
    struct http_message *last = a->count ? &a->messages[a->count - 1] : NULL;
    if (last && !last->is_whole && a->end == ACCOUNT_OPEN)
        account_add(&last->body, buf_peek(&r.body));
    http_reader_fini(&r);
}
