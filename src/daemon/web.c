/* Who may use the HTTP endpoint: whoever shows a token, in `Authorization: Bearer` or `X-API-Key`.
 * Its name and role are the token's; nothing else that a client says counts. A token is compared by
 * its hash, in constant time; of a wrong one the log has 8 digits of the hash, never itself. */
#include "web.h"

#include "scout/base/time.h"
#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WEB_UID UINT32_MAX /* no user of this machine */

/* ---- lists of the settings ---- */

static bool list_has(const char *list, struct slice word)
{
    for (const char *at = list; *at; at += strspn(at, ", ")) {
        size_t len = strcspn(at, ", ");
        if (len == word.len && len > 0 && strncasecmp(at, (const char *)word.data, len) == 0)
            return true;
        at += len;
    }
    return false;
}

static bool is_own_name(void *context, struct slice name)
{
    return list_has(((struct web *)context)->names, name);
}

static bool is_allowed_origin(void *context, struct slice origin)
{
    return list_has(((struct web *)context)->origins, origin);
}

/* ---- admission ---- */

static void log_wrong_token(const struct web *w, struct slice token, const struct address *peer)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    char from[INET6_ADDRSTRLEN] = "", digits[9];
    inet_ntop(peer->family, peer->bytes, from, sizeof from);
    SHA256(token.data, token.len, hash);
    snprintf(digits, sizeof digits, "%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
    log_event(w->log, LOG_WARN, "token_refused", "token_sha256", digits, "peer", from, NULL);
}

static const struct token *find_token(const struct web *w, struct slice text)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    const struct token *found = tokens_find(w->tokens, text);
    SHA256(text.data, text.len, hash);
    bool is_own = CRYPTO_memcmp(hash, w->token.hash, sizeof hash) == 0;
    return found ? found : is_own ? &w->token : NULL;
}

/* The token that the request shows. Two that differ are none. */
static bool take_token(const struct http_request *q, struct slice *out)
{
    static const char scheme[] = "Bearer ";
    struct slice bearer, key;
    bool has_key = http_request_header(q, "x-api-key", &key) && key.len > 0;
    bool has_bearer = http_request_header(q, "authorization", &bearer) &&
                      bearer.len >= sizeof scheme &&
                      strncasecmp((const char *)bearer.data, scheme, sizeof scheme - 1) == 0;
    if (has_bearer)
        bearer = slice_skip(bearer, sizeof scheme - 1);
    *out = has_bearer ? bearer : key;
    return has_bearer ? !has_key || slice_equal(bearer, key) : has_key;
}

static void admit(void *context, const struct http_request *q, const struct address *peer,
                  struct http_admission *out)
{
    struct web *w = context;
    struct slice text;
    out->status = 401;
    out->challenge = "Bearer realm=\"scoutd\"";
    if (!take_token(q, &text)) {
        out->why = "Missing API key";
        return;
    }
    const struct token *token = text.len <= TOKEN_LEN_MAX ? find_token(w, text) : NULL;
    if (!token) {
        log_wrong_token(w, text, peer);
        out->why = "Invalid API key";
        return;
    }
    out->status = 0;
    out->identity = (struct identity){.role = token->role, .uid = WEB_UID};
    snprintf(out->identity.name, sizeof out->identity.name, "%s", token->name);
}

static bool page_is_open(void *context, const char *path, const struct address *peer)
{
    (void)context;
    return strcmp(path, "/health") == 0 || address_is_loopback(peer);
}

/* ---- pages ---- */

static int write_health(void *context, struct buf *out)
{
    (void)context;
    return buf_append_str(out, "OK");
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
void web_apply(struct web *w, const struct settings *s, struct tls_server *tls)
{
    if (w->endpoint && w->has_tls && tls)
        http_endpoint_use_tls(w->endpoint, tls);
    strcpy(w->names, s->http_names);
    strcpy(w->origins, s->http_origins);
    w->token.role = s->role;
}

int web_open(struct web *w, struct io *io, const struct web_start *start, const struct settings *s,
             struct tls_server *tls, const struct tokens *tokens, const struct mcp_config *mcp,
             uint64_t *clients)
{
    static const struct http_page pages[] = {{"/health", "text/plain", write_health, NULL}};
    w->io = io;
    w->log = mcp->log;
    w->tokens = tokens;
    w->token = start->token;
    w->has_tls = tls;
    web_apply(w, s, NULL);
    if (start->fd < 0)
        return 0;
    const struct http_config config = {
        .io = io,
        .mcp = *mcp,
        .access = {admit, page_is_open, is_own_name, is_allowed_origin, w},
        .pages = pages,
        .page_count = sizeof pages / sizeof pages[0],
        .limits = {(uint32_t)s->http_connections, (uint32_t)s->http_address_connections},
        .tls = tls,
        .stats = &w->stats,
        .clients = clients};
    int error = http_endpoint_new(&w->endpoint, &config);
    if (error)
        return error;
    listener_adopt(&w->listener, io, start->fd, &events);
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

bool web_is_idle(const struct web *w)
{
    return !w->endpoint || http_endpoint_is_idle(w->endpoint);
}

static void on_freed(void *context)
{
    struct web *w = context;
    w->endpoint = NULL;
    w->on_closed(w->closed_context);
}

void web_close(struct web *w, void (*on_closed)(void *context), void *context)
{
    w->on_closed = on_closed;
    w->closed_context = context;
    if (w->endpoint)
        http_endpoint_free(w->endpoint, on_freed, w);
    else
        on_closed(context);
}
