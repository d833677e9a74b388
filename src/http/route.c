/* Which resource a request is for, and whether its client may ask at all. All of that is decided by
 * the head, before a byte of a body is kept.
 *
 * Host must be an address, localhost or a name of this server: a page of a browser whose name leads
 * here by a trick of the DNS has its own name there. Origin, which only browsers send, must be this
 * server's own or one that is allowed. Then the client has to be admitted. */
#include "http_state.h"

#include "scout/http/header_values.h"
#include <stdlib.h>
#include <strings.h>

#define ENDPOINT_PATH "/mcp"

static const char nothing_here[] = "There is nothing here; the endpoint is " ENDPOINT_PATH;

static bool is_post(const struct http_request *q)
{
    return slice_is(q->method, "POST");
}

static bool is_localhost(struct slice name)
{
    static const char localhost[] = "localhost";
    return name.len == sizeof localhost - 1 &&
           strncasecmp((const char *)name.data, localhost, name.len) == 0;
}

static bool host_is_own(const struct http_connection *c, struct slice host)
{
    const struct http_access *access = &c->endpoint->config.access;
    struct address address;
    struct slice name = http_host_name(host);
    return address_parse(name, &address) || is_localhost(name) ||
           access->is_own_name(access->context, name);
}

static bool refuse(struct http_connection *c, int status, const char *why)
{
    http_respond_error(c, status, why);
    return false;
}

static bool refuse_method(struct http_connection *c, const char *allow)
{
    const struct http_response r = {
        .status = 405,
        .type = "application/json",
        .body = slice_str("{\"error\":\"This method is not possible here\"}"),
        .allow = allow};
    http_respond(c, &r);
    http_connection_answered(c);
    return false;
}

static bool check_names(struct http_connection *c)
{
    const struct http_access *access = &c->endpoint->config.access;
    struct slice host, origin;
    if (!http_request_header(&c->reader.request, "host", &host) || !host_is_own(c, host))
        return refuse(c, 421, "This server does not have the name that Host says");
    if (http_request_header(&c->reader.request, "origin", &origin) &&
        !http_origin_is(origin, host) && !access->is_allowed_origin(access->context, origin))
        return refuse(c, 403, "Pages of this Origin are not allowed here");
    return true;
}

static bool admit(struct http_connection *c)
{
    const struct http_access *access = &c->endpoint->config.access;
    c->admission = (struct http_admission){.status = 0};
    access->admit(access->context, &c->reader.request, &c->peer, http_secure_certificate(c),
                  &c->admission);
    return !c->admission.status || refuse(c, c->admission.status, c->admission.why);
}

static const struct http_page *page_find(const struct http_connection *c)
{
    const struct http_config *config = &c->endpoint->config;
    for (size_t i = 0; i < config->page_count; i++)
        if (slice_is(c->reader.request.path, config->pages[i].path))
            return &config->pages[i];
    return NULL;
}

static bool check_post(struct http_connection *c)
{
    struct slice type;
    if (!http_request_header(&c->reader.request, "content-type", &type) ||
        !http_list_has(type, "application/json"))
        return refuse(c, 415, "The body has to be application/json");
    return true;
}

bool http_route_head(struct http_connection *c)
{
    const struct http_access *access = &c->endpoint->config.access;
    const struct http_request *q = &c->reader.request;
    const struct http_page *page = page_find(c);
    if (!check_names(c))
        return false;
    if (page) {
        if (!slice_is(q->method, "GET"))
            return refuse_method(c, "GET");
        return access->page_is_open(access->context, q, &c->peer) || admit(c);
    }
    if (!slice_is(q->path, ENDPOINT_PATH))
        return refuse(c, 404, nothing_here);
    if (!is_post(q) && !slice_is(q->method, "GET") && !slice_is(q->method, "DELETE"))
        return refuse_method(c, "POST, GET, DELETE");
    return admit(c) && (!is_post(q) || check_post(c));
}

static void give_page(struct http_connection *c, const struct http_page *page)
{
    struct buf body;
    buf_init(&body, MCP_OUT_HIGH);
    struct http_response r = {.status = 200, .type = page->type};
    int error = page->write(page->context, &body);
    if (error == SCOUT_E_NOT_FOUND) {
        http_respond_error(c, 404, nothing_here);
    } else if (error) {
        http_respond_error(c, 500, "The page could not be written");
    } else {
        r.body = buf_peek(&body);
        http_respond(c, &r);
        http_connection_answered(c);
    }
    buf_fini(&body);
}

void http_route_whole(struct http_connection *c)
{
    const struct http_request *q = &c->reader.request;
    const struct http_page *page = page_find(c);
    struct slice id, version;
    struct http_session *s = NULL;
    if (page) {
        give_page(c, page);
        return;
    }
    bool has_version = http_request_header(q, "mcp-protocol-version", &version);
    bool modern = has_version && mcp_is_stateless_version(version);
    if (has_version && !modern && !is_post(q) && !mcp_is_session_version(version)) {
        http_respond_error(c, 400, "This MCP-Protocol-Version is not spoken here");
        return;
    }
    if (!modern && http_request_header(q, "mcp-session-id", &id)) {
        s = http_session_find(c->endpoint, id, &c->admission.identity);
        if (!s) {
            http_respond_error(c, 404, "There is no such session: begin with initialize");
            return;
        }
        http_session_touch(s);
    }
    if (is_post(q)) {
        http_exchange_start(c, s);
    } else if (!s) {
        refuse_method(c, "POST");
    } else if (slice_is(q->method, "GET")) {
        http_session_listen(s, c);
    } else {
        struct http_response r = {.status = 204};
        http_session_end(s);
        http_respond(c, &r);
        http_connection_answered(c);
    }
}
