/* IP addresses: their texts, and short lists of them with the order in which they are tried. Pure,
 * except that the name of an interface in a scope is looked up. */
#ifndef SCOUT_NET_ADDRESS_H
#define SCOUT_NET_ADDRESS_H

#include "scout/base/slice.h"
#include <sys/socket.h>

#define ADDRESS_LIST_MAX 16

struct address {
    sa_family_t family; /* AF_INET or AF_INET6 */
    uint8_t bytes[16];  /* network order; the first 4 for AF_INET, the rest 0 */
    uint32_t scope;     /* an interface, for link-local IPv6; else 0 */
};

struct address_list {
    uint32_t count;
    struct address list[ADDRESS_LIST_MAX];
};

/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0", "fe80::1%2". False for anything else. */
bool address_parse(struct slice text, struct address *out);

/* What a user may give for a host and is an address: the above, and the short and numeric forms of
 * IPv4 that getaddrinfo knows ("127.1", "0x7f.1"). */
bool address_literal(const char *text, struct address *out);

#define ADDRESS_TEXT_MAX 64

/* The one form of its text, as address_parse takes it: with the scope's number, where it has one.
 */
void address_text(const struct address *a, char out[ADDRESS_TEXT_MAX]);

/* IPv4 in IPv6's clothes (::ffff:192.0.2.1) becomes IPv4. Whether it was. */
bool address_unmap(struct address *a);

/* 127.0.0.0/8, ::1. */
bool address_is_loopback(const struct address *a);

/* Returns the length of what was written to *out. */
socklen_t address_socket(const struct address *a, uint16_t port, struct sockaddr_storage *out);

/* IPv6 before IPv4, else in the order of adding; one that is there is not added again. When the
 * list is full, each family keeps up to half of the places (and more, as far as the other does not
 * need them). */
void address_list_add(struct address_list *l, const struct address *a);

#endif
