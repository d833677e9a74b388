/* bench_http: calls one tool of an MCP server over HTTP, over C connections that are kept, each
 * with one request in flight, and judges every answer: its status, that its id is the request's,
 * and that it has the expected text.
 *
 *   bench_http [options] -- COMMAND...    a server that prints its address as its first line
 *   bench_http [options] --port P [--token T]
 *
 * With --session it shakes hands first (initialize, 2025-11-25) and calls within a session;
 * without, requests are those of 2026-07-28. With --idle and --slow it measures once before and
 * once during a siege (siege.h): the figures are those of the siege, and p99_to_quiet says how many
 * times as long its p99 is.
 *
 * Output: "begin", "end", then "key number" lines (see compare_child.c). */
#include "bench.h"
#include "http_answer.h"
#include "load_answer.h"
#include "option.h"
#include "siege.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define REQUESTS_MAX    20000000u
#define REQUEST_MAX     2048
#define IN_SIZE         (64u * 1024u)
#define SILENCE_MS      30000

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"bench\",\"version\":\"1\"},"               \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

struct options {
    const char *tool, *arguments, *expect, *token;
    unsigned long requests, warmup, connections, idle, slow, port;
    bool session;
    char **command;
};

struct connection {
    int fd;
    unsigned long number; /* of the request in flight */
    double sent_s;
    size_t in_len;
    uint8_t in[IN_SIZE];
};

struct calls {
    struct options options;
    struct connection *connections;
    int poll;
    pid_t server;                              /* 0: none of ours */
    char head[REQUEST_MAX], tail[REQUEST_MAX]; /* around the length and the id */
    char session[HTTP_SESSION_MAX];
    unsigned long next, last, answered; /* numbers of the phase */
    double *times;                      /* of the phase's answers, in us */
};

static int fail(const char *what)
{
    fprintf(stderr, "bench_http: %s\n", what);
    return -1;
}

/* ---- requests ---- */

static int send_message(const struct calls *c, const struct connection *at, const char *message)
{
    char text[2 * REQUEST_MAX];
    int len = snprintf(text, sizeof text, "%sContent-Length: %zu\r\n\r\n%s", c->head,
                       strlen(message), message);
    if (len < 0 || (size_t)len >= sizeof text)
        return fail("a request is too long");
    return send(at->fd, text, (size_t)len, MSG_NOSIGNAL) == len ? 0 : fail("the server has closed");
}

static int send_call(struct calls *c, struct connection *at)
{
    char message[REQUEST_MAX + 64];
    at->number = c->next++;
    snprintf(message, sizeof message, "{\"jsonrpc\":\"2.0\",\"id\":%lu,%s", at->number, c->tail);
    at->sent_s = bench_now_s();
    return send_message(c, at, message);
}

/* The head of all requests, but for their length. */
static int make_head(struct calls *c)
{
    const struct options *o = &c->options;
    char mcp[512];
    if (!o->session)
        snprintf(mcp, sizeof mcp,
                 "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: %s\r\n",
                 o->tool);
    else if (c->session[0])
        snprintf(mcp, sizeof mcp, "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: %s\r\n",
                 c->session);
    else
        mcp[0] = '\0';
    int len = snprintf(c->head, sizeof c->head,
                       "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%lu\r\n"
                       "Content-Type: application/json\r\n"
                       "Accept: application/json, text/event-stream\r\n%s%s%s%s",
                       o->port, mcp, o->token ? "Authorization: Bearer " : "",
                       o->token ? o->token : "", o->token ? "\r\n" : "");
    return len > 0 && (size_t)len < sizeof c->head ? 0 : fail("--token is too long");
}

static int make_tail(struct calls *c)
{
    const struct options *o = &c->options;
    int len = snprintf(c->tail, sizeof c->tail,
                       "\"method\":\"tools/call\",\"params\":{\"name\":\"%s\",\"arguments\":%s%s}}",
                       o->tool, o->arguments, o->session ? "" : "," META);
    return len > 0 && (size_t)len < sizeof c->tail ? 0 : fail("--arguments is too long");
}

/* ---- answers ---- */

