/* MCP over Streamable HTTP: one endpoint, `/mcp`, beside a few pages for operators.
 *
 * Revision 2026-07-28 is served without state: each POST is a message of its own. The older ones
 * have sessions (`Mcp-Session-Id`, from `initialize` to DELETE or HTTP_SESSION_IDLE_MS), whose
 * streams can be taken up again after a lost connection (`Last-Event-ID`). A POST is answered with
 * JSON, or, as soon as anything is to be said before the answer, with server-sent events.
 *
 * Who may do what is asked of `access`, for each request anew, before its body is read. */
#ifndef SCOUT_HTTP_ENDPOINT_H
#define SCOUT_HTTP_ENDPOINT_H

#include "scout/mcp/session.h"
#include "scout/net/address.h"
#include "scout/net/http_request.h"
#include "scout/net/stream.h"
#include "scout/net/tls.h"

#define HTTP_BODY_MAX          MCP_LINE_MAX
#define HTTP_REQUEST_TIME_MS   30000  /* from a request's first byte to its last */
#define HTTP_IDLE_TIME_MS      120000 /* without a request */
#define HTTP_STALL_TIME_MS     60000  /* of a client that takes nothing of its answer */
#define HTTP_KEEPALIVE_MS      15000  /* between two signs of life of a silent stream */
#define HTTP_SESSIONS_MAX      4096
#define HTTP_NAME_SESSIONS_MAX 1024 /* of one name; the one that was idle longest makes room */
#define HTTP_KEPT_MAX          (64u * 1024u * 1024u) /* bytes of events that are kept, for all sessions */
/* Bytes that wait to be sent by all connections; then one with more than HTTP_CROWDED_MAX gets
 * errors instead of results, no further request of it is taken, and no stream is taken up again. */
#define HTTP_UNSENT_MAX      (UINT64_C(256) * 1024 * 1024)
#define HTTP_CROWDED_MAX     (64u * 1024u)
#define HTTP_CROWDED_RETRY_S 5 /* what the client is told then */
#define HTTP_SESSION_IDLE_MS (30 * 60000)

/* By what somebody was admitted, for `stands` to tell it from others of the same name. */
struct http_credential {
    uint8_t kind, hash[32]; /* what `access` makes of them */
    uint64_t expires_s;     /* since 1970; then its streams end. 0: never */
};

/* What was decided about a request before its body is looked at. */
struct http_admission {
    struct identity identity;
    struct http_credential credential;
    int status;             /* 0: admitted; else the status that it is refused with */
    const char *why;        /* for the client. It stands until the next call */
    const char *challenge;  /* of 400, 401: the value of WWW-Authenticate, likewise; NULL: none */
    uint32_t retry_after_s; /* of 429 */
};

struct http_access {
    /* `certificate`: the client's, which was found good; NULL: it showed none. */
    void (*admit)(void *context, const struct http_request *request, const struct address *peer,
                  const struct tls_peer *certificate, struct http_admission *out);
    /* The client showed a certificate that is not good: its handshake failed. NULL: untold. */
    void (*certificate_refused)(void *context, const struct address *peer, const char *why);
    /* Whether the page that is asked for is there for who is not admitted, too. */
    bool (*page_is_open)(void *context, const struct http_request *request,
                         const struct address *peer);
    /* Whether the Host or Origin names this server: `name` without scheme and port. */
    bool (*is_own_name)(void *context, struct slice name);
    bool (*is_allowed_origin)(void *context, struct slice origin);
    /* Whether the limit of one address does not hold for it: it speaks for many. NULL: for none. */
    bool (*is_proxy)(void *context, const struct address *peer);
    /* Whether who was admitted as that would be still, with the role of now; by that certificate,
     * if there is one. NULL: always. */
    bool (*stands)(void *context, struct identity *identity, const struct http_credential *by,
                   const struct tls_peer *certificate);
    void *context;
};

/* A GET of `path` gives what `write` appends; 404 for SCOUT_E_NOT_FOUND. */
struct http_page {
    const char *path, *type;
    int (*write)(void *context, struct buf *out); /* 0 or a negative error */
    void *context;
};

struct http_limits {
    uint32_t connections_max;
    uint32_t address_connections_max; /* of one address */
};

struct http_stats {
    uint64_t connections, refused_connections, requests, responses[6]; /* by the status' hundreds */
    uint64_t crowded;                        /* results that were refused for want of room */
    struct stream_tally unsent;              /* bytes that wait to be sent */
    uint64_t handshakes, handshake_failures; /* of TLS, that came to an end */
    uint64_t certificates_refused;           /* of clients */
    uint32_t open, sessions, streams;
    struct histogram request_times;   /* ns from a whole request to the end of its answer */
    struct histogram handshake_times; /* ns from a connection's begin to the end of its handshake */
};

struct http_config {
    struct io *io;
    struct mcp_config mcp; /* its identity is each request's own */
    struct http_access access;
    const struct http_page *pages;
    size_t page_count;
    struct http_limits limits;
    struct tls_server *tls; /* a reference is taken; NULL: no TLS */
    struct http_stats *stats;
    uint64_t *clients; /* the last number that a client was given, of whatever transport */
};

struct http_endpoint;

__attribute__((warn_unused_result)) int http_endpoint_new(struct http_endpoint **out,
                                                          const struct http_config *config);
/* Serves a connected descriptor; it is the endpoint's from now on, whatever comes of it. */
void http_endpoint_accept(struct http_endpoint *e, int fd);
/* The same, for a descriptor whose peer is known: of the simulation, for tests. */
void http_endpoint_serve(struct http_endpoint *e, int fd, const struct address *peer);
/* Connections from now on get that certificate. There must have been one. Those whose clients' own
 * certificates were believed by other authorities, or another list of what was revoked, end with
 * what they are doing. */
void http_endpoint_use_tls(struct http_endpoint *e, struct tls_server *tls);
/* What `access` goes by has changed: sessions and streams of those who are not admitted any more
 * end, requests of theirs get 401, the others have their roles of now. Not from within anything of
 * the endpoint's. */
void http_endpoint_refresh(struct http_endpoint *e);
/* Takes no further request; `on_idle` comes when all that were begun have been answered. */
void http_endpoint_drain(struct http_endpoint *e);
/* Of one that drains: what is under way ends early, and is answered. Not from within anything of
 * the endpoint's. */
void http_endpoint_end_calls(struct http_endpoint *e);
bool http_endpoint_is_idle(const struct http_endpoint *e);
/* What is under way is cancelled; `on_freed` comes, maybe at once, when nothing is in use any more.
 */
void http_endpoint_free(struct http_endpoint *e, void (*on_freed)(void *context), void *context);

#endif
