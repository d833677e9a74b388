/* The head of a request: the request line, and headers (RFC 9112, sections 2, 3, 5, 6).
 *
 * It is looked at once, line by line, when it is whole. Each line must end in CR LF and have
 * nothing but printable ASCII, blanks and tabs in it, so that a header's value cannot hold the
 * beginning of another one for whoever reads it otherwise. What frames the body is judged at the
 * end, when all headers are known. */
#include "scout/net/http_request.h"

#include <strings.h>

/* Headers that decide something: a request with two of one is doubtful. */
static const char *const http_single[] = {
    "host",   "content-length", "content-type",  "transfer-encoding", "authorization", "origin",
    "expect", "x-api-key",      "last-event-id", "content-encoding",  "user-agent",
};
#define HTTP_SINGLE_PREFIX "mcp-"

struct head_parse {
    struct slice rest;
    struct http_request *out;
    const char **why;
};

static int refuse(struct head_parse *p, int status, const char *why)
{
    *p->why = why;
    return status;
}

static bool is_token(uint8_t c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool slice_is_caseless(struct slice a, const char *text)
{
    return a.len == strlen(text) && strncasecmp((const char *)a.data, text, a.len) == 0;
}

/* A line without its CR LF. */
static bool take_line(struct head_parse *p, struct slice *line)
{
    const uint8_t *end = p->rest.len ? memchr(p->rest.data, '\n', p->rest.len) : NULL;
    if (!end || end == p->rest.data || end[-1] != '\r')
        return false;
    size_t len = (size_t)(end - p->rest.data);
    *line = slice_of(p->rest.data, len - 1);
    p->rest = slice_skip(p->rest, len + 1);
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] != '\t' && (line->data[i] < 0x20 || line->data[i] > 0x7e))
            return false;
    return true;
}

static bool target_is_valid(struct slice target)
{
    if (target.len == 0 || target.data[0] != '/')
        return false;
    for (size_t i = 0; i < target.len; i++)
        if (target.data[i] <= 0x20 || strchr("\"#<>\\^`{|}", target.data[i]))
            return false;
    return true;
}

static int parse_request_line(struct head_parse *p)
{
    struct slice line, method, target;
    if (!take_line(p, &line))
        return refuse(p, 400, "the request line is malformed");
    const uint8_t *space = line.len ? memchr(line.data, ' ', line.len) : NULL;
    if (!space || space == line.data)
        return refuse(p, 400, "the request line is malformed");
    method = slice_of(line.data, (size_t)(space - line.data));
    for (size_t i = 0; i < method.len; i++)
        if (method.data[i] < 'A' || method.data[i] > 'Z')
            return refuse(p, 400, "the method is malformed");
    line = slice_skip(line, method.len + 1);
    space = line.len ? memchr(line.data, ' ', line.len) : NULL;
    if (!space)
        return refuse(p, 400, "the request line has no version");
    target = slice_of(line.data, (size_t)(space - line.data));
    line = slice_skip(line, target.len + 1);
    if (!slice_is(line, "HTTP/1.1"))
        return line.len == 8 && memcmp(line.data, "HTTP/", 5) == 0
                   ? refuse(p, 505, "only HTTP/1.1 is spoken here")
                   : refuse(p, 400, "the version is malformed");
    if (target.len > HTTP_TARGET_MAX)
        return refuse(p, 414, "the target is too long");
    /* CONNECT has a host for its target, and whoever takes it reads no more requests behind it. */
    if (!target_is_valid(target) || slice_is(method, "CONNECT"))
        return refuse(p, 400, "the target is no path");
    const uint8_t *mark = memchr(target.data, '?', target.len);
    size_t path_len = mark ? (size_t)(mark - target.data) : target.len;
    p->out->method = method;
    p->out->path = slice_of(target.data, path_len);
    p->out->query = mark ? slice_skip(target, path_len + 1) : slice_of("", 0);
    return 0;
}

static bool is_single(struct slice name)
{
    size_t prefix = strlen(HTTP_SINGLE_PREFIX);
    if (name.len > prefix && strncasecmp((const char *)name.data, HTTP_SINGLE_PREFIX, prefix) == 0)
        return true;
    for (size_t i = 0; i < sizeof http_single / sizeof http_single[0]; i++)
        if (slice_is_caseless(name, http_single[i]))
            return true;
    return false;
}

static bool is_given(const struct http_request *q, struct slice name)
{
    for (size_t i = 0; i < q->header_count; i++)
        if (q->headers[i].name.len == name.len &&
            strncasecmp((const char *)q->headers[i].name.data, (const char *)name.data, name.len) ==
                0)
            return true;
    return false;
}

