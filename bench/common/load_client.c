/* bench_load: puts a load on a daemon through its Unix socket and checks every answer.
 *
 * It keeps N requests in flight over C connections, each a `tools/call` of the tool `scout` for one
 * of K files, and compares the text that comes back with what that file must hold. A wrong answer,
 * an unknown id, a missing answer or a closed connection ends the run with status 1.
 *
 * It is meant to cost little: requests are put together from ready pieces, all answers of one read
 * are judged before the next requests go out in one write, and the clock is read once per read.
 * What it cost is in its report. Requests are numbered from 0; the number is the JSON-RPC id, and
 * file (number mod K) is what it asks for, so that N below K means N distinct files in flight.
 *
 * Output: "begin", "end", then "key number" lines (see compare.c). */
#include "bench.h"
#include "content.h"
#include "load_answer.h"
#include "load_request.h"
#include "option.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define IN_FLIGHT_MAX   4096
#define REQUESTS_MAX    20000000u
#define LINE_MAX_BYTES  (16u * 1024u * 1024u)
#define SILENCE_MS      30000

struct options {
    const char *socket, *host, *dir, *make;
    unsigned long files, bytes, requests, warmup, in_flight, connections, hosts;
    bool light;
};

struct connection {
    int fd;
    uint8_t *in, *out;
    size_t in_len, in_size, out_start, out_len;
};

struct load {
    struct options options;
    struct connection connections[CONNECTIONS_MAX];
    struct load_requests requests;
    unsigned long next, last, answered; /* of the phase: the next number, the end, the answers */
    unsigned long first;                /* number of the phase's first request */
    double *times;                      /* by number - first: when sent, then how long it took */
    double now;
};

static int fail(const char *what)
{
    fprintf(stderr, "bench_load: %s\n", what);
    return -1;
}

/* --- sending ------------------------------------------------------------------------------- */

static void put_request(struct load *l, struct connection *c)
{
    c->out_len += load_request_put(&l->requests, l->next, c->out + c->out_start + c->out_len);
    l->times[l->next - l->first] = l->now;
    l->next++;
}

static int flush(struct connection *c)
{
    while (c->out_len) {
        ssize_t sent = send(c->fd, c->out + c->out_start, c->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0)
            return fail("the daemon closed the connection");
        c->out_start += (size_t)sent;
        c->out_len -= (size_t)sent;
    }
    /* Room for IN_FLIGHT_MAX requests behind out_start is always there: see open_connections. */
    memmove(c->out, c->out + c->out_start, c->out_len);
    c->out_start = 0;
    return 0;
}

/* --- receiving ------------------------------------------------------------------------------ */

static int take_line(struct load *l, struct connection *c, struct slice line)
{
    int64_t id = load_answer_id(line);
    if (id < (int64_t)l->first || id >= (int64_t)l->next || l->times[id - (int64_t)l->first] < 0) {
        fprintf(stderr, "bench_load: an answer that nobody asked for: %.*s\n",
                (int)(line.len < 300 ? line.len : 300), (const char *)line.data);
        return -1;
    }
    if (!load_request_is_answered(&l->requests, (unsigned long)id, line)) {
        fprintf(stderr, "bench_load: wrong answer for file %lu: %.*s\n",
                (unsigned long)id % l->requests.what.files, (int)(line.len < 300 ? line.len : 300),
                (const char *)line.data);
        return -1;
    }
    /* Negative from here on: answered. */
    double *time = &l->times[id - (int64_t)l->first];
    *time = -(l->now - *time);
    if (*time == 0)
        *time = -1e-9;
    l->answered++;
    if (l->next < l->last)
        put_request(l, c);
    return 0;
}

static int make_room(struct connection *c)
{
    if (c->in_len < c->in_size)
        return 0;
    uint8_t *more = c->in_size < LINE_MAX_BYTES ? realloc(c->in, c->in_size * 2) : NULL;
    if (!more)
        return fail("an answer is too long");
    c->in = more;
    c->in_size *= 2;
    return 0;
}

