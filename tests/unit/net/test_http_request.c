/* HTTP requests: what is taken, what is refused and with which status, in any pieces. */
#include "loops.h"

#include "scout/net/http_request.h"
#include <stdio.h>

#define BODY_MAX 64

/* What became of the bytes, as one line: "METHOD path?query [N headers] body", then " | " and the
 * next; or "STATUS why". Fed in pieces of `piece` bytes, each a copy of its exact size. */
static void read_all(struct slice bytes, size_t piece, char *out, size_t size)
{
    struct http_reader r;
    http_reader_init(&r, BODY_MAX);
    size_t len = 0;
    out[0] = '\0';
    bool dead = false, head = false;
    for (size_t at = 0; at < bytes.len && !dead; at += piece) {
        size_t n = bytes.len - at < piece ? bytes.len - at : piece;
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, bytes.data + at, n);
        struct slice data = slice_of(copy, n);
        for (bool more = true; more;) {
            enum http_event event = http_reader_feed(&r, &data);
            struct slice body = buf_peek(&r.body);
            const struct http_request *q = &r.request;
            more = event == HTTP_HEAD || (event == HTTP_WHOLE && data.len > 0);
            if (event == HTTP_HEAD) {
                assert_false(head);
                head = true;
            } else if (event == HTTP_WHOLE) {
                assert_true(head);
                head = false;
                len += (size_t)snprintf(
                    out + len, size - len, "%s%.*s %.*s?%.*s [%zu]%s%s %.*s", len ? " | " : "",
                    (int)q->method.len, q->method.data, (int)q->path.len, q->path.data,
                    (int)q->query.len, q->query.data, q->header_count, q->close ? " close" : "",
                    q->expect_continue ? " continue" : "", (int)body.len, (const char *)body.data);
                http_reader_next(&r);
                assert_true(http_reader_is_idle(&r));
            } else if (event == HTTP_REFUSED) {
                snprintf(out + len, size - len, "%s%d", len ? " | " : "", r.status);
                assert_non_null(r.why);
                dead = true;
            } else {
                assert_int_equal(data.len, 0);
            }
        }
        free(copy);
    }
    if (!dead && !http_reader_is_idle(&r))
        snprintf(out + strlen(out), size - strlen(out), "%smore", out[0] ? " | " : "");
    http_reader_fini(&r);
}

static void reads_as(struct slice bytes, const char *expected)
{
    for (size_t piece = 1; piece <= bytes.len; piece++) {
        char out[4096];
        read_all(bytes, piece, out, sizeof out);
        assert_string_equal(out, expected);
    }
}

#define READS(text, expected) reads_as(slice_of(text, sizeof(text) - 1), expected)
#define HOST                  "Host: a\r\n"
#define POST                  "POST /mcp HTTP/1.1\r\n" HOST

