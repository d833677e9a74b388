/* bench_shim: starts a command that speaks MCP on its standard input and output, over and over, and
 * measures what a client waits for: the time from the start to the first answer, and from the end
 * of its input to the end of the process.
 *
 * The one request is a client's first, `initialize`; its answer is checked. Processes are started
 * with posix_spawn, as bench_spawn does. Output: the lines of compare_child.c. */
#include "bench.h"
#include "option.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUESTS_MAX 100000u
#define SILENCE_MS   30000
#define ANSWER_SIZE  4096

extern char **environ;

static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
                              "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
                              "\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}\n";

struct shim {
    pid_t pid;
    int in, out; /* our ends of its pipes */
};

static int fail(const char *what)
{
    fprintf(stderr, "bench_shim: %s: %s\n", what, strerror(errno));
    return -1;
}

static int start(struct shim *s, char **words)
{
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return fail("pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    errno = posix_spawnp(&s->pid, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    s->in = in[1];
    s->out = out[0];
    return errno ? fail(words[0]) : 0;
}

/* The first line, which must be the answer. */
static int await_answer(const struct shim *s)
{
    char answer[ANSWER_SIZE];
    size_t len = 0;
    while (len == 0 || answer[len - 1] != '\n') {
        struct pollfd p = {s->out, POLLIN, 0};
        ssize_t got = len + 1 < sizeof answer && poll(&p, 1, SILENCE_MS) > 0
                          ? read(s->out, answer + len, sizeof answer - 1 - len)
                          : 0;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    answer[len] = '\0';
    if (strstr(answer, "\"id\":1") && strstr(answer, "\"result\""))
        return 0;
    fprintf(stderr, "bench_shim: no answer, but: %s\n", answer);
    return -1;
}

static int finish(const struct shim *s)
{
    int status;
    close(s->in);
    while (waitpid(s->pid, &status, 0) < 0)
        if (errno != EINTR)
            return fail("waitpid");
    close(s->out);
    if (status == 0)
        return 0;
    fprintf(stderr, "bench_shim: the process ended with status %d\n", status);
    return -1;
}

static int run_once(char **words, double *first_s, double *end_s)
{
    struct shim s;
    double start_s = bench_now_s();
    if (start(&s, words) != 0)
        return -1;
    if (write(s.in, request, sizeof request - 1) != (ssize_t)sizeof request - 1)
        return fail("write");
    if (await_answer(&s) != 0)
        return -1;
    double answered_s = bench_now_s();
    *first_s = answered_s - start_s;
    if (finish(&s) != 0)
        return -1;
    *end_s = bench_now_s() - answered_s;
    return 0;
}

static void print_times(const char *name, double *times, size_t count)
{
    bench_sort(times, count);
    printf("%s_p50_us %.1f\n%s_p99_us %.1f\n", name, bench_percentile(times, count, 0.5) * 1e6,
           name, bench_percentile(times, count, 0.99) * 1e6);
}

static int run(unsigned long requests, unsigned long warmup, char **words)
{
    double *first = calloc(requests, sizeof *first), *end = calloc(requests, sizeof *end);
    double ignored[2];
    int error = first && end ? 0 : fail("memory");
    for (unsigned long i = 0; i < warmup && !error; i++)
        error = run_once(words, &ignored[0], &ignored[1]);
    printf("begin\n");
    fflush(stdout);
    double start_s = bench_now_s(), cpu_s = bench_cpu_self_s();
    for (unsigned long i = 0; i < requests && !error; i++)
        error = run_once(words, &first[i], &end[i]);
    if (!error) {
        printf("end\nops %lu\nseconds %.9f\n", requests, bench_now_s() - start_s);
        print_times("first", first, requests);
        print_times("end", end, requests);
        printf("cpu_us_per_op.client %.3f\n",
               (bench_cpu_self_s() - cpu_s) * 1e6 / (double)requests);
    }
    free(first);
    free(end);
    return error;
}

int main(int argc, char **argv)
{
    unsigned long requests, warmup;
    if (argc < 4 || !option_number(argv[1], 1, REQUESTS_MAX, &requests) ||
        !option_number(argv[2], 0, REQUESTS_MAX, &warmup)) {
        fputs("usage: bench_shim REQUESTS WARMUP COMMAND...\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    return run(requests, warmup, argv + 3) == 0 ? 0 : 1;
}
