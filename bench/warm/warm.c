/* bench_warm: requests over one warm connection at the pool's API, checked one by one.
 *
 *   bench_warm --make DIR --files K
 *       makes DIR/file-0 to DIR/file-(K - 1), each with as many bytes as its number says
 *   bench_warm --op stat|run --address A --port P --user U --identity FILE --known-hosts FILE
 *              [--dir DIR --files K] --in-flight N --requests R [--warmup W]
 *
 * `stat` asks for the files of DIR in turn over SFTP: the size in the answer must be the number in
 * the name. `run` runs the command `true`: it must end by itself with status 0 and say nothing.
 * The light server has such files everywhere, so DIR is "" there. Output: the lines of
 * bench/common/compare_child.c. Status 1 after a wrong answer. */
#include "bench.h"
#include "option.h"
#include "pool_client.h"
#include "scout/base/time.h"
#include "scout/pool/command.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_FLIGHT_MAX 1024
#define REQUESTS_MAX  100000000ul
#define FILES_MAX     100000
#define PATH_SIZE     512

struct flight {
    struct warm *warm;
    struct sftp_request request;
    struct command *command;
    uint64_t number;
    double start_s;
};

struct warm {
    struct pool_client client;
    struct pool_target target;
    struct ssh_host host;
    struct pool_use use;
    struct flight flights[IN_FLIGHT_MAX];
    const char *op, *dir, *make;
    unsigned long files, in_flight, requests, warmup;
    char (*paths)[PATH_SIZE];
    double *latencies;
    unsigned long started, done, last;
    bool measures, failed, ready;
};

static void fail(struct warm *w, const char *what, const char *why)
{
    if (!w->failed)
        fprintf(stderr, "bench_warm: %s: %s\n", what, why);
    w->failed = true;
}

/* --- one request ------------------------------------------------------------------------------ */

static void start(struct flight *s);

static void finished(struct flight *s)
{
    struct warm *w = s->warm;
    if (w->measures)
        w->latencies[w->done] = bench_now_s() - s->start_s;
    w->done++;
    if (w->started < w->last && !w->failed)
        start(s);
}

static void on_stat(struct sftp_request *r, const struct sftp_reply *reply)
{
    struct flight *s = CONTAINER_OF(r, struct flight, request);
    if (reply->error || !(reply->attrs.flags & SFTP_ATTR_SIZE) ||
        reply->attrs.size != s->number % s->warm->files)
        fail(s->warm, "wrong answer for", s->warm->paths[s->number % s->warm->files]);
    finished(s);
}

static void start_stat(struct flight *s)
{
    struct warm *w = s->warm;
    struct sftp *sftp = pool_sftp(&w->use);
    if (!sftp || sftp_stat(sftp, &s->request, w->paths[s->number % w->files], on_stat) != 0)
        fail(w, "stat", sftp ? "refused" : pool_failure(&w->use)->text);
    else
        pool_flush(&w->use);
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct flight *s = context;
    (void)is_stderr;
    (void)data;
    fail(s->warm, "true", "it said something");
}

static void on_end(void *context, const struct command_result *result)
{
    struct flight *s = context;
    if (result->end != COMMAND_EXITED || !result->has_status || result->status != 0)
        fail(s->warm, "true",
             result->end == COMMAND_EXITED ? "wrong status" : result->failure.text);
    finished(s);
}

static void start_run(struct flight *s)
{
    static const struct command_events events = {NULL, on_output, NULL, on_end};
    struct warm *w = s->warm;
    struct failure why;
    const struct command_request request = {
        .host = &w->host,
        .principal = "",
        .client = 1,
        .command = "true",
        .deadline_ns = pool_client_deadline(&w->client),
    };
    if (command_start(w->client.pool, &request, &events, s, &s->command, &why) != 0)
        fail(w, "run", why.text);
}

