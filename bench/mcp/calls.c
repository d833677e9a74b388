/* bench_calls: calls one tool of an MCP server over and over, N requests in flight, and judges
 * every answer: its id must be one that is in flight, and it must hold the expected text.
 *
 *   bench_calls --socket PATH --arguments JSON --expect TEXT --requests R ...
 *   bench_calls ... -- COMMAND...       a server on its standard input and output
 *   bench_calls --socket PATH ... -- COMMAND...       one that makes the socket
 *
 * A server that is started here gets a handshake first (initialize, 2025-11-25), unless --modern
 * makes the calls those of 2026-07-28, and its CPU is reported as cpu_us_per_op.server. A socket's
 * daemon that runs already is watched by bench_compare. Requests go out
 * in one write for all answers of one read, so that this client stays cheap; what it cost is
 * reported.
 *
 * Output: "begin", "end", then "key number" lines (see compare_child.c). */
#include "bench.h"
#include "load_answer.h"
#include "option.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define IN_FLIGHT_MAX 4096
#define REQUESTS_MAX  20000000u
#define REQUEST_MAX   1024 /* bytes of one request */
#define IN_SIZE       (1024u * 1024u)
#define SILENCE_S     30
#define START_STEPS   1000 /* of 10 ms, until a server has made its socket */

#define META                                                                                       \
    ",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                      \
    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"bench\",\"version\":\"1\"},"               \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

struct options {
    const char *socket, *tool, *arguments, *expect;
    unsigned long requests, warmup, in_flight;
    bool modern;
    char **command;
};

struct calls {
    struct options options;
    int in_fd, out_fd;
    pid_t server; /* 0: none of ours */
    uint8_t *in, *out;
    size_t in_len, out_len;
    char tail[REQUEST_MAX];
    size_t tail_len;
    unsigned long first, next, last, answered; /* numbers of the phase */
    unsigned long silence; /* 1 more than the answers at the last alarm; 0: none in this phase */
    double *times;         /* when sent, then minus how long it took */
    double now;
};

static int fail(const char *what)
{
    fprintf(stderr, "bench_calls: %s\n", what);
    return -1;
}

static void put_request(struct calls *c)
{
    char *at = (char *)c->out + c->out_len;
    int len = snprintf(at, 64, "{\"jsonrpc\":\"2.0\",\"id\":%lu,", c->next);
    memcpy(at + len, c->tail, c->tail_len);
    c->out_len += (size_t)len + c->tail_len;
    c->times[c->next - c->first] = c->now;
    c->next++;
}

static int flush(struct calls *c)
{
    for (size_t start = 0; start < c->out_len;) {
        ssize_t wrote = write(c->out_fd, c->out + start, c->out_len - start);
        if (wrote < 0 && errno != EINTR)
            return fail("the server closed the connection");
        if (wrote > 0)
            start += (size_t)wrote;
    }
    c->out_len = 0;
    return 0;
}

static int take_line(struct calls *c, struct slice line)
{
    int64_t id = load_answer_id(line);
    bool known = id >= (int64_t)c->first && id < (int64_t)c->next;
    if (!known || c->times[id - (int64_t)c->first] < 0 ||
        !memmem(line.data, line.len, c->options.expect, strlen(c->options.expect))) {
        fprintf(stderr, "bench_calls: a wrong answer: %.*s\n",
                (int)(line.len < 600 ? line.len : 600), (const char *)line.data);
        return -1;
    }
    double *time = &c->times[id - (int64_t)c->first];
    *time = c->now > *time ? *time - c->now : -1e-9;
    c->answered++;
    if (c->next < c->last)
        put_request(c);
    return 0;
}

/* A clock that interrupts the wait for answers, so that no call pays for one of its own. */
static void on_alarm(int signal)
{
    (void)signal;
}

static int watch_silence(void)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval every = {{SILENCE_S, 0}, {SILENCE_S, 0}};
    return sigaction(SIGALRM, &action, NULL) || setitimer(ITIMER_REAL, &every, NULL);
}

