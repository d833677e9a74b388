/* The endpoint: its connections, exchanges and sessions, and its end.
 *
 * It is freed when its owner said so and the last connection, exchange and seat have gone: calls
 * that were cancelled may take a while to end. Connections over the limits are closed without a
 * word: whoever floods would only be helped by an answer. */
#include "http_state.h"

#include "scout/base/container.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <time.h>

int http_endpoint_new(struct http_endpoint **out, const struct http_config *config)
{
    uint8_t key[SIPHASH_KEY_SIZE];
    struct http_endpoint *e = calloc(1, sizeof *e);
    if (!e)
        return SCOUT_E_NOMEM;
    e->config = *config;
    io_random(config->io, key, sizeof key);
    address_counts_init(&e->addresses, key);
    list_init(&e->connections);
    list_init(&e->exchanges);
    list_init(&e->sessions);
    list_init(&e->streams);
    list_init(&e->turns);
    list_init(&e->at_work);
    if (config->tls)
        e->tls = tls_server_ref(config->tls);
    for (size_t i = 0; i < HTTP_BUCKETS; i++)
        list_init(&e->buckets[i]);
    *out = e;
    return 0;
}

void http_endpoint_release(struct http_endpoint *e)
{
    if (!e->freed || e->connection_count || e->exchange_count || e->seat_count || e->secure_count)
        return;
    void (*on_freed)(void *context) = e->on_freed;
    void *context = e->freed_context;
    tls_server_unref(e->tls);
    address_counts_fini(&e->addresses);
    free(e);
    if (on_freed)
        on_freed(context);
}

const char *http_endpoint_date(struct http_endpoint *e)
{
    uint64_t now_s = io_wall_ms(e->config.io) / 1000;
    if (now_s != e->date_s || !e->date[0]) {
        time_t now = (time_t)now_s;
        struct tm tm;
        gmtime_r(&now, &tm);
        strftime(e->date, sizeof e->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        e->date_s = now_s;
    }
    return e->date;
}

bool http_endpoint_is_crowded(const struct http_endpoint *e, size_t more)
{
    return e->config.stats->unsent.bytes + more > HTTP_UNSENT_MAX;
}

/* IPv4 in IPv6's clothes is IPv4: limits and names are the same for both. */
static bool peer_address(int fd, struct address *out)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    *out = (struct address){.family = AF_INET};
    if (getpeername(fd, (struct sockaddr *)&from, &len) != 0)
        return false;
    if (from.ss_family == AF_INET) {
        memcpy(out->bytes, &((struct sockaddr_in *)&from)->sin_addr, 4);
        return true;
    }
    if (from.ss_family != AF_INET6)
        return false;
    out->family = AF_INET6;
    memcpy(out->bytes, &((struct sockaddr_in6 *)&from)->sin6_addr, 16);
    address_unmap(out);
    return true;
}

/* How many connections that address may have. */
static uint32_t most_of(const struct http_endpoint *e, const struct address *peer)
{
    const struct http_access *access = &e->config.access;
    bool speaks_for_many = access->is_proxy && access->is_proxy(access->context, peer);
    return speaks_for_many ? UINT32_MAX : e->config.limits.address_connections_max;
}

static void refuse(struct http_endpoint *e, int fd)
{
    e->config.stats->refused_connections++;
    io_discard(e->config.io, fd);
}

void http_endpoint_serve(struct http_endpoint *e, int fd, const struct address *peer)
{
    e->config.stats->connections++;
    if (e->draining || e->freed || e->connection_count >= e->config.limits.connections_max ||
        http_connection_open(e, fd, peer, most_of(e, peer)) != 0)
        refuse(e, fd);
}

void http_endpoint_accept(struct http_endpoint *e, int fd)
{
    struct address peer;
    if (peer_address(fd, &peer)) {
        http_endpoint_serve(e, fd, &peer);
        return;
    }
    e->config.stats->connections++;
    refuse(e, fd);
}

