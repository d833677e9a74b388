/* The account that llhttp gives of bytes, with all its lenient flags off.
 *
 * It is stopped behind each message, so that where the next one begins is known to the byte. What
 * it leaves to its user is done here: values lose the blanks behind them (RFC 9112, section 5.1),
 * and an Upgrade is declined, as a server may (RFC 9110, section 7.8). */
#include "http_account.h"

#include <llhttp.h>

struct reading {
    llhttp_t parser;
    struct http_account *account;
    struct http_message *message; /* the one being read */
    struct buf value;
};

static struct reading *reading_of(llhttp_t *parser)
{
    return parser->data;
}

/* What comes when the head is whole is a trailer: ours takes none, so that there is nothing to
 * compare it with. */
static int add(llhttp_t *parser, const char *at, size_t len)
{
    struct http_message *m = reading_of(parser)->message;
    if (!m->has_head)
        account_add(&m->head, slice_of(at, len));
    return 0;
}

static int on_begin(llhttp_t *parser)
{
    struct reading *r = reading_of(parser);
    if (r->account->count == ACCOUNT_MESSAGES_MAX)
        return HPE_USER;
    r->message = &r->account->messages[r->account->count];
    return 0;
}

static int on_part_end(llhttp_t *parser)
{
    return add(parser, "\2", 1);
}

static int on_name_end(llhttp_t *parser)
{
    return add(parser, "\1", 1);
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    account_add(&reading_of(parser)->value, slice_of(at, len));
    return 0;
}

static int on_value_end(llhttp_t *parser)
{
    struct reading *r = reading_of(parser);
    struct slice value = buf_peek(&r->value);
    while (value.len > 0 && (value.data[value.len - 1] == ' ' || value.data[value.len - 1] == '\t'))
        value.len--;
    add(parser, (const char *)value.data, value.len);
    buf_clear(&r->value);
    return on_part_end(parser);
}

static int on_head(llhttp_t *parser)
{
    struct reading *r = reading_of(parser);
    r->message->has_head = true;
    r->message->close = !llhttp_should_keep_alive(parser);
    r->account->count++;
    if (parser->method != HTTP_CONNECT)
        parser->upgrade = 0;
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    account_add(&reading_of(parser)->message->body, slice_of(at, len));
    return 0;
}

static int on_whole(llhttp_t *parser)
{
    reading_of(parser)->message->is_whole = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_begin,
    .on_method = add,
    .on_method_complete = on_part_end,
    .on_url = add,
    .on_url_complete = on_part_end,
    .on_header_field = add,
    .on_header_field_complete = on_name_end,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_end,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_whole,
};

/* Feeds one piece, stopping behind each message. Whether it can go on. */
static bool feed(struct reading *r, struct slice bytes, size_t at, size_t piece)
{
    const char *base = (const char *)bytes.data, *from = base + at, *end = from + piece;
    for (;;) {
        llhttp_errno_t error = llhttp_execute(&r->parser, from, (size_t)(end - from));
        if (error == HPE_OK)
            return true;
        if (error != HPE_PAUSED) {
            r->account->end = ACCOUNT_REFUSED;
            r->account->why = llhttp_errno_name(error);
            r->account->code = (int)error;
            return false;
        }
        from = llhttp_get_error_pos(&r->parser);
        r->message->end = (size_t)(from - base);
        llhttp_resume(&r->parser);
        if (r->message->close) {
            r->account->end = ACCOUNT_CLOSED;
            return false;
        }
    }
}

void http_account_llhttp(struct http_account *a, struct slice bytes, struct cuts cuts)
{
    struct reading r = {.account = a};
    llhttp_init(&r.parser, HTTP_REQUEST, &settings);
    r.parser.data = &r;
    buf_init(&r.value, ACCOUNT_TEXT_MAX);
    bool more = true;
    for (size_t at = 0; at < bytes.len && more;) {
        size_t piece = cuts_next(&cuts, bytes.len - at);
        more = feed(&r, bytes, at, piece);
        at += piece;
    }
    a->is_idle = more && llhttp_finish(&r.parser) == HPE_OK;
    buf_fini(&r.value);
}