/* 1 with *out when the whole answer is there; what it points to stands until the next call. */
static int receive(struct connection *at, struct http_answer *out)
{
    ssize_t got = recv(at->fd, at->in + at->in_len, IN_SIZE - at->in_len, 0);
    if (got <= 0)
        return fail("the server has closed with requests unanswered");
    at->in_len += (size_t)got;
    long whole = http_answer_take(at->in, at->in_len, out);
    if (whole < 0 || (whole > 0 && (size_t)whole != at->in_len) || at->in_len == IN_SIZE)
        return fail("this is no answer to one request");
    if (whole > 0)
        at->in_len = 0;
    return whole > 0;
}

static int take_answer(struct calls *c, struct connection *at)
{
    struct http_answer answer;
    int whole = receive(at, &answer);
    if (whole <= 0)
        return whole;
    struct slice text = answer.message;
    if (answer.status != 200 || load_answer_id(text) != (int64_t)at->number ||
        !memmem(text.data, text.len, c->options.expect, strlen(c->options.expect))) {
        fprintf(stderr, "bench_http: a wrong answer to %lu: %d %.*s\n", at->number, answer.status,
                (int)(text.len < 600 ? text.len : 600), (const char *)text.data);
        return -1;
    }
    c->times[c->answered++] = (bench_now_s() - at->sent_s) * 1e6;
    return c->next < c->last ? send_call(c, at) : 0;
}

/* Sends `count` requests and takes all their answers. */
static int run_phase(struct calls *c, unsigned long count)
{
    struct epoll_event events[CONNECTIONS_MAX];
    c->last = c->next + count;
    c->answered = 0;
    for (unsigned long i = 0; i < c->options.connections && c->next < c->last; i++)
        if (send_call(c, &c->connections[i]))
            return -1;
    while (c->answered < count) {
        int ready = epoll_wait(c->poll, events, CONNECTIONS_MAX, SILENCE_MS);
        if (ready == 0 || (ready < 0 && errno != EINTR))
            return fail("no answer for 30 s");
        for (int i = 0; i < ready; i++)
            if (take_answer(c, events[i].data.ptr))
                return -1;
    }
    return 0;
}

/* ---- figures ---- */

static double p99_of(struct calls *c)
{
    bench_sort(c->times, c->answered);
    return bench_percentile(c->times, c->answered, 0.99);
}

static int measure(struct calls *c)
{
    const struct options *o = &c->options;
    bool besieged = o->idle || o->slow;
    struct siege siege;
    double quiet_us = 0;
    if (o->warmup && run_phase(c, o->warmup))
        return -1;
    if (besieged) {
        if (run_phase(c, o->requests))
            return -1;
        quiet_us = p99_of(c);
        if (siege_begin(&siege, (uint16_t)o->port, o->idle, o->slow))
            return fail("there is no siege");
    }
    printf("begin\n");
    fflush(stdout);
    double start_s = bench_now_s(), own_s = bench_cpu_self_s();
    double server_s = c->server ? bench_cpu_tree_s(c->server) : 0;
    if (run_phase(c, o->requests))
        return -1;
    double count = (double)o->requests, seconds = bench_now_s() - start_s;
    own_s = bench_cpu_self_s() - own_s;
    server_s = c->server ? bench_cpu_tree_s(c->server) - server_s : 0;
    printf("end\n");
    double p99_us = p99_of(c);
    printf("ops %.0f\nseconds %.9f\n", count, seconds);
    printf("p50_us %.1f\np99_us %.1f\n", bench_percentile(c->times, c->answered, 0.5), p99_us);
    printf("wall_us_per_op %.3f\n", seconds * 1e6 / count);
    printf("cpu_us_per_op.client %.3f\n", own_s * 1e6 / count);
    if (c->server)
        printf("cpu_us_per_op.server %.3f\n", server_s * 1e6 / count);
    if (besieged)
        printf("p99_quiet_us %.1f\np99_to_quiet %.3f\n", quiet_us, p99_us / quiet_us);
    return besieged && siege_end(&siege) ? fail("the siege was broken") : 0;
}

/* ---- start ---- */

static int start_server(struct calls *c)
{
    int from[2];
    if (pipe(from) != 0 || (c->server = fork()) < 0)
        return fail("the server cannot be started");
    if (c->server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(from[1], STDOUT_FILENO);
        close(from[0]);
        close(from[1]);
        execvp(c->options.command[0], c->options.command);
        _exit(127);
    }
    close(from[1]);
    FILE *told = fdopen(from[0], "re");
    int found = told ? fscanf(told, "http://%*[^:]:%lu", &c->options.port) : 0;
    if (told)
        fclose(told);
    return found == 1 ? 0 : fail("the server does not say its address");
}