/* What lasts until its client wants no more would not end by itself. */
static void end_lasting(struct http_endpoint *e, bool all)
{
    struct list *next;
    for (struct list *n = e->exchanges.next; n != &e->exchanges; n = next) {
        const struct http_exchange *x = CONTAINER_OF(n, struct http_exchange, of_all);
        next = n->next;
        if (x->running && x->seat &&
            (all || (x->connection && http_secure_is_stale(x->connection))))
            mcp_session_end_lasting(x->seat->mcp);
    }
}

/* A certificate that was revoked shows in a handshake only: all that were believed have another.
 * What is being done is not undone by that. */
static void end_stale(struct http_endpoint *e)
{
    struct list *next;
    end_lasting(e, false);
    for (struct list *n = e->connections.next; n != &e->connections; n = next) {
        struct http_connection *c = CONTAINER_OF(n, struct http_connection, node);
        next = n->next;
        if (http_secure_is_stale(c) && !c->closing)
            http_connection_drain(c);
    }
}

void http_endpoint_use_tls(struct http_endpoint *e, struct tls_server *tls)
{
    tls_server_ref(tls);
    tls_server_unref(e->tls);
    e->tls = tls;
    end_stale(e);
}

static bool stands(const struct http_endpoint *e, struct identity *who,
                   const struct http_credential *by, const struct tls_peer *certificate)
{
    const struct http_access *access = &e->config.access;
    return !access->stands || access->stands(access->context, who, by, certificate);
}

/* A name may stand while one of its tokens or certificates does not. */
static void refresh_connection(struct http_endpoint *e, struct http_connection *c)
{
    struct http_admission *a = &c->admission;
    if (c->answering && !stands(e, &a->identity, &a->credential, http_secure_certificate(c)))
        http_connection_expel(c);
    else if (c->exchange && c->exchange->own) /* its role is that of now */
        stands(e, &c->exchange->own->identity, &c->exchange->own->credential, NULL);
}

void http_endpoint_refresh(struct http_endpoint *e)
{
    struct list *next;
    for (struct list *n = e->connections.next; n != &e->connections; n = n->next)
        refresh_connection(e, CONTAINER_OF(n, struct http_connection, node));
    for (struct list *n = e->sessions.next; n != &e->sessions; n = next) {
        struct http_session *s = CONTAINER_OF(n, struct http_session, of_all);
        next = n->next;
        if (!stands(e, &s->seat->identity, &s->seat->credential, NULL))
            http_session_end(s);
    }
}

void http_endpoint_drain(struct http_endpoint *e)
{
    struct list *next;
    e->draining = true;
    end_lasting(e, true);
    for (struct list *n = e->connections.next; n != &e->connections; n = next) {
        next = n->next;
        http_connection_drain(CONTAINER_OF(n, struct http_connection, node));
    }
}

void http_endpoint_end_calls(struct http_endpoint *e)
{
    struct list *next;
    for (struct list *n = e->sessions.next; n != &e->sessions; n = n->next)
        mcp_session_end_calls(CONTAINER_OF(n, struct http_session, of_all)->seat->mcp);
    for (struct list *n = e->exchanges.next; n != &e->exchanges; n = next) {
        const struct http_exchange *x = CONTAINER_OF(n, struct http_exchange, of_all);
        next = n->next;
        if (x->running && x->seat && x->seat == x->own)
            mcp_session_end_calls(x->seat->mcp);
    }
}

bool http_endpoint_is_idle(const struct http_endpoint *e)
{
    for (struct list *n = e->connections.next; n != &e->connections; n = n->next) {
        const struct http_connection *c = CONTAINER_OF(n, struct http_connection, node);
        if (!c->closing && (c->answering || http_connection_pending(c) > 0))
            return false;
    }
    return true;
}

void http_endpoint_free(struct http_endpoint *e, void (*on_freed)(void *context), void *context)
{
    struct list *next;
    e->draining = true;
    for (struct list *n = e->sessions.next; n != &e->sessions; n = next) {
        next = n->next;
        http_session_end(CONTAINER_OF(n, struct http_session, of_all));
    }
    for (struct list *n = e->connections.next; n != &e->connections; n = next) {
        next = n->next;
        http_connection_close(CONTAINER_OF(n, struct http_connection, node));
    }
    e->freed = true;
    e->on_freed = on_freed;
    e->freed_context = context;
    http_endpoint_release(e);
}
