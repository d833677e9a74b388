/* scoutd-conformance --http 127.0.0.1:PORT [--socket PATH] [--connections N]
 *
 * Serves what the official conformance suite of MCP calls (fixture.h) on scoutd's own dispatcher
 * and HTTP endpoint, to whoever connects, and at PATH, one message a line. At most N (256) clients
 * at once by HTTP. For tests and benchmarks alone; it is never installed. Port 0: any that is free.
 * Prints the address when it serves. Without PATH, SIGTERM ends what is under way, and the program
 * when nothing of it is left: the loop asserts that. */
#include "fixture.h"
#include "lines.h"
#include "scout/http/endpoint.h"
#include "scout/net/listener.h"
#include "scout/tools/job_table.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <unistd.h>

#define CALL_TIMEOUT_NS 60000000000u
#define DETACH_AFTER_NS 45000000000u
#define CONNECTIONS_MAX 100000u

struct server {
    struct listener listener, lines;
    struct http_endpoint *endpoint;
    struct mcp_config mcp;
    struct io *io;
    struct io_file signal_file;
    struct io_op signal_op;
    struct signalfd_siginfo signal;
};

struct options {
    struct sockaddr_in http;
    const char *socket;
    uint32_t connections;
};

static void admit(void *context, const struct http_request *q, const struct address *peer,
                  const struct tls_peer *certificate, struct http_admission *out)
{
    (void)context;
    (void)q;
    (void)peer;
    (void)certificate;
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

static void on_accept_lines(struct listener *l, int fd)
{
    struct server *server = CONTAINER_OF(l, struct server, lines);
    lines_accept(server->io, fd, &server->mcp);
}

/* ---- the end ---- */

static void on_freed(void *context)
{
    struct server *s = context;
    io_close(&s->signal_file, NULL);
    io_stop(s->io);
}

static void on_signal(struct io_op *op, struct io_event event)
{
    struct server *s = CONTAINER_OF(op, struct server, signal_op);
    if (event.res <= 0)
        return;
    listener_close(&s->listener);
    http_endpoint_drain(s->endpoint);
    http_endpoint_free(s->endpoint, on_freed, s);
}

static void await_signal(struct server *s)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    io_op_init(&s->signal_op);
    io_file_adopt(s->io, &s->signal_file, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    io_read(&s->signal_file, &s->signal_op, &s->signal, sizeof s->signal, -1, on_signal);
}

/* ---- the begin ---- */

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
    for (size_t i = 0; i < fixture_task_tool_count; i++)
        tools[r->count++] = fixture_task_tools[i];
    r->tools = tools;
    r->methods = fixture_methods;
    r->method_count = fixture_method_count;
    r->prompts = &fixture_prompts;
    r->tools_change = r->prompts_change = r->logs = true;
    r->io = io;
    r->view = view;
    view->detach_after_ns = DETACH_AFTER_NS;
    view->job_timeout_ns = 60 * DETACH_AFTER_NS;
    r->jobs = job_table_new(io, NULL);
}

static void print_address(const struct listener *l)
{
    struct sockaddr_storage to;
    socklen_t len = sizeof to;
    if (io_file_address(&l->file, &to, &len) == 0)
        printf("http://127.0.0.1:%u/mcp\n", ntohs(((struct sockaddr_in *)&to)->sin_port));
    fflush(stdout);
}

static bool parse(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"http", 1, 0, 'h'}, {"socket", 1, 0, 's'}, {"connections", 1, 0, 'c'}, {0, 0, 0, 0}};
    char *end = "";
    unsigned long count = 256;
    bool good = true, http = false;
    *o = (struct options){.connections = 256};
    for (int c; good && (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'h')
            good = http = parse_address(optarg, &o->http);
        else if (c == 's')
            o->socket = optarg;
        else if (c == 'c')
            count = strtoul(optarg, &end, 10);
        else
            good = false;
    }
    o->connections = (uint32_t)count;
    return good && http && optind == argc && !*end && count > 0 && count <= CONNECTIONS_MAX;
}

/* Descriptors for all of them, as far as they may be had. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int serve_socket(struct server *server, const char *path)
{
    static const struct listener_events events = {on_accept_lines, NULL};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (!path)
        return 0;
    if (strlen(path) >= sizeof at.sun_path)
        return -1;
    memcpy(at.sun_path, path, strlen(path));
    unlink(path); /* of an earlier run */
    return listener_open(&server->lines, server->io, (struct sockaddr *)&at, sizeof at, &events);
}

static int serve(struct server *server, const struct options *o)
{
    static const struct listener_events events = {on_accept, NULL};
    static struct http_stats stats;
    static uint64_t clients;
    const struct http_config config = {.io = server->io,
                                       .mcp = server->mcp,
                                       .access = {.admit = admit,
                                                  .page_is_open = page_is_open,
                                                  .is_own_name = is_none,
                                                  .is_allowed_origin = is_none},
                                       .limits = {o->connections, o->connections},
                                       .stats = &stats,
                                       .clients = &clients};
    return http_endpoint_new(&server->endpoint, &config) != 0 || serve_socket(server, o->socket) ||
           listener_open(&server->listener, server->io, (const struct sockaddr *)&o->http,
                         sizeof o->http, &events) != 0;
}

int main(int argc, char **argv)
{
    static const struct mcp_limits limits = {.call_timeout_ns = CALL_TIMEOUT_NS};
    static struct tool_registry registry;
    static struct tool_view view;
    static struct mcp_state_key key;
    static struct mcp_stats stats;
    static struct server server;
    const struct io_ring_config ring = {0};
    struct options options;
    char why[512];
    if (!parse(&options, argc, argv)) {
        fprintf(stderr, "usage: scoutd-conformance --http 127.0.0.1:PORT [--socket PATH] "
                        "[--connections N]\n");
        return 2;
    }
    raise_descriptors();
    signal(SIGPIPE, SIG_IGN);
    if (io_ring_open(&server.io, &ring, why, sizeof why) != 0) {
        fprintf(stderr, "scoutd-conformance: %s\n", why);
        return 1;
    }
    io_random(server.io, key.bytes, sizeof key.bytes);
    make_registry(&registry, &view, server.io);
    server.mcp = (struct mcp_config){.registry = &registry,
                                     .server_name = "scoutd-conformance",
                                     .server_version = "1.0.0",
                                     .limits = &limits,
                                     .stats = &stats,
                                     .state_key = &key};
    if (serve(&server, &options) != 0) {
        fprintf(stderr, "scoutd-conformance: cannot listen\n");
        return 1;
    }
    if (!options.socket)
        await_signal(&server);
    print_address(&server.listener);
    io_run(server.io);
    while (io_run_once(server.io, 0))
        ; /* files that are being closed */
    io_free(server.io);
    return 0;
}
