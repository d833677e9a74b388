/* Responses: the head (RFC 9112, section 4), a body of known length, or chunks.
 *
 * Nothing of what is answered may be kept by a cache or taken for another type; a connection that
 * is to be closed says so. What does not fit the connection's buffer closes it: half an answer is
 * worse than none. So does an event for a client that takes nothing, when too much waits for all:
 * its stream can be taken up again. */
#include "http_state.h"

#include <stdio.h>

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Error";
}

static int add(struct buf *out, const char *name, const char *value)
{
    return value ? buf_printf(out, "%s: %s\r\n", name, value) : 0;
}

static int write_head(struct http_connection *c, struct buf *out, const struct http_response *r)
{
    int error = buf_printf(out,
                           "HTTP/1.1 %d %s\r\nDate: %s\r\nCache-Control: no-store\r\n"
                           "X-Content-Type-Options: nosniff\r\n",
                           r->status, reason(r->status), http_endpoint_date(c->endpoint));
    if (!error)
        error = add(out, "Content-Type", r->type);
    if (!error && r->events)
        error = add(out, "Transfer-Encoding", "chunked");
    if (!error && r->events)
        error = add(out, "X-Accel-Buffering", "no");
    if (!error && !r->events && r->status != 204)
        error = buf_printf(out, "Content-Length: %zu\r\n", r->body.len);
    if (!error)
        error = add(out, "Mcp-Session-Id", r->session_id);
    if (!error)
        error = add(out, "Allow", r->allow);
    if (!error)
        error = add(out, "WWW-Authenticate", r->challenge);
    if (!error && r->retry_after_s)
        error = buf_printf(out, "Retry-After: %u\r\n", r->retry_after_s);
    if (!error)
        error = add(out, "Connection", c->last ? "close" : NULL);
    return error ? error : buf_append_str(out, "\r\n");
}

void http_respond(struct http_connection *c, const struct http_response *r)
{
    struct http_stats *stats = c->endpoint->config.stats;
    struct buf *out = http_connection_out(c);
    stats->responses[r->status / 100 < 6 ? r->status / 100 : 5]++;
    if (write_head(c, out, r) != 0 || buf_append(out, r->body) != 0)
        http_connection_close(c);
    else
        http_connection_flush(c);
}

void http_respond_error(struct http_connection *c, int status, const char *why)
{
    char body[512];
    const struct http_admission *a = &c->admission;
    int len = snprintf(body, sizeof body, "{\"error\":\"%s\"}", why);
    struct http_response r = {.status = status,
                              .type = "application/json",
                              .body = slice_of(body, (size_t)len),
                              .challenge = status == 400 || status == 401 ? a->challenge : NULL,
                              .retry_after_s = status == 429   ? a->retry_after_s
                                               : status == 503 ? HTTP_CROWDED_RETRY_S
                                                               : 0};
    http_respond(c, &r);
    http_connection_answered(c);
}

void http_respond_chunk(struct http_connection *c, struct slice a, struct slice b, struct slice d)
{
    struct buf *out = http_connection_out(c);
    size_t waiting = http_connection_pending(c);
    if ((waiting > MCP_OUT_HIGH && http_endpoint_is_crowded(c->endpoint, 0)) ||
        buf_printf(out, "%zx\r\n", a.len + b.len + d.len) != 0 || buf_append(out, a) != 0 ||
        buf_append(out, b) != 0 || buf_append(out, d) != 0 || buf_append_str(out, "\r\n") != 0)
        http_connection_close(c);
    else
        http_connection_flush(c);
}

void http_respond_chunks_end(struct http_connection *c)
{
    if (buf_append_str(http_connection_out(c), "0\r\n\r\n") != 0)
        http_connection_close(c);
    else
        http_connection_flush(c);
}
