/* What a connection is for: the key by which it is shared, packed into one piece of memory. Private
 * to the layer.
 *
 * Two wishes share a connection only when principal, user, address, port and credential set (key
 * files, agent and known_hosts files) are the same, the hosts on the way to it are, and all else of
 * the ssh configuration that a connection goes by: no identity rides on another's login, and when
 * the configuration changes, the connections stay that it does not touch. The name that the host
 * was asked for by is for messages and no part of the key, and neither is how long and how often a
 * connect is tried. */
#ifndef SCOUT_POOL_DESTINATION_H
#define SCOUT_POOL_DESTINATION_H

#include "scout/ssh/ssh_config.h"

/* All of the key that is no text; without padding. */
struct destination_numbers {
    uint32_t flags, alive_interval_s, alive_count_max;
    uint16_t port;
    uint8_t family, strict;
    uint8_t counts[4]; /* of the lists of files */
};

struct destination {
    uint32_t refs; /* on the loop's thread only */
    struct destination_numbers numbers;
    const char *principal;
    struct destination *via;     /* of host->via, which is its host */
    const struct ssh_host *host; /* behind the text; its strings are in it */
    char text[]; /* the texts of the key in the order in which they are compared, each with its NUL
                  */
};

/* NULL without memory. */
struct destination *destination_new(const struct ssh_host *host, const char *principal);
struct destination *destination_ref(struct destination *d);
void destination_free(struct destination *d);

uint64_t destination_hash(uint64_t seed, const struct ssh_host *host, const char *principal);
bool destination_is(const struct destination *d, const struct ssh_host *host,
                    const char *principal);

#endif
