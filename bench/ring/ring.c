/* bench_ring [--ci] [--output FILE]
 *
 * Echo of small messages, served by our loop (scout-ring) and by a plain level-triggered epoll loop
 * with recv and send (epoll): 64 connections, one message of 64 bytes in flight on each, over Unix
 * socket pairs. The server is a process of its own and the load client is the same for both, so
 * that the servers alone make the difference. Every answer is checked in full.
 *
 * Reported: answers per second, and CPU per answer of the server and of the client. There is no
 * goal: the figures say what the loop costs beside the obvious alternative.
 *
 *   --ci           short runs: only wrong answers count
 *   --output FILE  the report as JSON
 * Status: 0; 1 a wrong answer or a run that failed; 2 usage. */
#include "echo.h"

#include <getopt.h>

#define RUNS    7
#define RUNS_CI 2

static const struct option longs[] = {
    {"ci", no_argument, NULL, 'c'},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char usage[] = "usage: bench_ring [--ci] [--output FILE]\n";

static int describe(struct bench *b, bool ci)
{
    int error = bench_config(b, "connections", "64");
    error = error ? error : bench_config(b, "message_bytes", "64");
    error = error ? error : bench_config(b, "in_flight_per_connection", "1");
    error = error ? error : bench_config(b, "transport", "unix stream socketpair");
    error = error ? error : bench_config(b, "processes", "one server, one client, not pinned");
    error = error ? error : bench_config(b, "warmup_s", ci ? "0.1" : "0.2");
    error = error ? error : bench_config(b, "run_s", ci ? "0.3" : "1.3");
    return error;
}

static int compete(struct bench *b, bool ci, const char *output)
{
    double warmup_s = ci ? 0.1 : 0.2, load_s = ci ? 0.3 : 1.3;
    struct contest ring = {"scout-ring", echo_serve_ring, warmup_s, load_s};
    struct contest epoll = {"epoll", echo_serve_epoll, warmup_s, load_s};
    if (bench_add(b, ring.name, contest_run, &ring) != 0 ||
        bench_add(b, epoll.name, contest_run, &epoll) != 0 || describe(b, ci) != 0)
        return 1;
    if (bench_run(b, stderr) != 0 || bench_ratio(b, ring.name, epoll.name, 0) != 0)
        return 1;
    bench_print(b, stdout);
    return output && bench_write(b, output) != 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    bool ci = false;
    const char *output = NULL;
    for (int o; (o = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        switch (o) {
        case 'c':
            ci = true;
            break;
        case 'o':
            output = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind != argc) {
        fputs(usage, stderr);
        return 2;
    }
    struct bench b;
    bench_init(&b, "ring", ci ? RUNS_CI : RUNS);
    int status = compete(&b, ci, output);
    bench_fini(&b);
    return status;
}