static void what_is_taken(void **state)
{
    (void)state;
    READS("GET /health HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n", "GET /health? [1] ");
    READS("GET /a?b=%20&c HTTP/1.1\r\nhost:[::1]\r\nX:\t y \t\r\nY:\r\n\r\n",
          "GET /a?b=%20&c [3] ");
    READS(POST "Content-Length: 2\r\n\r\n{}", "POST /mcp? [2] {}");
    READS(POST "Content-Length: 0\r\n\r\n", "POST /mcp? [2] ");
    READS(POST "Transfer-Encoding: Chunked\r\n\r\n1\r\n{\r\n0A\r\n\"a\":  \"b\"}\r\n0\r\n\r\n",
          "POST /mcp? [2] {\"a\":  \"b\"}");
    READS(POST "Content-Length: 1\r\nConnection: keep-alive , Close\r\n\r\nx",
          "POST /mcp? [3] close x");
    READS(POST "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\nx", "POST /mcp? [3] continue x");
    READS("DELETE /mcp HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "DELETE /mcp? [2] ");
    READS(POST "Content-Length: 1\r\n\r\nxGET / HTTP/1.1\r\n" HOST "\r\n",
          "POST /mcp? [2] x | GET /? [1] ");
    READS(POST "Accept: a\r\nAccept: b\r\nContent-Length: 1\r\n\r\nx", "POST /mcp? [4] x");
}

static void lines_that_are_doubtful(void **state)
{
    (void)state;
    READS("GET / HTTP/1.1\nHost: a\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\n\n", "400");
    READS("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nX: b\rContent-Length: 5\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nX\xc3: a\r\n\r\n", "400");
}

static void request_lines(void **state)
{
    (void)state;
    READS("GET / HTTP/1.0\r\nHost: a\r\n\r\n", "505");
    READS("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505");
    READS("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505");
    READS("GET / http/1.1\r\nHost: a\r\n\r\n", "400");
    READS("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400");
    READS("GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("get / HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("GET /\r\nHost: a\r\n\r\n", "400");
    READS("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", "400");
    READS("\x16\x03\x01\x02\x00\x01\x00", "more"); /* TLS: no line of it ends; time ends it */
    READS("\x16\x03\x01\r\n\r\n", "400");
}

static void hosts(void **state)
{
    (void)state;
    READS("GET / HTTP/1.1\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost:\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "400");
    READS("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400");
}

static void framing(void **state)
{
    (void)state;
    READS(POST "\r\n", "411");
    READS(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400");
    READS(POST "Content-Length: 1, 1\r\n\r\nx", "400");
    READS(POST "Content-Length: +1\r\n\r\nx", "400");
    READS(POST "Content-Length: -1\r\n\r\nx", "400");
    READS(POST "Content-Length: 01\r\n\r\nx", "400");
    READS(POST "Content-Length: 0x1\r\n\r\nx", "400");
    READS(POST "Content-Length: 1_0\r\n\r\nx", "400");
    READS(POST "Content-Length:\r\n\r\nx", "400");
    READS(POST "Content-Length: 99999999999999999999\r\n\r\nx", "400");
    READS(POST "Content-Length: 65\r\n\r\nx", "413");
    READS(POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400");
    READS(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400");
    READS(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501");
    READS(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501");
    READS(POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n", "501");
    READS("GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", "400");
    READS("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400");
    READS(POST "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "415");
    READS(POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\nx", "417");
    READS(POST "Content-Length: 5\r\n\r\nxx", "more");
}

static void chunks(void **state)
{
    (void)state;
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
    READS(CHUNKED "0\r\n\r\n", "POST /mcp? [2] ");
    READS(CHUNKED "1;a=b\r\nx\r\n0\r\n\r\n", "400");
    READS(CHUNKED "1 \r\nx\r\n0\r\n\r\n", "400");
    READS(CHUNKED "0x1\r\nx\r\n0\r\n\r\n", "400");
    READS(CHUNKED "-1\r\nx\r\n0\r\n\r\n", "400");
    READS(CHUNKED "\r\nx\r\n0\r\n\r\n", "400");
    READS(CHUNKED "1\nx\r\n0\r\n\r\n", "400");
    READS(CHUNKED "1\r\nxx\r\n0\r\n\r\n", "400");
    READS(CHUNKED "1\r\nx\n0\r\n\r\n", "400");
    READS(CHUNKED "1\r\nx\r\n0\r\nTrailer: a\r\n\r\n", "400");
    READS(CHUNKED "000000001\r\nx\r\n0\r\n\r\n", "400");
    READS(CHUNKED "FFFFFFFF\r\nx", "413");
    READS(CHUNKED "20\r\n0123456789abcdef0123456789abcdef\r\n21\r\n0", "413");
    READS(CHUNKED "1\r\nx\r\n0\r\n", "more");
}

static void sizes(void **state)
{
    (void)state;
    char *text = malloc(HTTP_HEAD_MAX + 64), out[256];
    assert_non_null(text);
    /* A target at its bound, and over it. */
    for (int over = 0; over < 2; over++) {
        size_t target = HTTP_TARGET_MAX + (size_t)over;
        size_t len =
            (size_t)sprintf(text, "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", (int)target - 1, 0);
        read_all(slice_of(text, len), len, out, sizeof out);
        assert_int_equal(strncmp(out, over ? "414" : "GET /0", over ? 3 : 6), 0);
    }
    memset(text, 'A', HTTP_HEAD_MAX + 64);
    read_all(slice_of(text, HTTP_HEAD_MAX + 1), 1000, out, sizeof out);
    assert_string_equal(out, "414");
    size_t len = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    text[len] = 'A';
    read_all(slice_of(text, HTTP_HEAD_MAX + 1), 1000, out, sizeof out);
    assert_string_equal(out, "431");
    /* Headers at their bound, and over it. */
    for (size_t count = HTTP_HEADERS_MAX; count <= HTTP_HEADERS_MAX + 1; count++) {
        len = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (size_t i = 1; i < count; i++)
            len += (size_t)sprintf(text + len, "X: %zu\r\n", i);
        len += (size_t)sprintf(text + len, "\r\n");
        read_all(slice_of(text, len), len, out, sizeof out);
        assert_string_equal(out, count > HTTP_HEADERS_MAX ? "431" : "GET /? [64] ");
    }
    free(text);
}

static void headers_and_lists(void **state)
{
    (void)state;
    struct http_request q;
    const char *why;
    struct slice value;
    const char *head =
        "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream;q=1 ,application/json\r\n"
        "Mcp-Name: b\r\n\r\n";
    assert_int_equal(http_head_parse(slice_str(head), &q, &why), 0);
    assert_true(http_request_header(&q, "accept", &value));
    assert_true(http_list_has(value, "application/json"));
    assert_true(http_list_has(value, "text/event-stream"));
    assert_false(http_list_has(value, "text"));
    assert_false(http_list_has(slice_str(""), "text"));
    assert_true(http_list_has(slice_str(",,x"), "X"));
    assert_true(http_request_header(&q, "MCP-NAME", &value));
    assert_true(slice_is(value, "b"));
    assert_false(http_request_header(&q, "Mcp", &value));
    head = "GET / HTTP/1.1\r\nHost: a\r\nMcp-Name: b\r\nmcp-name: b\r\n\r\n";
    assert_int_equal(http_head_parse(slice_str(head), &q, &why), 400);
    head = "GET / HTTP/1.1\r\nHost: a\r\n\r\nx";
    assert_int_equal(http_head_parse(slice_str(head), &q, &why), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken), cmocka_unit_test(lines_that_are_doubtful),
        cmocka_unit_test(request_lines), cmocka_unit_test(hosts),
        cmocka_unit_test(framing),       cmocka_unit_test(chunks),
        cmocka_unit_test(sizes),         cmocka_unit_test(headers_and_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
