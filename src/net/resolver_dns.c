/* c-ares on the loop: its sockets are polled (dns_sockets.c), its timer is a timer of the loop's.
 *
 * No file is read after resolver_dns_new: look-ups are "b" (DNS alone), aliases are off
 * ($HOSTALIASES names a file), the answers come unsorted (the sort of RFC 6724 opens and connects a
 * socket for each address), and c-ares' own cache, which newer versions have, is off.
 * Newer versions fail all questions of a socket when one answer on it cannot be parsed. There, each
 * name has a socket of its own (UDP_QUERIES_MAX), which also makes forged answers harder.
 *
 * ares_library_init is not called: on Linux it only counts, in a variable that all threads share.
 *
 * This is the only file with <ares.h>. */
#include "resolver_dns.h"

#include "dns_sockets.h"
#include "scout/base/error.h"
#include "scout/base/time.h"
#include <ares.h>
#include <assert.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define UDP_QUERIES_MAX 2 /* on one socket: a name's A and AAAA */

struct resolver_dns {
    struct io *io;
    ares_channel channel;
    struct dns_sockets sockets;
    uint32_t active;
    struct io_timer timer;
    struct io_task task; /* sets the timer once a pass; later, ends it all */
    void (*on_freed)(void *context);
    void *context;
    bool ending;
    char servers[RESOLVER_DNS_SERVERS_TEXT];
};

/* ---- time ---- */

static void on_timer(struct io_timer *timer);

static void on_task(struct io_task *task)
{
    struct resolver_dns *dns = CONTAINER_OF(task, struct resolver_dns, task);
    struct timeval left;
    if (dns->ending) {
        if (dns->sockets.count > 0)
            return; /* the last to be closed comes back here */
        dns->on_freed(dns->context);
        free(dns);
    } else if (ares_timeout(dns->channel, NULL, &left)) {
        /* One millisecond late rather than a little early, and again. */
        uint64_t wait = (uint64_t)left.tv_sec * NS_PER_S + (uint64_t)left.tv_usec * 1000;
        io_timer_start(dns->io, &dns->timer, io_now(dns->io) + wait + NS_PER_MS, on_timer);
    } else {
        io_timer_stop(dns->io, &dns->timer);
    }
}

/* c-ares went on: when it wants to be woken may have changed. */
static void touched(struct resolver_dns *dns)
{
    io_defer(dns->io, &dns->task, on_task);
}

static void process(struct resolver_dns *dns, int readable, int writable)
{
    ares_process_fd(dns->channel, readable, writable);
    touched(dns);
}

static void on_timer(struct io_timer *timer)
{
    process(CONTAINER_OF(timer, struct resolver_dns, timer), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* ---- sockets ---- */

static void on_readable(void *context, int fd)
{
    process(context, fd, ARES_SOCKET_BAD);
}

static void on_writable(void *context, int fd)
{
    process(context, ARES_SOCKET_BAD, fd);
}

static void on_closed(void *context)
{
    touched(context);
}

static const struct dns_socket_events socket_events = {on_readable, on_writable, on_closed};

/* c-ares says what it waits for on a socket; for nothing, just before it closes it. */
static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct resolver_dns *dns = data;
    dns_sockets_want(&dns->sockets, dns->io, fd, readable, writable);
}

/* ---- answers ---- */

static const char *reason_of(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return "no such name";
    case ARES_ENODATA:
        return "the name has no address";
    case ARES_ETIMEOUT:
        return "no name server answered in time";
    case ARES_ECONNREFUSED:
        return "no name server could be reached";
    case ARES_ESERVFAIL:
        return "the name servers failed (SERVFAIL)";
    case ARES_EREFUSED:
        return "the name servers refused to answer";
    case ARES_EBADNAME:
        return "not a valid name";
    default:
        return ares_strerror(status);
    }
}

static void shorten(uint32_t *ttl_s, int ttl)
{
    uint32_t seconds = ttl > 0 ? (uint32_t)ttl : 0;
    if (seconds < *ttl_s)
        *ttl_s = seconds;
}

static bool take_node(const struct ares_addrinfo_node *node, struct address *out)
{
    *out = (struct address){.family = (sa_family_t)node->ai_family};
    if (node->ai_family == AF_INET) {
        memcpy(out->bytes, &((const struct sockaddr_in *)(const void *)node->ai_addr)->sin_addr, 4);
        return true;
    }
    if (node->ai_family != AF_INET6)
        return false;
    memcpy(out->bytes, &((const struct sockaddr_in6 *)(const void *)node->ai_addr)->sin6_addr, 16);
    return true;
}

