/* HTTP requests with anything in them. The first byte says how the rest is cut. In one piece, in
 * pieces and byte by byte the same requests come out, and the same refusal; and what is taken holds
 * to what the reader promises: no byte of a head that a value could smuggle, bodies within bounds.
 */
#include "scout/net/http_request.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define BODY_MAX 256

static uint64_t mix(uint64_t hash, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ bytes.data[i]) * 0x100000001b3u;
    return (hash ^ bytes.len) * 0x100000001b3u;
}

static void check_head(const struct http_request *q)
{
    struct slice value;
    assert(q->header_count <= HTTP_HEADERS_MAX && q->path.len > 0 && q->path.data[0] == '/');
    assert(http_request_header(q, "host", &value) && value.len > 0);
    for (size_t i = 0; i < q->header_count; i++) {
        value = q->headers[i].value;
        for (size_t k = 0; k < value.len; k++)
            assert(value.data[k] == '\t' || (value.data[k] >= 0x20 && value.data[k] < 0x7f));
    }
    assert(!q->chunked || q->content_length == 0);
    assert(q->content_length <= BODY_MAX);
}

static uint64_t run(struct slice bytes, size_t piece)
{
    struct http_reader r;
    http_reader_init(&r, BODY_MAX);
    uint64_t hash = 1;
    for (size_t at = 0; at < bytes.len; at += piece) {
        size_t n = bytes.len - at < piece ? bytes.len - at : piece;
        struct slice data = slice_of(bytes.data + at, n);
        for (bool more = true; more;) {
            enum http_event event = http_reader_feed(&r, &data);
            more = event == HTTP_HEAD || (event == HTTP_WHOLE && data.len > 0);
            if (event == HTTP_HEAD) {
                check_head(&r.request);
                hash = mix(mix(hash, r.request.method), r.request.path);
            } else if (event == HTTP_WHOLE) {
                assert(buf_len(&r.body) <= BODY_MAX);
                hash = mix(hash, buf_peek(&r.body));
                http_reader_next(&r);
            } else if (event == HTTP_REFUSED) {
                assert(r.status >= 400 && r.why);
                hash = mix(hash, slice_str(r.why));
                at = bytes.len;
            } else {
                assert(data.len == 0);
            }
        }
    }
    http_reader_fini(&r);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    struct slice bytes = slice_of(data + 1, len - 1);
    uint64_t whole = run(bytes, bytes.len);
    assert(run(bytes, 1 + (size_t)data[0] % 37) == whole);
    assert(run(bytes, 1) == whole);
    return 0;
}
