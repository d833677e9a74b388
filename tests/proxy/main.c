/* tcpproxy: a TCP proxy for tests that makes a good line bad.
 *
 *   tcpproxy [--listen ADDR:PORT] --to ADDR:PORT
 *            [--delay-ms D]           round trip: D / 2 in each direction (fractions allowed)
 *            [--jitter-ms J]          up to J more in each direction; the order stays
 *            [--rate N]               N bytes a second in each direction
 *            [--dribble-ms X]         one byte, then X ms nothing, in each direction
 *            [--stall-after WAY:N]    after N bytes in that direction (up: from the client) nothing
 *                                     more goes there; the connection stays
 *            [--reset-after WAY:N]    a reset of both sides after N bytes in that direction
 *            [--half-open]            takes connections and never reads or writes
 *
 * It prints `listening ADDR PORT`, and takes lines on its standard input, each answered with `ok`
 * (or `error TEXT`) when it is in effect for all connections:
 *
 *   stall         nothing is delivered any more; what comes is read and kept
 *   blackhole     nothing is read or delivered any more, not even an end; connections are accepted
 *   resume        ends both
 *   reset         resets all connections
 *   delay-ms D    for what comes from now on
 *   count         `count up BYTES BURSTS down BYTES BURSTS connections ALL OPEN`: a burst is what
 * comes on one connection in one direction with gaps of less than half the delay
 *
 * TCP's own handshake is not delayed. One thread, epoll, timers of nanoseconds: a delay is right to
 * some microseconds on a machine that is not busy. */
#include "proxy.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG      128
#define ACCEPTS      16
#define LINE_MAX_LEN 256
#define SPIN_NS      100000 /* the end of a delay is awaited awake */
#define MS_LIMIT     3600000.0

static void die(const char *what)
{
    fprintf(stderr, "tcpproxy: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(errno ? 1 : 2);
}

/* --- the command line --------------------------------------------------------------------------
 */

static bool take_address(const char *text, struct sockaddr_in *out)
{
    char host[64];
    unsigned port;
    *out = (struct sockaddr_in){.sin_family = AF_INET};
    if (sscanf(text, "%63[^:]:%u", host, &port) != 2 || port > 65535)
        return false;
    out->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static bool take_ms(const char *text, uint64_t *out)
{
    char *end;
    double ms = strtod(text, &end);
    if (end == text || *end || !(ms >= 0 && ms <= MS_LIMIT))
        return false;
    *out = (uint64_t)(ms * (double)NS_PER_MS);
    return true;
}

static bool take_after(const char *text, uint64_t out[WAYS])
{
    char way[8];
    uint64_t bytes;
    if (sscanf(text, "%7[^:]:%" SCNu64, way, &bytes) != 2 || bytes == 0)
        return false;
    if (strcmp(way, "up") != 0 && strcmp(way, "down") != 0)
        return false;
    out[way[0] == 'u' ? UP : DOWN] = bytes;
    return true;
}

static bool take_option(struct proxy_options *o, int option, const char *text)
{
    switch (option) {
    case 'l':
        return take_address(text, &o->listen);
    case 't':
        return take_address(text, &o->to);
    case 'd':
        return take_ms(text, &o->delay_ns);
    case 'j':
        return take_ms(text, &o->jitter_ns);
    case 'b':
        return take_ms(text, &o->dribble_ns) && o->dribble_ns;
    case 'r':
        return sscanf(text, "%" SCNu64, &o->rate) == 1 && o->rate;
    case 's':
        return take_after(text, o->stall_after);
    case 'x':
        return take_after(text, o->reset_after);
    case 'h':
        o->half_open = true;
        return true;
    default:
        return false;
    }
}

static void parse(struct proxy_options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"listen", 1, 0, 'l'},      {"to", 1, 0, 't'},
        {"delay-ms", 1, 0, 'd'},    {"jitter-ms", 1, 0, 'j'},
        {"rate", 1, 0, 'r'},        {"dribble-ms", 1, 0, 'b'},
        {"stall-after", 1, 0, 's'}, {"reset-after", 1, 0, 'x'},
        {"half-open", 0, 0, 'h'},   {0, 0, 0, 0},
    };
    take_address("127.0.0.1:0", &o->listen);
    for (int got; (got = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        errno = 0;
        if (!take_option(o, got, optarg))
            die("wrong argument; the head of main.c has the usage");
    }
    errno = 0;
    if (optind != argc || (!o->half_open && !o->to.sin_port))
        die("--to ADDR:PORT is needed");
}

/* --- control -----------------------------------------------------------------------------------
 */

static void update_all(struct proxy *p)
{
    for (struct list *n = p->pairs.next, *next; n != &p->pairs; n = next) {
        struct pair *pair = CONTAINER_OF(n, struct pair, node);
        next = n->next;
        way_write(&pair->ways[UP]);
        if (!pair->ended)
            way_write(&pair->ways[DOWN]);
    }
}

static void reset_all(struct proxy *p)
{
    while (!list_empty(&p->pairs))
        pair_reset(CONTAINER_OF(p->pairs.next, struct pair, node));
}

static void print_counts(const struct proxy *p)
{
    const struct proxy_counts *c = &p->counts;
    printf("count up %" PRIu64 " %" PRIu64 " down %" PRIu64 " %" PRIu64 " connections %" PRIu64
           " %u\n",
           c->bytes[UP], c->bursts[UP], c->bytes[DOWN], c->bursts[DOWN], c->connections, p->open);
}

static void obey(struct proxy *p, const char *line)
{
    if (strcmp(line, "count") == 0) {
        print_counts(p);
        return;
    }
    if (strcmp(line, "stall") == 0) {
        p->stalled = true;
    } else if (strcmp(line, "blackhole") == 0) {
        p->blackhole = true;
    } else if (strcmp(line, "resume") == 0) {
        p->stalled = p->blackhole = false;
    } else if (strcmp(line, "reset") == 0) {
        reset_all(p);
    } else if (strncmp(line, "delay-ms ", 9) != 0 || !take_ms(line + 9, &p->options.delay_ns)) {
        printf("error unknown: %s\n", line);
        return;
    }
    update_all(p);
    printf("ok\n");
}

static void on_control(struct ev_watch *w, uint32_t events)
{
    struct proxy *p = CONTAINER_OF(w, struct proxy, control);
    uint8_t *room = buf_reserve(&p->line, LINE_MAX_LEN);
    ssize_t got = room ? read(w->fd, room, LINE_MAX_LEN) : 0;
    (void)events;
    if (got <= 0) {
        ev_unwatch(&p->loop, w); /* its end, or a line that is too long: no more orders */
        return;
    }
    buf_commit(&p->line, (size_t)got);
    for (;;) {
        struct slice text = buf_peek(&p->line);
        const uint8_t *end = text.len ? memchr(text.data, '\n', text.len) : NULL;
        if (!end)
            break;
        char line[LINE_MAX_LEN * 2];
        size_t len = (size_t)(end - text.data);
        memcpy(line, text.data, len);
        line[len] = '\0';
        buf_consume(&p->line, len + 1);
        obey(p, line);
    }
    fflush(stdout);
}

static void watch_control(struct proxy *p)
{
    struct stat st;
    p->control = (struct ev_watch){.fd = 0, .fn = on_control};
    buf_init(&p->line, LINE_MAX_LEN * 2 - 1);
    if (fstat(0, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(0)))
        ev_watch(&p->loop, &p->control, EPOLLIN);
}

/* --- listener, signals, life ---------------------------------------------------------------------
 */

static void on_client(struct ev_watch *w, uint32_t events)
{
    struct proxy *p = CONTAINER_OF(w, struct proxy, listener);
    (void)events;
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        pair_new(p, fd);
    }
}

