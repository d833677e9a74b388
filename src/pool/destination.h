/* What a connection is for: the key by which it is shared, packed into one piece of memory (a
 * struct ssh_host is many times larger). Private to the layer.
 *
 * Two wishes share a connection only when principal, user, address, port and credential set (key
 * files and known_hosts files) are the same: no identity rides on another's login. The name that
 * the host was asked for by is for messages and no part of the key. */
#ifndef SCOUT_POOL_DESTINATION_H
#define SCOUT_POOL_DESTINATION_H

#include "scout/ssh/ssh_config.h"

struct destination {
    uint32_t refs;              /* on the loop's thread only */
    uint32_t connect_timeout_s; /* 0: not set */
    uint16_t port;
    uint16_t identity_count, known_hosts_count;
    const char *principal, *name, *hostname, *user;
    const char *const *identities, *const *known_hosts; /* behind the text */
    char text[]; /* where all of them point: the parts of the key in the order in which they are
                    compared, each with its NUL, then the name */
};

/* NULL without memory. */
struct destination *destination_new(const struct ssh_host *host, const char *principal);
struct destination *destination_ref(struct destination *d);
void destination_free(struct destination *d);

uint64_t destination_hash(uint64_t seed, const struct ssh_host *host, const char *principal);
bool destination_is(const struct destination *d, const struct ssh_host *host,
                    const char *principal);

#endif
