/* Host names to addresses, without ever blocking: c-ares on the loop, its file look-ups off;
 * /etc/hosts is read by our own loader; answers are kept for their TTL.
 *
 * A name is looked for in this order: is it an address; the hosts file; localhost (RFC 6761,
 * section 6.3: never asked for); what is remembered; the name servers and the search list of
 * resolv.conf. Both files are read again when they have changed; that is looked at when a query
 * comes, on a helper thread, and holds for the queries after it. Names that only NSS knows are not
 * known here.
 *
 * One resolver a loop. Queries for the same name share one look-up, which goes on when they are all
 * cancelled. */
#ifndef SCOUT_NET_RESOLVER_H
#define SCOUT_NET_RESOLVER_H

#include "scout/base/error.h"
#include "scout/io/io.h"
#include "scout/net/address.h"

#define RESOLVER_NAME_MAX       253  /* bytes, without a final dot */
#define RESOLVER_CACHE_MAX      4096 /* names, those that are being looked up included */
#define RESOLVER_LOOKUPS_MAX    128  /* names asked for at a time: so packets fit the buffers */
#define RESOLVER_ASKS_PER_PASS  64   /* so that a burst does not hold up the loop */
#define RESOLVER_TTL_MAX_S      300  /* a longer TTL is cut to this */
#define RESOLVER_TTL_MIN_S      1    /* a shorter one, 0 included, is raised to this */
#define RESOLVER_TTL_NEGATIVE_S 2    /* how long a name that does not exist is remembered */
#define RESOLVER_HOSTS_CHECK_MS 1000 /* at most this often is the hosts file looked at */
#define RESOLVER_CONF_CHECK_MS  5000 /* and resolv.conf */

struct resolver;

struct resolver_config {
    const char *hosts_file;  /* NULL: /etc/hosts */
    const char *resolv_conf; /* NULL: /etc/resolv.conf */
    const char *servers;     /* NULL: those of resolv_conf; else "127.0.0.1:5353", for tests */
    uint32_t timeout_ms;     /* of the first try; 0: resolv.conf's or c-ares' default */
    uint32_t tries;          /* 0: resolv.conf's or c-ares' default */
    uint32_t check_ms;       /* in place of both RESOLVER_*_CHECK_MS; 0: those; for tests */
};

struct resolver_query;

/* failure->error 0 and the addresses (borrowed for the call): IPv6 first, port 0; or
 * SCOUT_E_RESOLVE, SCOUT_E_CANCELLED, SCOUT_E_NOMEM with a text, and no addresses. Called once,
 * never from within a call of this header; the query is the owner's again. */
typedef void resolver_done_fn(struct resolver_query *q, const struct address_list *addresses,
                              const struct failure *failure);

/* Embedded in its owner; private. Zeroed memory is a query that is not under way. */
struct resolver_query {
    struct resolver *resolver; /* NULL: not under way */
    struct list node;          /* among those who wait for the same name, or those refused */
    resolver_done_fn *fn;
    int error; /* of one that is refused */
    const char *reason;
};

struct resolver_stats {
    uint64_t queries;
    uint64_t cache_hits, hosts_hits; /* localhost counts as the latter */
    uint64_t shared;                 /* joined a look-up that was under way */
    uint64_t sent;                   /* look-ups that went to the name servers */
    uint64_t failures;               /* of those */
    uint64_t refused;                /* queries: not a name, or too many names */
    uint64_t hosts_reads, conf_reads;
    uint32_t cached, asked; /* names, now */
};

/* The strings of the config are borrowed until on_freed. Reads resolv.conf at once: call it before
 * the loop runs. Returns 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int resolver_new(struct resolver **out, struct io *io,
                                                     const struct resolver_config *config);
/* Ends every query that is under way (their callbacks come, with SCOUT_E_CANCELLED unless an answer
 * was there already), then calls `on_freed` (may be NULL) when all its files are closed. Neither
 * comes from within this call. A query that starts meanwhile ends with SCOUT_E_CANCELLED. */
void resolver_free(struct resolver *r, void (*on_freed)(void *context), void *context);

/* `name`: a host name, with or without a final dot (with: the search list is not used); it is
 * copied. */
void resolver_start(struct resolver *r, struct resolver_query *q, const char *name,
                    resolver_done_fn *fn);
/* The callback does not come any more. No effect on a query that is not under way. */
void resolver_cancel(struct resolver_query *q);

/* "192.0.2.1,192.0.2.2": the name servers that are asked now, for messages; "" when there are none.
 * Valid until the loop runs again. */
const char *resolver_servers(const struct resolver *r);

const struct resolver_stats *resolver_stats(struct resolver *r);

#endif
