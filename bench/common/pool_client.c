/* The pool without the daemon; see pool_client.h. */
#include "pool_client.h"

#include "bench.h"
#include "option.h"
#include "scout/base/time.h"
#include "scout/ssh/session.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/resource.h>

#define TURN_NS (100 * NS_PER_MS)

struct pool_config pool_client_config(uint32_t connections)
{
    return (struct pool_config){
        .connections_max = connections,
        .requests_max = 65536,
        .queue_max = 65536,
        .connect_timeout_ns = POOL_CLIENT_DEADLINE_S * NS_PER_S,
        .idle_timeout_ns = 3600 * NS_PER_S, /* nothing is closed while it is measured */
    };
}

static void raise_limits(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

int pool_client_open(struct pool_client *c, const struct pool_config *config)
{
    char why[256] = "";
    const struct io_ring_config ring = {0};
    *c = (struct pool_client){0};
    raise_limits();
    if (ssh_engine_init() != 0 || io_ring_open(&c->io, &ring, why, sizeof why) != 0 ||
        pool_new(&c->pool, c->io, config) != 0) {
        fprintf(stderr, "bench: no pool: %s\n", why);
        return -1;
    }
    return 0;
}

static void on_freed(void *context)
{
    ((struct pool_client *)context)->freed = true;
}

void pool_client_close(struct pool_client *c)
{
    pool_free(c->pool, on_freed, c);
    while (!c->freed)
        io_run_once(c->io, TURN_NS);
    io_free(c->io);
    ssh_engine_exit();
}

uint64_t pool_client_deadline(const struct pool_client *c)
{
    return io_now(c->io) + POOL_CLIENT_DEADLINE_S * NS_PER_S;
}

int pool_client_until(struct pool_client *c, bool (*done)(void *context), void *context)
{
    uint64_t end = pool_client_deadline(c);
    while (!done(context)) {
        if (io_now(c->io) > end) {
            fprintf(stderr, "bench: not done after %d s\n", POOL_CLIENT_DEADLINE_S);
            return -1;
        }
        io_run_once(c->io, TURN_NS);
    }
    return 0;
}

struct ssh_host pool_client_host(const char *address, uint16_t port, const char *user,
                                 const char *identity, const char *known_hosts)
{
    struct ssh_host h = {.port = port, .identity_count = 1, .known_hosts_count = 1};
    snprintf(h.name, sizeof h.name, "%s", address);
    snprintf(h.hostname, sizeof h.hostname, "%s", address);
    snprintf(h.user, sizeof h.user, "%s", user);
    h.identities[0] = identity;
    h.known_hosts[0] = known_hosts;
    return h;
}

bool pool_target_option(struct pool_target *t, int option, const char *argument)
{
    switch (option) {
    case 'a':
        t->address = argument;
        return true;
    case 'p':
        return option_number(argument, 1, 65535, &t->port);
    case 'u':
        t->user = argument;
        return true;
    case 'i':
        t->identity = argument;
        return true;
    case 'h':
        t->known_hosts = argument;
        return true;
    default:
        return false;
    }
}

bool pool_target_is_whole(const struct pool_target *t)
{
    return t->address && t->port && t->user && t->identity && t->known_hosts;
}

struct ssh_host pool_target_host(const struct pool_target *t, uint32_t index)
{
    struct in_addr a;
    char text[INET_ADDRSTRLEN];
    /* tests/lightsshd/listen.c counts its addresses in the same way. */
    if (inet_pton(AF_INET, t->address, &a) == 1)
        a.s_addr = htonl(ntohl(a.s_addr) + index + index / 254 * 2);
    inet_ntop(AF_INET, &a, text, sizeof text);
    return pool_client_host(text, (uint16_t)t->port, t->user, t->identity, t->known_hosts);
}