static int receive(struct calls *c)
{
    ssize_t got = read(c->in_fd, c->in + c->in_len, IN_SIZE - c->in_len);
    if (got < 0 && errno == EINTR) {
        if (c->silence == c->answered + 1)
            return fail("no answer for 30 s");
        c->silence = c->answered + 1;
        return 0;
    }
    if (got <= 0)
        return fail("the server ended with requests unanswered");
    c->now = bench_now_s();
    size_t scanned = c->in_len, start = 0;
    c->in_len += (size_t)got;
    for (const uint8_t *end; (end = memchr(c->in + scanned, '\n', c->in_len - scanned));) {
        size_t at = (size_t)(end - c->in);
        if (take_line(c, slice_of(c->in + start, at - start)))
            return -1;
        start = scanned = at + 1;
    }
    memmove(c->in, c->in + start, c->in_len - start);
    c->in_len -= start;
    return c->in_len < IN_SIZE ? flush(c) : fail("an answer is too long");
}

static int run_phase(struct calls *c, unsigned long count)
{
    c->first = c->next;
    c->last = c->next + count;
    c->answered = c->silence = 0;
    c->now = bench_now_s();
    for (unsigned long i = 0; i < c->options.in_flight && c->next < c->last; i++)
        put_request(c);
    if (flush(c))
        return -1;
    while (c->answered < count)
        if (receive(c))
            return -1;
    return 0;
}

static double server_cpu_s(const struct calls *c)
{
    return c->server ? bench_cpu_tree_s(c->server) : 0;
}

static int measure(struct calls *c)
{
    unsigned long count = c->options.requests;
    if (c->options.warmup && run_phase(c, c->options.warmup))
        return -1;
    printf("begin\n");
    fflush(stdout);
    double start_s = bench_now_s(), own_s = bench_cpu_self_s(), server_s = server_cpu_s(c);
    if (run_phase(c, count))
        return -1;
    double seconds = bench_now_s() - start_s;
    own_s = bench_cpu_self_s() - own_s;
    server_s = server_cpu_s(c) - server_s;
    printf("end\n");
    fflush(stdout);
    for (unsigned long i = 0; i < count; i++)
        c->times[i] = -c->times[i] * 1e6;
    bench_sort(c->times, count);
    printf("ops %lu\nseconds %.9f\n", count, seconds);
    printf("p50_us %.1f\np99_us %.1f\n", bench_percentile(c->times, count, 0.5),
           bench_percentile(c->times, count, 0.99));
    printf("wall_us_per_op %.3f\n", seconds * 1e6 / (double)count);
    printf("cpu_us_per_op.client %.3f\n", own_s * 1e6 / (double)count);
    if (c->server)
        printf("cpu_us_per_op.server %.3f\n", server_s * 1e6 / (double)count);
    return 0;
}

/* --- start ---------------------------------------------------------------------------------- */

static int open_socket(struct calls *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(c->options.socket) >= sizeof address.sun_path)
        return fail("--socket is too long");
    memcpy(address.sun_path, c->options.socket, strlen(c->options.socket));
    c->in_fd = c->out_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->in_fd < 0)
        return fail("there is no socket to be had");
    for (int step = 0; connect(c->in_fd, (struct sockaddr *)&address, sizeof address) != 0;
         step++) {
        if (!c->server || step == START_STEPS) {
            fprintf(stderr, "bench_calls: %s: %s\n", c->options.socket, strerror(errno));
            return -1;
        }
        usleep(10000);
    }
    return 0;
}

static int start_server(struct calls *c)
{
    int to[2], from[2];
    if (c->options.socket) /* an earlier server's may take connections for a moment */
        unlink(c->options.socket);
    if (pipe(to) != 0 || pipe(from) != 0 || (c->server = fork()) < 0)
        return fail("the server cannot be started");
    if (c->server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int i = 0; i < 2; i++)
            close(to[i]), close(from[i]);
        execvp(c->options.command[0], c->options.command);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    if (c->options.socket)
        return 0; /* both ends stay open: what it says there is read by nobody */
    c->out_fd = to[1];
    c->in_fd = from[0];
    return 0;
}

