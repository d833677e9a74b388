/* Short lists of networks ("10.0.0.0/8, 192.0.2.1, 2001:db8::/32"), and which addresses are in
 * them. Pure. */
#ifndef SCOUT_NET_NETWORK_H
#define SCOUT_NET_NETWORK_H

#include "scout/net/address.h"

#define NETWORK_LIST_MAX 64

struct network {
    struct address base;
    uint8_t bits; /* of the address that count; what lies behind them does not */
};

struct network_list {
    uint32_t count;
    struct network list[NETWORK_LIST_MAX];
};

/* Addresses and networks with commas between them; nothing at all is an empty list. False, with
 * *out empty and the item in *wrong: it is neither, or one more than fit. */
__attribute__((warn_unused_result)) bool
network_list_parse(struct slice text, struct network_list *out, struct slice *wrong);

bool network_list_has(const struct network_list *l, const struct address *a);

#endif