static void open_listener(struct proxy *p)
{
    struct sockaddr_in *a = &p->options.listen;
    socklen_t len = sizeof *a;
    char host[INET_ADDRSTRLEN];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (struct sockaddr *)a, sizeof *a) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)a, &len) != 0)
        die("cannot listen");
    p->listener = (struct ev_watch){.fd = fd, .fn = on_client};
    ev_watch(&p->loop, &p->listener, EPOLLIN);
    printf("listening %s %u\n", inet_ntop(AF_INET, &a->sin_addr, host, sizeof host),
           ntohs(a->sin_port));
    fflush(stdout);
}

static void on_signal(struct ev_watch *w, uint32_t events)
{
    (void)events;
    CONTAINER_OF(w, struct proxy, signals)->loop.ended = true;
}

static void watch_signals(struct proxy *p)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    p->signals = (struct ev_watch){.fd = signalfd(-1, &set, SFD_CLOEXEC), .fn = on_signal};
    ev_watch(&p->loop, &p->signals, EPOLLIN);
}

int main(int argc, char **argv)
{
    struct proxy *p = calloc(1, sizeof *p);
    if (!p)
        die("start");
    parse(&p->options, argc, argv);
    list_init(&p->pairs);
    list_init(&p->dead);
    p->random = 0x9e3779b97f4a7c15; /* the same jitter in every run */
    ev_init(&p->loop);
    p->loop.spin_ns = SPIN_NS;
    watch_signals(p);
    watch_control(p);
    open_listener(p);
    while (!p->loop.ended) {
        ev_turn(&p->loop);
        pairs_reap(p);
    }
    reset_all(p);
    pairs_reap(p);
    ev_unwatch(&p->loop, &p->listener);
    close(p->listener.fd);
    ev_unwatch(&p->loop, &p->signals);
    close(p->signals.fd);
    buf_fini(&p->line);
    ev_fini(&p->loop);
    free(p);
    return 0;
}
