/* Networks as prefixes. An address without a length is a network of itself; IPv4 in IPv6's clothes
 * is IPv4, so that a list says the same of both forms. */
#include "scout/net/network.h"

#include <string.h>

static struct slice trim(struct slice text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = slice_skip(text, 1);
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* 1 to 3 digits, up to `most`; -1 for anything else. */
static int parse_bits(struct slice text, int most)
{
    int bits = 0;
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.data[0] == '0'))
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        bits = bits * 10 + (text.data[i] - '0');
    }
    return bits <= most ? bits : -1;
}

static bool parse_one(struct slice text, struct network *out)
{
    const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
    size_t len = slash ? (size_t)(slash - text.data) : text.len;
    if (!address_parse(slice_of(text.data, len), &out->base) || out->base.scope)
        return false;
    int width = out->base.family == AF_INET ? 32 : 128;
    int bits = slash ? parse_bits(slice_skip(text, len + 1), width) : width;
    if (width == 128 && address_unmap(&out->base))
        bits -= 96; /* with fewer it would be both */
    if (bits < 0)
        return false;
    out->bits = (uint8_t)bits;
    return true;
}

bool network_list_parse(struct slice text, struct network_list *out, struct slice *wrong)
{
    out->count = 0;
    if (trim(text).len == 0)
        return true;
    for (;;) {
        const uint8_t *comma = text.len ? memchr(text.data, ',', text.len) : NULL;
        size_t len = comma ? (size_t)(comma - text.data) : text.len;
        struct slice item = trim(slice_of(text.data, len));
        if (out->count == NETWORK_LIST_MAX || !parse_one(item, &out->list[out->count])) {
            *wrong = item;
            out->count = 0;
            return false;
        }
        out->count++;
        if (!comma)
            return true;
        text = slice_skip(text, len + 1);
    }
}

static bool has(const struct network *n, const struct address *a)
{
    size_t whole = n->bits / 8, rest = n->bits % 8;
    if (n->base.family != a->family || memcmp(n->base.bytes, a->bytes, whole) != 0)
        return false;
    return rest == 0 || (n->base.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}

bool network_list_has(const struct network_list *l, const struct address *a)
{
    struct address plain = *a;
    address_unmap(&plain);
    for (uint32_t i = 0; i < l->count; i++)
        if (has(&l->list[i], &plain))
            return true;
    return false;
}