static int open_connection(struct calls *c, struct connection *at)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)c->options.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = at};
    int on = 1;
    at->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (at->fd < 0 || connect(at->fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
        setsockopt(at->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        epoll_ctl(c->poll, EPOLL_CTL_ADD, at->fd, &event) != 0)
        return fail("cannot connect");
    return 0;
}

static int exchange(struct calls *c, const char *message, int status)
{
    struct http_answer answer;
    int whole;
    if (send_message(c, &c->connections[0], message))
        return -1;
    while ((whole = receive(&c->connections[0], &answer)) == 0)
        continue;
    if (whole < 0 || answer.status != status)
        return fail("the server does not shake hands");
    if (answer.session[0])
        strcpy(c->session, answer.session);
    return 0;
}

static int shake_hands(struct calls *c)
{
    static const char hello[] =
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}"
        "}";
    static const char done[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}";
    if (exchange(c, hello, 200) || make_head(c))
        return -1;
    return exchange(c, done, 202);
}

static int run(struct calls *c)
{
    const struct options *o = &c->options;
    unsigned long most = o->requests > o->warmup ? o->requests : o->warmup;
    c->connections = calloc(o->connections, sizeof *c->connections);
    c->times = malloc(most * sizeof *c->times);
    c->poll = epoll_create1(EPOLL_CLOEXEC);
    c->next = 1;
    if (!c->connections || !c->times || c->poll < 0)
        return fail("out of memory");
    if ((o->command && start_server(c)) || make_head(c) || make_tail(c))
        return -1;
    for (unsigned long i = 0; i < o->connections; i++)
        if (open_connection(c, &c->connections[i]))
            return -1;
    return o->session && shake_hands(c) ? -1 : measure(c);
}

static const char usage[] =
    "bench_http (--port P [--token T] | -- COMMAND...) --tool NAME --expect TEXT --requests R\n"
    "           [--arguments JSON ({})] [--warmup W] [--connections C (64)] [--session]\n"
    "           [--idle N] [--slow M]\n";

static bool take_option(struct options *o, int c)
{
    if (c == 't')
        o->tool = optarg;
    else if (c == 'a')
        o->arguments = optarg;
    else if (c == 'e')
        o->expect = optarg;
    else if (c == 'k')
        o->token = optarg;
    else if (c == 'S')
        o->session = true;
    else if (c == 'r')
        return option_number(optarg, 1, REQUESTS_MAX, &o->requests);
    else if (c == 'w')
        return option_number(optarg, 0, REQUESTS_MAX, &o->warmup);
    else if (c == 'c')
        return option_number(optarg, 1, CONNECTIONS_MAX, &o->connections);
    else if (c == 'p')
        return option_number(optarg, 1, 65535, &o->port);
    else if (c == 'i')
        return option_number(optarg, 0, 100000, &o->idle);
    else if (c == 's')
        return option_number(optarg, 0, 100000, &o->slow);
    else
        return false;
    return true;
}

static bool parse(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"tool", 1, 0, 't'},   {"arguments", 1, 0, 'a'},   {"expect", 1, 0, 'e'},
        {"token", 1, 0, 'k'},  {"session", 0, 0, 'S'},     {"requests", 1, 0, 'r'},
        {"warmup", 1, 0, 'w'}, {"connections", 1, 0, 'c'}, {"port", 1, 0, 'p'},
        {"idle", 1, 0, 'i'},   {"slow", 1, 0, 's'},        {0, 0, 0, 0},
    };
    *o = (struct options){.connections = 64, .arguments = "{}"};
    bool good = true;
    for (int c; good && (c = getopt_long(argc, argv, "+", longs, NULL)) != -1;)
        good = take_option(o, c);
    if (optind < argc)
        o->command = argv + optind;
    return good && o->tool && o->expect && o->requests && !o->port != !o->command;
}

int main(int argc, char **argv)
{
    static struct calls c;
    signal(SIGPIPE, SIG_IGN);
    if (!parse(&c.options, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    int status = run(&c) ? 1 : 0;
    if (c.server > 0) {
        kill(c.server, SIGTERM);
        waitpid(c.server, NULL, 0);
    }
    free(c.connections);
    free(c.times);
    return status;
}