static void take_addresses(const struct ares_addrinfo *info, struct resolver_answer *answer)
{
    struct address address;
    answer->ttl_s = UINT32_MAX;
    for (const struct ares_addrinfo_cname *c = info->cnames; c; c = c->next)
        shorten(&answer->ttl_s, c->ttl);
    for (const struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next) {
        shorten(&answer->ttl_s, n->ai_ttl);
        if (take_node(n, &address))
            address_list_add(&answer->addresses, &address);
    }
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct resolver_ask *ask = arg;
    struct resolver_answer answer = {.addresses.count = 0};
    (void)timeouts;
    assert(ask->dns->active > 0);
    ask->dns->active--;
    if (status == ARES_SUCCESS && info)
        take_addresses(info, &answer);
    if (info)
        ares_freeaddrinfo(info);
    if (status == ARES_SUCCESS && answer.addresses.count == 0)
        status = ARES_ENODATA;
    if (status != ARES_SUCCESS) {
        answer.error = SCOUT_E_RESOLVE;
        if (status == ARES_ENOMEM)
            answer.error = SCOUT_E_NOMEM;
        else if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
            answer.error = SCOUT_E_CANCELLED;
        answer.absent = status == ARES_ENOTFOUND || status == ARES_ENODATA;
        answer.silent = status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED;
        answer.reason = reason_of(status);
    }
    ask->fn(ask, &answer);
}

void resolver_dns_ask(struct resolver_dns *dns, struct resolver_ask *ask, const char *name,
                      resolver_answer_fn *fn)
{
    const struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    assert(!dns->ending);
    *ask = (struct resolver_ask){.dns = dns, .fn = fn};
    dns->active++;
    touched(dns);
    ares_getaddrinfo(dns->channel, name, NULL, &hints, on_answer, ask);
}

/* ---- beginning and end ---- */

static int channel_new(struct resolver_dns *dns, const struct resolver_dns_config *config)
{
    int mask = ARES_OPT_FLAGS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF;
    struct ares_options options = {
        .flags = ARES_FLAG_NOALIASES,
        .lookups = (char[]){"b"},
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = dns,
        .resolvconf_path = (char *)(uintptr_t)config->resolv_conf, /* copied */
    };
    if (config->timeout_ms > 0) {
        options.timeout = config->timeout_ms > INT_MAX ? INT_MAX : (int)config->timeout_ms;
        mask |= ARES_OPT_TIMEOUTMS;
    }
    if (config->tries > 0) {
        options.tries = config->tries > INT_MAX ? INT_MAX : (int)config->tries;
        mask |= ARES_OPT_TRIES;
    }
#ifdef ARES_OPT_UDP_MAX_QUERIES
    options.udp_max_queries = UDP_QUERIES_MAX;
    mask |= ARES_OPT_UDP_MAX_QUERIES;
#endif
#ifdef ARES_OPT_QUERY_CACHE
    options.qcache_max_ttl = 0;
    mask |= ARES_OPT_QUERY_CACHE;
#endif
    return ares_init_options(&dns->channel, &options, mask);
}

/* What is asked, for messages. Not to know it is no failure. */
static void name_servers(struct resolver_dns *dns)
{
#if ARES_VERSION >= 0x011800
    char *list = ares_get_servers_csv(dns->channel);
    if (list)
        snprintf(dns->servers, sizeof dns->servers, "%s", list);
    ares_free_string(list);
#else
    struct ares_addr_port_node *list = NULL;
    size_t len = 0;
    if (ares_get_servers_ports(dns->channel, &list) != ARES_SUCCESS)
        return;
    for (struct ares_addr_port_node *n = list; n && len < sizeof dns->servers; n = n->next) {
        char text[INET6_ADDRSTRLEN] = "", port[8] = "";
        ares_inet_ntop(n->family, &n->addr, text, sizeof text);
        if (n->udp_port != 0)
            snprintf(port, sizeof port, ":%d", n->udp_port);
        bool six = n->family == AF_INET6 && port[0];
        len += (size_t)snprintf(dns->servers + len, sizeof dns->servers - len, "%s%s%s%s%s",
                                n == list ? "" : ",", six ? "[" : "", text, six ? "]" : "", port);
    }
    ares_free_data(list);
#endif
}

int resolver_dns_new(struct resolver_dns **out, const struct resolver_dns_config *config)
{
    struct resolver_dns *dns = calloc(1, sizeof *dns);
    if (!dns)
        return SCOUT_E_NOMEM;
    dns_sockets_init(&dns->sockets, &socket_events, dns);
    io_timer_init(&dns->timer);
    io_task_init(&dns->task);
    int status = channel_new(dns, config);
    if (status == ARES_SUCCESS && config->servers) {
        status = ares_set_servers_ports_csv(dns->channel, config->servers);
        if (status != ARES_SUCCESS)
            ares_destroy(dns->channel);
    }
    if (status != ARES_SUCCESS) {
        free(dns);
        return status == ARES_ENOMEM ? SCOUT_E_NOMEM : SCOUT_E_RESOLVE;
    }
    name_servers(dns);
    *out = dns;
    return 0;
}

void resolver_dns_attach(struct resolver_dns *dns, struct io *io, void (*on_freed)(void *context),
                         void *context)
{
    dns->io = io;
    dns->on_freed = on_freed;
    dns->context = context;
}

void resolver_dns_free(struct resolver_dns *dns)
{
    assert(dns->io && !dns->ending);
    ares_destroy(dns->channel); /* answers what is open, and lets go of its sockets */
    assert(dns->active == 0 && dns_sockets_are_let_go(&dns->sockets));
    dns->ending = true;
    io_timer_stop(dns->io, &dns->timer);
    touched(dns);
}

const char *resolver_dns_servers(const struct resolver_dns *dns)
{
    return dns->servers;
}

uint32_t resolver_dns_active(const struct resolver_dns *dns)
{
    return dns->active;
}
