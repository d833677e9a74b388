/* The daemon's HTTP side: its socket, the endpoint, and who is admitted. */
#ifndef SCOUT_DAEMON_WEB_H
#define SCOUT_DAEMON_WEB_H

#include "scout/http/endpoint.h"
#include "scout/net/listener.h"
#include "web_socket.h"

struct web {
    struct io *io;
    struct log *log;
    struct listener listener;
    struct http_endpoint *endpoint; /* NULL: HTTP is off */
    struct http_stats stats;
    struct token token;          /* the generated one */
    const struct tokens *tokens; /* those of the file, as they are now */
    bool has_tls;
    char names[SETTINGS_HOSTS_MAX], origins[SETTINGS_HOSTS_MAX];
    void (*on_closed)(void *context);
    void *closed_context;
};

/* Serves `start`, if it has a socket. `tokens`, what `mcp` names and `clients`, where clients of
 * all transports get their numbers from, live as long. 0, or
 * SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int web_open(struct web *w, struct io *io,
                                                 const struct web_start *start,
                                                 const struct settings *s, struct tls_server *tls,
                                                 const struct tokens *tokens,
                                                 const struct mcp_config *mcp, uint64_t *clients);
/* Other settings are in use, and maybe another certificate (NULL: none). */
void web_apply(struct web *w, const struct settings *s, struct tls_server *tls);
/* Takes nothing new; what is under way is answered. */
void web_drain(struct web *w);
bool web_is_idle(const struct web *w);
/* Ends it; `on_closed` comes, maybe at once. */
void web_close(struct web *w, void (*on_closed)(void *context), void *context);

#endif
