/* A pool on a real ring, for benchmarks of the pool's API: no daemon, no MCP. */
#ifndef BENCH_POOL_CLIENT_H
#define BENCH_POOL_CLIENT_H

#include "scout/pool/pool.h"

#define POOL_CLIENT_DEADLINE_S 60 /* of each acquire and each wait */

struct pool_client {
    struct io *io;
    struct pool *pool;
    bool freed;
};

/* What all pools here have in common; to be changed before pool_client_open. */
struct pool_config pool_client_config(uint32_t connections);

/* 0, or -1 after telling stderr. */
__attribute__((warn_unused_result)) int pool_client_open(struct pool_client *c,
                                                         const struct pool_config *config);
/* All uses were released. */
void pool_client_close(struct pool_client *c);

uint64_t pool_client_deadline(const struct pool_client *c);

/* Runs the loop until `done` says so. 0, or -1 after POOL_CLIENT_DEADLINE_S. */
__attribute__((warn_unused_result)) int
pool_client_until(struct pool_client *c, bool (*done)(void *context), void *context);

/* A destination with one key and one known_hosts file. */
struct ssh_host pool_client_host(const char *address, uint16_t port, const char *user,
                                 const char *identity, const char *known_hosts);

/* Where to, from the command line: --address A --port P --user U --identity FILE
 * --known-hosts FILE. */
struct pool_target {
    const char *address, *user, *identity, *known_hosts;
    unsigned long port;
};

/* The entries of getopt_long for it, and what takes them: false when it is none of them, or when
 * its argument is wrong. */
#define POOL_TARGET_OPTIONS                                                                        \
    {"address", 1, 0, 'a'}, {"port", 1, 0, 'p'}, {"user", 1, 0, 'u'}, {"identity", 1, 0, 'i'},     \
    {                                                                                              \
        "known-hosts", 1, 0, 'h'                                                                   \
    }
bool pool_target_option(struct pool_target *t, int option, const char *argument);
/* Whether all of them were given. */
bool pool_target_is_whole(const struct pool_target *t);

/* The host `index` after the target's address: the light server's --addresses. */
struct ssh_host pool_target_host(const struct pool_target *t, uint32_t index);

#endif
