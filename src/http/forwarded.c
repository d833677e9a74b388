/* Each proxy adds the address that it was called from at the right end, and what stood there before
 * is whatever the client wrote. So the list is read from the right, for as long as it is a proxy of
 * ours that said it. */
#include "scout/http/forwarded.h"

#include <strings.h>

static const char list_name[] = "x-forwarded-for";

static bool is_named(struct slice name, const char *text)
{
    return name.len == strlen(text) && strncasecmp((const char *)name.data, text, name.len) == 0;
}

/* Some write "192.0.2.1:80", "[2001:db8::1]" or "[2001:db8::1]:80". */
static bool parse_item(struct slice item, struct address *out)
{
    while (item.len > 0 && (item.data[0] == ' ' || item.data[0] == '\t'))
        item = slice_skip(item, 1);
    while (item.len > 0 && (item.data[item.len - 1] == ' ' || item.data[item.len - 1] == '\t'))
        item.len--;
    if (item.len == 0)
        return false;
    if (memchr(item.data, '%', item.len))
        return false; /* an interface of the proxy's means nothing here */
    const uint8_t *colon = memchr(item.data, ':', item.len);
    if (item.data[0] == '[') {
        const uint8_t *end = memchr(item.data, ']', item.len);
        item = slice_of(item.data + 1, end ? (size_t)(end - item.data) - 1 : 0);
    } else if (colon && memchr(item.data, '.', (size_t)(colon - item.data))) {
        item.len = (size_t)(colon - item.data);
    }
    if (!address_parse(item, out))
        return false;
    address_unmap(out);
    return true;
}

/* Whether the search goes on to the left of this header. */
static bool read_list(struct slice list, const struct network_list *proxies, struct address *out)
{
    size_t end = list.len;
    for (;;) {
        size_t begin = end;
        while (begin > 0 && list.data[begin - 1] != ',')
            begin--;
        struct address said;
        if (!parse_item(slice_of(list.data + begin, end - begin), &said))
            return false;
        *out = said;
        if (!network_list_has(proxies, out))
            return false;
        if (begin == 0)
            return true;
        end = begin - 1;
    }
}

void http_forwarded(const struct http_request *q, const struct network_list *proxies,
                    const struct address *peer, struct address *out)
{
    *out = *peer;
    if (!network_list_has(proxies, peer))
        return;
    for (size_t i = q->header_count; i-- > 0;)
        if (is_named(q->headers[i].name, list_name) && q->headers[i].value.len > 0 &&
            !read_list(q->headers[i].value, proxies, out))
            return;
}

bool http_was_forwarded(const struct http_request *q)
{
    static const char *const names[] = {list_name, "forwarded", "x-real-ip", "via"};
    struct slice value;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (http_request_header(q, names[i], &value))
            return true;
    return false;
}