static void start(struct flight *s)
{
    struct warm *w = s->warm;
    s->number = w->started++;
    s->start_s = w->measures ? bench_now_s() : 0;
    if (w->op[0] == 's')
        start_stat(s);
    else
        start_run(s);
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool phase_is_done(void *context)
{
    const struct warm *w = context;
    return w->failed || w->done == w->last;
}

static int run_phase(struct warm *w, unsigned long count)
{
    w->started = w->done = 0;
    w->last = count;
    for (unsigned long i = 0; i < w->in_flight && w->started < w->last; i++) {
        w->flights[i].warm = w;
        start(&w->flights[i]);
    }
    if (pool_client_until(&w->client, phase_is_done, w))
        return -1;
    return w->failed ? -1 : 0;
}

static void on_ready(struct pool_use *use, const struct failure *failure)
{
    struct warm *w = CONTAINER_OF(use, struct warm, use);
    if (failure)
        fail(w, "connect", failure->text);
    w->ready = true;
}

static bool is_ready(void *context)
{
    return ((struct warm *)context)->ready;
}

static int connect_it(struct warm *w)
{
    struct failure why;
    int got = pool_acquire(w->client.pool, &w->host, "", pool_client_deadline(&w->client), &w->use,
                           on_ready, &why);
    if (got < 0)
        fail(w, "connect", why.text);
    w->ready = got != 0;
    if (pool_client_until(&w->client, is_ready, w))
        return -1;
    return w->failed ? -1 : 0;
}

static int measure(struct warm *w)
{
    if (w->warmup && run_phase(w, w->warmup))
        return -1;
    printf("begin\n");
    fflush(stdout);
    w->measures = true;
    double start_s = bench_now_s(), cpu_s = bench_cpu_self_s();
    if (run_phase(w, w->requests))
        return -1;
    double seconds = bench_now_s() - start_s;
    cpu_s = bench_cpu_self_s() - cpu_s;
    printf("end\nops %lu\nseconds %.9f\n", w->requests, seconds);
    bench_sort(w->latencies, w->requests);
    printf("p50_us %.1f\n", bench_percentile(w->latencies, w->requests, 0.5) * 1e6);
    printf("p99_us %.1f\n", bench_percentile(w->latencies, w->requests, 0.99) * 1e6);
    printf("cpu_us_per_op.client %.3f\n", cpu_s * 1e6 / (double)w->requests);
    return 0;
}

static int prepare(struct warm *w)
{
    w->latencies = calloc(w->requests, sizeof *w->latencies);
    w->paths = calloc(w->files, PATH_SIZE);
    if (!w->latencies || !w->paths)
        return -1;
    for (unsigned long i = 0; i < w->files; i++)
        snprintf(w->paths[i], PATH_SIZE, "%s/file-%lu", w->dir, i);
    w->host = pool_client_host(w->target.address, (uint16_t)w->target.port, w->target.user,
                               w->target.identity, w->target.known_hosts);
    const struct pool_config config = pool_client_config(16);
    return pool_client_open(&w->client, &config);
}

static int run(struct warm *w)
{
    if (prepare(w))
        return 1;
    int error = connect_it(w) || measure(w);
    if (!error) {
        pool_release(&w->use);
        pool_client_close(&w->client);
    }
    free(w->latencies);
    free(w->paths);
    return error ? 1 : 0; /* after a wrong answer much is in flight, and the process ends anyway */
}

static int make(const struct warm *w)
{
    if (mkdir(w->make, 0755) != 0)
        return 1;
    for (unsigned long i = 0; i < w->files; i++) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s/file-%lu", w->make, i);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || ftruncate(fd, (off_t)i) != 0) {
            perror(path);
            return 1;
        }
        close(fd);
    }
    return 0;
}

static bool take_option(struct warm *w, int option)
{
    switch (option) {
    case 'o':
        w->op = optarg;
        return strcmp(optarg, "stat") == 0 || strcmp(optarg, "run") == 0;
    case 'm':
        w->make = optarg;
        return true;
    case 'd':
        w->dir = optarg;
        return true;
    case 'k':
        return option_number(optarg, 1, FILES_MAX, &w->files);
    case 'n':
        return option_number(optarg, 1, IN_FLIGHT_MAX, &w->in_flight);
    case 'r':
        return option_number(optarg, 1, REQUESTS_MAX, &w->requests);
    case 'w':
        return option_number(optarg, 0, REQUESTS_MAX, &w->warmup);
    default:
        return pool_target_option(&w->target, option, optarg);
    }
}

static bool parse(struct warm *w, int argc, char **argv)
{
    static const struct option longs[] = {
        {"op", 1, 0, 'o'},     {"make", 1, 0, 'm'},     POOL_TARGET_OPTIONS,
        {"dir", 1, 0, 'd'},    {"files", 1, 0, 'k'},    {"in-flight", 1, 0, 'n'},
        {"warmup", 1, 0, 'w'}, {"requests", 1, 0, 'r'}, {0, 0, 0, 0},
    };
    w->dir = "";
    w->files = 1000;
    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        if (!take_option(w, o))
            return false;
    return optind == argc &&
           (w->make || (w->op && pool_target_is_whole(&w->target) && w->in_flight && w->requests));
}

int main(int argc, char **argv)
{
    struct warm *w = calloc(1, sizeof *w);
    int status = 2;
    if (w && parse(w, argc, argv))
        status = w->make ? make(w) : run(w);
    else
        fprintf(stderr, "bench_warm: wrong arguments; the head of warm.c has the usage\n");
    free(w);
    return status;
}
