/* scoutd-conformance --http 127.0.0.1:PORT
 *
 * Serves what the official conformance suite of MCP calls (fixture.h) on scoutd's own dispatcher
 * and HTTP endpoint, to whoever connects. For tests alone; it is never installed. Port 0: any that
 * is free. Prints the address when it serves. */
#include "fixture.h"
#include "scout/http/endpoint.h"
#include "scout/net/listener.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_TIMEOUT_NS 60000000000u

struct server {
    struct listener listener;
    struct http_endpoint *endpoint;
};

static void admit(void *context, const struct http_request *q, const struct address *peer,
                  struct http_admission *out)
{
    (void)context;
    (void)q;
    (void)peer;
    out->identity = (struct identity){.name = "suite", .role = ROLE_OPERATOR};
}

static bool page_is_open(void *context, const struct http_request *q, const struct address *peer)
{
    (void)context;
    (void)q;
    (void)peer;
    return true;
}

static bool is_none(void *context, struct slice name)
{
    (void)context;
    (void)name;
    return false;
}

static void on_accept(struct listener *l, int fd)
{
    http_endpoint_accept(CONTAINER_OF(l, struct server, listener)->endpoint, fd);
}

static bool parse_address(const char *text, struct sockaddr_in *out)
{
    unsigned port;
    char host[32];
    *out = (struct sockaddr_in){.sin_family = AF_INET};
    if (sscanf(text, "%31[0-9.]:%u", host, &port) != 2 || port > 65535)
        return false;
    out->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static void make_registry(struct tool_registry *r, struct tool_view *view, struct io *io)
{
    static const struct tool *tools[64];
    for (size_t i = 0; i < fixture_tool_count; i++)
        tools[r->count++] = fixture_tools[i];
    for (size_t i = 0; i < fixture_asking_tool_count; i++)
        tools[r->count++] = fixture_asking_tools[i];
    r->tools = tools;
    r->methods = fixture_methods;
    r->method_count = fixture_method_count;
    r->prompts = &fixture_prompts;
    r->tools_change = r->prompts_change = r->logs = true;
    r->io = io;
    r->view = view;
}

static void print_address(const struct listener *l)
{
    struct sockaddr_storage to;
    socklen_t len = sizeof to;
    if (io_file_address(&l->file, &to, &len) == 0)
        printf("http://127.0.0.1:%u/mcp\n", ntohs(((struct sockaddr_in *)&to)->sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct listener_events events = {on_accept, NULL};
    static const struct mcp_limits limits = {.call_timeout_ns = CALL_TIMEOUT_NS};
    static struct tool_registry registry;
    static struct tool_view view;
    static struct mcp_state_key key;
    static struct mcp_stats stats;
    static struct http_stats http_stats;
    static uint64_t clients;
    static struct server server;
    const struct io_ring_config ring = {0};
    struct sockaddr_in to;
    struct io *io;
    char why[512];
    if (argc != 3 || strcmp(argv[1], "--http") != 0 || !parse_address(argv[2], &to)) {
        fprintf(stderr, "usage: scoutd-conformance --http 127.0.0.1:PORT\n");
        return 2;
    }
    if (io_ring_open(&io, &ring, why, sizeof why) != 0) {
        fprintf(stderr, "scoutd-conformance: %s\n", why);
        return 1;
    }
    io_random(io, key.bytes, sizeof key.bytes);
    make_registry(&registry, &view, io);
    const struct http_config config = {.io = io,
                                       .mcp = {.registry = &registry,
                                               .server_name = "scoutd-conformance",
                                               .server_version = "1.0.0",
                                               .limits = &limits,
                                               .stats = &stats,
                                               .state_key = &key},
                                       .access = {.admit = admit,
                                                  .page_is_open = page_is_open,
                                                  .is_own_name = is_none,
                                                  .is_allowed_origin = is_none},
                                       .limits = {256, 256},
                                       .stats = &http_stats,
                                       .clients = &clients};
    if (http_endpoint_new(&server.endpoint, &config) != 0 ||
        listener_open(&server.listener, io, (struct sockaddr *)&to, sizeof to, &events) != 0) {
        fprintf(stderr, "scoutd-conformance: cannot listen on %s\n", argv[2]);
        return 1;
    }
    print_address(&server.listener);
    io_run(io);
    return 0;
}
