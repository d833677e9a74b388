/* The HTTP side's life: a socket, an endpoint, and the pages beside it. */
#include "web.h"

#include "scout/base/time.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* ---- pages ---- */

static int write_health(void *context, struct buf *out)
{
    (void)context;
    return buf_append_str(out, "OK");
}

static int write_metrics(void *context, struct buf *out)
{
    const struct web *w = context;
    return metrics_write(w->metrics, out);
}

static int write_resource(void *context, struct buf *out)
{
    const struct web_access *a = &((const struct web *)context)->access;
    return a->oauth_servers[0] ? oauth_resource_write(a->audience, a->oauth_servers, out)
                               : SCOUT_E_NOT_FOUND;
}

/* ---- life ---- */

static void on_accept(struct listener *l, int fd)
{
    http_endpoint_accept(CONTAINER_OF(l, struct web, listener)->endpoint, fd);
}

static const struct listener_events events = {on_accept, NULL};

static void tell(struct web *w)
{
    struct sockaddr_storage to;
    socklen_t len = sizeof to;
    char host[INET6_ADDRSTRLEN] = "", port[8];
    if (io_file_address(&w->listener.file, &to, &len) != 0)
        return;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&to;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&to;
    bool is_v6 = to.ss_family == AF_INET6;
    inet_ntop(to.ss_family, is_v6 ? (const void *)&v6->sin6_addr : &v4->sin_addr, host,
              sizeof host);
    snprintf(port, sizeof port, "%u", ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
    log_event(w->log, LOG_INFO, "http_ready", "address", host, "port", port, "tls",
              w->has_tls ? "yes" : NULL, NULL);
}

/* Whether there is TLS at all is settled at the start. */
void web_apply(struct web *w, const struct settings *s, struct tls_server *tls, struct jwks *jwks)
{
    if (!w->endpoint)
        return;
    if (w->has_tls && tls)
        http_endpoint_use_tls(w->endpoint, tls);
    web_access_apply(&w->access, s, jwks);
}

static void make_pages(struct web *w)
{
    static const char json[] = "application/json";
    const struct http_page pages[WEB_PAGE_COUNT] = {
        {"/health", "text/plain", write_health, w},
        {"/metrics", METRICS_TYPE, write_metrics, w},
        {OAUTH_RESOURCE_PATH, json, write_resource, w},
        {OAUTH_RESOURCE_PATH "/mcp", json, write_resource, w},
    };
    memcpy(w->pages, pages, sizeof pages);
}

int web_open(struct web *w, const struct web_config *c)
{
    w->io = c->io;
    w->log = c->mcp->log;
    w->has_tls = c->tls;
    if (c->start->fd < 0)
        return 0;
    int error = web_access_init(&w->access, c->io, w->log, &c->start->keys, c->tokens);
    if (error)
        return error;
    w->metrics = c->metrics;
    make_pages(w);
    const struct settings *s = c->settings;
    const struct http_config config = {
        .io = c->io,
        .mcp = *c->mcp,
        .access = web_access_of(&w->access),
        .pages = w->pages,
        .page_count = WEB_PAGE_COUNT,
        .limits = {(uint32_t)s->http_connections, (uint32_t)s->http_address_connections},
        .tls = c->tls,
        .stats = &w->stats,
        .clients = c->clients};
    error = http_endpoint_new(&w->endpoint, &config);
    if (error)
        return error;
    w->access.endpoint = w->endpoint;
    web_apply(w, s, NULL, c->jwks);
    listener_adopt(&w->listener, c->io, c->start->fd, &events);
    tell(w);
    return 0;
}

void web_drain(struct web *w)
{
    if (!w->endpoint)
        return;
    listener_close(&w->listener);
    http_endpoint_drain(w->endpoint);
}

void web_end_calls(struct web *w)
{
    if (w->endpoint)
        http_endpoint_end_calls(w->endpoint);
}

bool web_is_idle(const struct web *w)
{
    return !w->endpoint || http_endpoint_is_idle(w->endpoint);
}

static void on_freed(void *context)
{
    struct web *w = context;
    w->endpoint = NULL;
    web_access_fini(&w->access);
    w->on_closed(w->closed_context);
}

void web_close(struct web *w, void (*on_closed)(void *context), void *context)
{
    w->on_closed = on_closed;
    w->closed_context = context;
    if (!w->endpoint) {
        on_closed(context);
        return;
    }
    w->access.endpoint = NULL;
    web_access_stop(&w->access);
    http_endpoint_free(w->endpoint, on_freed, w);
}