static int parse_header(struct head_parse *p, struct slice line)
{
    struct http_request *q = p->out;
    size_t len = 0;
    while (len < line.len && is_token(line.data[len]))
        len++;
    if (len == 0 || len == line.len || line.data[len] != ':')
        return refuse(p, 400, "a header's name is malformed");
    struct slice name = slice_of(line.data, len), value = slice_skip(line, len + 1);
    while (value.len > 0 && is_blank(value.data[0]))
        value = slice_skip(value, 1);
    while (value.len > 0 && is_blank(value.data[value.len - 1]))
        value.len--;
    if (q->header_count == HTTP_HEADERS_MAX)
        return refuse(p, 431, "there are too many headers");
    if (is_single(name) && is_given(q, name))
        return refuse(p, 400, "a header is there twice");
    q->headers[q->header_count++] = (struct http_header){name, value};
    return 0;
}

/* Digits without a leading zero, of a number that fits. */
static bool parse_length(struct slice text, uint64_t *out)
{
    if (text.len == 0 || text.len > 15 || (text.len > 1 && text.data[0] == '0'))
        return false;
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    return true;
}

static int judge_framing(struct head_parse *p)
{
    struct http_request *q = p->out;
    struct slice value;
    bool has_length = http_request_header(q, "content-length", &value);
    if (has_length && !parse_length(value, &q->content_length))
        return refuse(p, 400, "Content-Length is malformed");
    if (http_request_header(q, "transfer-encoding", &value)) {
        if (has_length)
            return refuse(p, 400, "Content-Length and Transfer-Encoding exclude each other");
        if (!slice_is_caseless(value, "chunked"))
            return refuse(p, 501, "of the transfer codings only chunked is known here");
        q->chunked = true;
    }
    if (http_request_header(q, "content-encoding", &value) && !slice_is_caseless(value, "identity"))
        return refuse(p, 415, "a body that is encoded is not taken");
    if (slice_is(q->method, "POST") || slice_is(q->method, "PUT") || slice_is(q->method, "PATCH"))
        return has_length || q->chunked ? 0 : refuse(p, 411, "the body's length is missing");
    if (q->chunked || q->content_length > 0)
        return refuse(p, 400, "this method has no body");
    return 0;
}

static bool host_is_valid(struct slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.data[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && !strchr(".-_:[]", c))
            return false;
    }
    return host.len > 0;
}

static int judge(struct head_parse *p)
{
    struct http_request *q = p->out;
    struct slice value;
    if (!http_request_header(q, "host", &value) || !host_is_valid(value))
        return refuse(p, 400, "Host is missing or malformed");
    for (size_t i = 0; i < q->header_count; i++)
        if (slice_is_caseless(q->headers[i].name, "connection") &&
            http_list_has(q->headers[i].value, "close"))
            q->close = true;
    if (http_request_header(q, "expect", &value)) {
        if (!slice_is_caseless(value, "100-continue"))
            return refuse(p, 417, "of Expect only 100-continue is known here");
        q->expect_continue = true;
    }
    return judge_framing(p);
}

int http_head_parse(struct slice head, struct http_request *out, const char **why)
{
    *out = (struct http_request){.header_count = 0};
    struct head_parse p = {.rest = head, .out = out, .why = why};
    int status = parse_request_line(&p);
    while (!status) {
        struct slice line;
        if (!take_line(&p, &line))
            return refuse(&p, 400, "a header's line is malformed");
        if (line.len == 0)
            break;
        status = parse_header(&p, line);
    }
    if (!status && p.rest.len > 0)
        return refuse(&p, 400, "the head goes on after its end");
    return status ? status : judge(&p);
}

bool http_request_header(const struct http_request *q, const char *name, struct slice *value)
{
    for (size_t i = 0; i < q->header_count; i++)
        if (slice_is_caseless(q->headers[i].name, name)) {
            *value = q->headers[i].value;
            return true;
        }
    return false;
}

bool http_list_has(struct slice list, const char *item)
{
    size_t at = 0;
    while (at < list.len) {
        size_t end = at;
        while (end < list.len && list.data[end] != ',')
            end++;
        size_t stop = at;
        while (stop < end && list.data[stop] != ';')
            stop++;
        while (at < stop && is_blank(list.data[at]))
            at++;
        while (stop > at && is_blank(list.data[stop - 1]))
            stop--;
        if (slice_is_caseless(slice_of(list.data + at, stop - at), item))
            return true;
        at = end + 1;
    }
    return false;
}
