/* Asking name servers: c-ares on the loop. Private to the resolver. */
#ifndef SCOUT_NET_RESOLVER_DNS_H
#define SCOUT_NET_RESOLVER_DNS_H

#include "scout/io/io.h"
#include "scout/net/address.h"

#define RESOLVER_DNS_SERVERS_TEXT 160 /* bytes of the list of servers, for messages */

struct resolver_dns;
struct resolver_ask;

struct resolver_dns_config {
    const char *resolv_conf; /* never NULL */
    const char *servers;     /* NULL: those of resolv_conf */
    uint32_t timeout_ms, tries;
};

struct resolver_answer {
    int error;          /* 0, or SCOUT_E_RESOLVE, SCOUT_E_NOMEM, SCOUT_E_CANCELLED */
    bool absent;        /* with SCOUT_E_RESOLVE: the servers know that there is no such address */
    bool silent;        /* with SCOUT_E_RESOLVE: no server answered */
    const char *reason; /* of an error; static, or c-ares' own text */
    uint32_t ttl_s;     /* the shortest of all records on the way */
    struct address_list addresses;
};

/* May come from within resolver_dns_ask. It must not call anything of this header. */
typedef void resolver_answer_fn(struct resolver_ask *ask, const struct resolver_answer *answer);

/* One question; embedded in its owner, whose memory must stay until the answer. */
struct resolver_ask {
    struct resolver_dns *dns;
    resolver_answer_fn *fn;
};

/* Reads resolv.conf: this blocks, and may be done on another thread than the loop's. Returns 0,
 * SCOUT_E_NOMEM, or SCOUT_E_RESOLVE when the configuration cannot be read. */
__attribute__((warn_unused_result)) int resolver_dns_new(struct resolver_dns **out,
                                                         const struct resolver_dns_config *config);

/* Before anything else, on the loop's thread. `on_freed` is for resolver_dns_free. */
void resolver_dns_attach(struct resolver_dns *dns, struct io *io, void (*on_freed)(void *context),
                         void *context);

/* Asks for the IPv4 and IPv6 addresses of `name`, with the search list of resolv.conf. The answer
 * comes exactly once. */
void resolver_dns_ask(struct resolver_dns *dns, struct resolver_ask *ask, const char *name,
                      resolver_answer_fn *fn);

/* Answers all questions (SCOUT_E_CANCELLED), at once; `on_freed` comes later, when the sockets are
 * closed. Not from within a resolver_answer_fn. */
void resolver_dns_free(struct resolver_dns *dns);

/* "192.0.2.1,192.0.2.2": who is asked. Lives as long as `dns`. */
const char *resolver_dns_servers(const struct resolver_dns *dns);

/* Questions without an answer yet. */
uint32_t resolver_dns_active(const struct resolver_dns *dns);

#endif