static int receive(struct load *l, struct connection *c)
{
    if (make_room(c))
        return -1;
    ssize_t got = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return fail("the daemon closed the connection with requests unanswered");
    l->now = bench_now_s();
    size_t scanned = c->in_len, start = 0;
    c->in_len += (size_t)got;
    for (;;) {
        const uint8_t *newline = memchr(c->in + scanned, '\n', c->in_len - scanned);
        if (!newline)
            break;
        size_t end = (size_t)(newline - c->in);
        if (take_line(l, c, slice_of(c->in + start, end - start)))
            return -1;
        start = scanned = end + 1;
    }
    memmove(c->in, c->in + start, c->in_len - start);
    c->in_len -= start;
    return flush(c);
}

/* --- a phase -------------------------------------------------------------------------------- */

static int turn(struct load *l)
{
    struct pollfd polls[CONNECTIONS_MAX];
    nfds_t count = (nfds_t)l->options.connections;
    for (nfds_t i = 0; i < count; i++) {
        const struct connection *c = &l->connections[i];
        polls[i] = (struct pollfd){c->fd, (short)(POLLIN | (c->out_len ? POLLOUT : 0)), 0};
    }
    int ready = poll(polls, count, SILENCE_MS);
    if (ready < 0 && errno != EINTR)
        return fail("poll failed");
    if (ready == 0) {
        fprintf(stderr, "bench_load: no answer for %d s, %lu requests unanswered\n",
                SILENCE_MS / 1000, l->next - l->first - l->answered);
        return -1;
    }
    for (nfds_t i = 0; ready > 0 && i < count; i++) {
        if ((polls[i].revents & POLLOUT) && flush(&l->connections[i]))
            return -1;
        if ((polls[i].revents & ~POLLOUT) && receive(l, &l->connections[i]))
            return -1;
    }
    return 0;
}

/* Sends `count` requests, N at a time, and takes all their answers. */
static int run_phase(struct load *l, unsigned long count)
{
    l->first = l->next;
    l->last = l->next + count;
    l->answered = 0;
    l->now = bench_now_s();
    for (unsigned long i = 0; i < l->options.in_flight && l->next < l->last; i++)
        put_request(l, &l->connections[i % l->options.connections]);
    for (unsigned long i = 0; i < l->options.connections; i++)
        if (flush(&l->connections[i]))
            return -1;
    while (l->answered < count)
        if (turn(l))
            return -1;
    return 0;
}

static void report(struct load *l, double seconds, double cpu_s)
{
    unsigned long count = l->options.requests;
    for (unsigned long i = 0; i < count; i++)
        l->times[i] = -l->times[i] * 1e6;
    bench_sort(l->times, count);
    printf("ops %lu\nseconds %.9f\n", count, seconds);
    printf("p50_us %.1f\np90_us %.1f\np99_us %.1f\n", bench_percentile(l->times, count, 0.5),
           bench_percentile(l->times, count, 0.9), bench_percentile(l->times, count, 0.99));
    printf("us_per_op %.3f\n", seconds * 1e6 / (double)count);
    printf("cpu_us_per_op.client %.3f\n", cpu_s * 1e6 / (double)count);
}

static int measure(struct load *l)
{
    if (l->options.warmup && run_phase(l, l->options.warmup))
        return -1;
    printf("begin\n");
    fflush(stdout);
    double start_s = bench_now_s(), cpu_s = bench_cpu_self_s();
    if (run_phase(l, l->options.requests))
        return -1;
    double seconds = bench_now_s() - start_s;
    cpu_s = bench_cpu_self_s() - cpu_s;
    printf("end\n");
    fflush(stdout);
    report(l, seconds, cpu_s);
    return 0;
}

/* --- start ---------------------------------------------------------------------------------- */

