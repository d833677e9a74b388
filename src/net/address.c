/* IP addresses and lists of them.
 *
 * A list keeps IPv6 in front, so that its order is the order of trying before the families are
 * interleaved. It never lets one family push the other out: a host with twenty IPv6 addresses and a
 * network without IPv6 is still reached. */
#include "scout/net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (INET6_ADDRSTRLEN + IF_NAMESIZE)

/* The scope behind '%': a number or an interface's name. 0 when there is none such. */
static uint32_t parse_scope(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text >= '0' && *text <= '9' && *end == '\0')
        return number <= UINT32_MAX ? (uint32_t)number : 0;
    return if_nametoindex(text);
}

bool address_parse(struct slice text, struct address *out)
{
    char buffer[TEXT_MAX + 1];
    struct address a = {.family = AF_INET};
    if (text.len > TEXT_MAX || text.len == 0 || memchr(text.data, '\0', text.len))
        return false;
    memcpy(buffer, text.data, text.len);
    buffer[text.len] = '\0';
    if (inet_pton(AF_INET, buffer, a.bytes) == 1) {
        *out = a;
        return true;
    }
    char *scope = strchr(buffer, '%');
    if (scope)
        *scope++ = '\0';
    a.family = AF_INET6;
    if (inet_pton(AF_INET6, buffer, a.bytes) != 1)
        return false;
    if (scope && (a.scope = parse_scope(scope)) == 0)
        return false;
    *out = a;
    return true;
}

bool address_literal(const char *text, struct address *out)
{
    struct in_addr v4;
    if (address_parse(slice_str(text), out))
        return true;
    /* inet_aton passes over anything behind a blank: let it see digits and dots alone. */
    if (text[0] < '0' || text[0] > '9' || text[strspn(text, "0123456789abcdefABCDEFxX.")] != '\0' ||
        !inet_aton(text, &v4))
        return false;
    *out = (struct address){.family = AF_INET};
    memcpy(out->bytes, &v4, sizeof v4);
    return true;
}

void address_text(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
    if (!inet_ntop(a->family, a->bytes, out, ADDRESS_TEXT_MAX))
        out[0] = '\0';
    size_t len = strlen(out);
    if (len > 0 && a->scope != 0)
        snprintf(out + len, ADDRESS_TEXT_MAX - len, "%%%u", (unsigned)a->scope);
}

bool address_unmap(struct address *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (a->family != AF_INET6 || memcmp(a->bytes, mapped, sizeof mapped) != 0)
        return false;
    struct address v4 = {.family = AF_INET};
    memcpy(v4.bytes, a->bytes + sizeof mapped, 4);
    *a = v4;
    return true;
}

bool address_is_loopback(const struct address *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->family == AF_INET ? a->bytes[0] == 127 : memcmp(a->bytes, one, sizeof one) == 0;
}

socklen_t address_socket(const struct address *a, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        v6->sin6_scope_id = a->scope;
        memcpy(&v6->sin6_addr, a->bytes, sizeof v6->sin6_addr);
        return sizeof *v6;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    memcpy(&v4->sin_addr, a->bytes, sizeof v4->sin_addr);
    return sizeof *v4;
}

static bool equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && a->scope == b->scope &&
           memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void remove_at(struct address_list *l, uint32_t i)
{
    l->count--;
    memmove(&l->list[i], &l->list[i + 1], (l->count - i) * sizeof l->list[0]);
}

void address_list_add(struct address_list *l, const struct address *a)
{
    uint32_t six = 0; /* the first `six` are IPv6 */
    for (uint32_t i = 0; i < l->count; i++) {
        if (equal(&l->list[i], a))
            return;
        six += l->list[i].family == AF_INET6;
    }
    if (l->count == ADDRESS_LIST_MAX) {
        uint32_t own = a->family == AF_INET6 ? six : l->count - six;
        if (own >= ADDRESS_LIST_MAX / 2)
            return;
        remove_at(l, a->family == AF_INET6 ? l->count - 1 : --six);
    }
    uint32_t at = a->family == AF_INET6 ? six : l->count;
    memmove(&l->list[at + 1], &l->list[at], (l->count - at) * sizeof l->list[0]);
    l->list[at] = *a;
    l->count++;
}
