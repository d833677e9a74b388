/* The daemon's HTTP side: its socket, the endpoint, and who is admitted. */
#ifndef SCOUT_DAEMON_WEB_H
#define SCOUT_DAEMON_WEB_H

#include "metrics.h"
#include "scout/http/endpoint.h"
#include "scout/net/listener.h"
#include "web_access.h"
#include "web_socket.h"

#define WEB_PAGE_COUNT 4

struct web {
    struct io *io;
    struct log *log;
    struct listener listener;
    struct http_endpoint *endpoint; /* NULL: HTTP is off */
    struct web_access access;       /* while there is an endpoint */
    struct http_stats stats;
    struct http_page pages[WEB_PAGE_COUNT];
    const struct metrics_source *metrics;
    bool has_tls;
    void (*on_closed)(void *context);
    void *closed_context;
};

/* All that it points to lives as long as what is opened, but for the settings. */
struct web_config {
    struct io *io;
    const struct web_start *start;
    const struct settings *settings;
    struct tls_server *tls; /* NULL: none */
    struct jwks *jwks;      /* likewise */
    const struct tokens *tokens;
    const struct mcp_config *mcp;
    const struct metrics_source *metrics;
    uint64_t *clients; /* where clients of all transports get their numbers from */
};

/* Serves `start`, if it has a socket. 0, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int web_open(struct web *w, const struct web_config *c);
/* Other settings are in use, and maybe another certificate and other keys of who signs tokens
 * (NULL: none). References are taken. */
void web_apply(struct web *w, const struct settings *s, struct tls_server *tls, struct jwks *jwks);
/* Takes nothing new; what is under way is answered. */
void web_drain(struct web *w);
/* What is under way ends early, and is answered. */
void web_end_calls(struct web *w);
bool web_is_idle(const struct web *w);
/* Ends it; `on_closed` comes, maybe at once. */
void web_close(struct web *w, void (*on_closed)(void *context), void *context);

#endif