static int shake_hands(struct calls *c)
{
    static const char hello[] =
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}"
        "\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
    memcpy(c->out, hello, sizeof hello - 1);
    c->out_len = sizeof hello - 1;
    if (flush(c))
        return -1;
    do {
        ssize_t got = read(c->in_fd, c->in + c->in_len, IN_SIZE - c->in_len);
        if (got <= 0)
            return fail("the server does not shake hands");
        c->in_len += (size_t)got;
    } while (c->in[c->in_len - 1] != '\n');
    c->in_len = 0;
    c->next = 1;
    return 0;
}

static int run(struct calls *c)
{
    unsigned long most = c->options.requests;
    if (c->options.warmup > most)
        most = c->options.warmup;
    c->times = malloc(most * sizeof *c->times);
    c->in = malloc(IN_SIZE);
    c->out = malloc((size_t)REQUEST_MAX * c->options.in_flight + REQUEST_MAX);
    if (!c->times || !c->in || !c->out)
        return fail("out of memory");
    int len =
        snprintf(c->tail, sizeof c->tail,
                 "\"method\":\"tools/call\",\"params\":{\"name\":\"%s\",\"arguments\":%s%s}}\n",
                 c->options.tool, c->options.arguments, c->options.modern ? META : "");
    if (len < 0 || (size_t)len >= sizeof c->tail - 64)
        return fail("--arguments is too long");
    c->tail_len = (size_t)len;
    if ((c->options.command && start_server(c)) || (c->options.socket && open_socket(c)))
        return -1;
    if (c->options.command && !c->options.modern && shake_hands(c))
        return -1;
    return measure(c);
}

static const char usage[] =
    "bench_calls [--socket PATH] --arguments JSON --expect TEXT --requests R [--tool NAME "
    "(scout)]\n"
    "            [--warmup W] [--in-flight N (64)] [--modern] [-- COMMAND...]\n";

static bool parse(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"socket", 1, 0, 's'},    {"tool", 1, 0, 't'},     {"arguments", 1, 0, 'a'},
        {"expect", 1, 0, 'e'},    {"requests", 1, 0, 'r'}, {"warmup", 1, 0, 'w'},
        {"in-flight", 1, 0, 'n'}, {"modern", 0, 0, 'm'},   {0, 0, 0, 0},
    };
    *o = (struct options){.in_flight = 64, .tool = "scout"};
    bool good = true;
    for (int c; good && (c = getopt_long(argc, argv, "+", longs, NULL)) != -1;) {
        if (c == 's')
            o->socket = optarg;
        else if (c == 't')
            o->tool = optarg;
        else if (c == 'a')
            o->arguments = optarg;
        else if (c == 'e')
            o->expect = optarg;
        else if (c == 'm')
            o->modern = true;
        else if (c == 'r')
            good = option_number(optarg, 1, REQUESTS_MAX, &o->requests);
        else if (c == 'w')
            good = option_number(optarg, 0, REQUESTS_MAX, &o->warmup);
        else if (c == 'n')
            good = option_number(optarg, 1, IN_FLIGHT_MAX, &o->in_flight);
        else
            good = false;
    }
    if (optind < argc)
        o->command = argv + optind;
    return good && o->arguments && o->expect && o->requests && (o->socket || o->command);
}

int main(int argc, char **argv)
{
    struct calls c = {.server = 0};
    signal(SIGPIPE, SIG_IGN);
    if (watch_silence())
        return 1;
    if (!parse(&c.options, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    int status = run(&c) ? 1 : 0;
    if (c.server > 0) {
        close(c.out_fd);
        kill(c.server, SIGTERM);
        waitpid(c.server, NULL, 0);
    }
    free(c.times);
    free(c.in);
    free(c.out);
    return status;
}