static int open_connection(struct load *l, struct connection *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(l->options.socket) >= sizeof address.sun_path)
        return fail("--socket is too long");
    memcpy(address.sun_path, l->options.socket, strlen(l->options.socket));
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->in_size = 256 * 1024;
    c->in = malloc(c->in_size);
    c->out = malloc((size_t)LOAD_REQUEST_MAX * l->options.in_flight * 2);
    if (c->fd < 0 || !c->in || !c->out)
        return fail("out of memory or descriptors");
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fprintf(stderr, "bench_load: cannot connect to %s: %s\n", l->options.socket,
                strerror(errno));
        return -1;
    }
    return 0;
}

static int run(struct load *l)
{
    unsigned long most = l->options.requests;
    if (l->options.warmup > most)
        most = l->options.warmup;
    l->times = malloc(most * sizeof *l->times);
    if (!l->times)
        return fail("out of memory");
    const struct options *o = &l->options;
    const struct load_what what = {o->host, o->dir, o->files, o->bytes, o->hosts, o->light};
    if (load_requests_init(&l->requests, &what))
        return -1;
    for (unsigned long i = 0; i < l->options.connections; i++)
        if (open_connection(l, &l->connections[i]))
            return -1;
    return measure(l);
}

static const char usage[] =
    "bench_load --socket PATH --host HOST --dir DIR --files K --bytes B --requests R\n"
    "           [--warmup W] [--in-flight N (64)] [--connections C (1)]\n"
    "           [--hosts M: at HOST1 to HOSTM in turn] [--light: the light server's file-B]\n"
    "bench_load --make DIR --files K --bytes B\n";

static bool parse(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"socket", 1, 0, 's'}, {"host", 1, 0, 'h'},      {"dir", 1, 0, 'd'},
        {"files", 1, 0, 'k'},  {"bytes", 1, 0, 'b'},     {"requests", 1, 0, 'r'},
        {"warmup", 1, 0, 'w'}, {"in-flight", 1, 0, 'n'}, {"connections", 1, 0, 'c'},
        {"make", 1, 0, 'm'},   {"hosts", 1, 0, 'o'},     {"light", 0, 0, 'l'},
        {0, 0, 0, 0},
    };
    *o = (struct options){.in_flight = 64, .connections = 1};
    bool good = true;
    for (int c; good && (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (c) {
        case 's':
            o->socket = optarg;
            break;
        case 'h':
            o->host = optarg;
            break;
        case 'd':
            o->dir = optarg;
            break;
        case 'm':
            o->make = optarg;
            break;
        case 'o':
            good = option_number(optarg, 1, 1000000, &o->hosts);
            break;
        case 'l':
            o->light = true;
            break;
        case 'k':
            good = option_number(optarg, 1, 1000000, &o->files);
            break;
        case 'b':
            good = option_number(optarg, 1, CONTENT_BYTES_MAX, &o->bytes);
            break;
        case 'r':
            good = option_number(optarg, 1, REQUESTS_MAX, &o->requests);
            break;
        case 'w':
            good = option_number(optarg, 0, REQUESTS_MAX, &o->warmup);
            break;
        case 'n':
            good = option_number(optarg, 1, IN_FLIGHT_MAX, &o->in_flight);
            break;
        case 'c':
            good = option_number(optarg, 1, CONNECTIONS_MAX, &o->connections);
            break;
        default:
            good = false;
        }
    }
    if (!good || optind != argc || !o->files || !o->bytes)
        return false;
    return o->make || (o->socket && o->host && o->dir && o->requests);
}

static void load_fini(struct load *l)
{
    for (unsigned long i = 0; i < l->options.connections; i++) {
        if (l->connections[i].fd > 0)
            close(l->connections[i].fd);
        free(l->connections[i].in);
        free(l->connections[i].out);
    }
    load_requests_fini(&l->requests);
    free(l->times);
}

int main(int argc, char **argv)
{
    struct load *l = calloc(1, sizeof *l);
    int status = 2;
    if (!l)
        return 1;
    if (!parse(&l->options, argc, argv))
        fputs(usage, stderr);
    else if (l->options.make)
        status = content_make_files(l->options.make, (uint32_t)l->options.files, l->options.bytes)
                     ? 1
                     : 0;
    else
        status = run(l) ? 1 : 0;
    load_fini(l);
    free(l);
    return status;
}
