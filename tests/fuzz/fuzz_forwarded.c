/* Lists of networks, and whom a request is from that came through proxies. Input: a line with the
 * networks, then lines that are each an X-Forwarded-For. The answer is the peer, where that is no
 * proxy; else an address that the lists had. */
#include "scout/http/forwarded.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct slice take_line(struct slice *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct slice line = slice_of(rest->data, end ? (size_t)(end - rest->data) : rest->len);
    *rest = slice_skip(*rest, line.len + (end != NULL));
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct http_request q;
    struct slice rest = slice_of(data, len), wrong;
    struct network_list proxies;
    struct address peer, from;
    struct slice list = take_line(&rest);
    if (!network_list_parse(list, &proxies, &wrong)) {
        assert(proxies.count == 0 && wrong.len <= list.len);
        return 0;
    }
    for (uint32_t i = 0; i < proxies.count; i++)
        assert(network_list_has(&proxies, &proxies.list[i].base));
    for (q.header_count = 0; rest.len > 0 && q.header_count < HTTP_HEADERS_MAX;)
        q.headers[q.header_count++] =
            (struct http_header){slice_str("X-Forwarded-For"), take_line(&rest)};
    assert(address_parse(slice_str("10.0.0.1"), &peer));
    http_forwarded(&q, &proxies, &peer, &from);
    bool is_peer = memcmp(&from, &peer, sizeof peer) == 0;
    if (!network_list_has(&proxies, &peer))
        assert(is_peer);
    assert(from.family == AF_INET || from.family == AF_INET6);
    assert(is_peer || (q.header_count > 0 && from.scope == 0));
    return 0;
}
