/* bench_spawn: runs a command over and over, N processes at a time, and checks what each prints.
 *
 * For alternatives whose unit of work is a process (`ssh host cat file`). In the command's words,
 * "{}" is replaced by the name of the file that is asked for; the output must be byte for byte what
 * that file (see content.c) holds, and the status must be 0. Processes are started with
 * posix_spawn, which does not copy this process, so that the starter is not what is measured.
 *
 * Its CPU is its own and that of all processes it ran. Output: as bench_load. */
#include "bench.h"
#include "content.h"
#include "option.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX     64
#define WORDS_MAX    32
#define REQUESTS_MAX 1000000u
#define SILENCE_MS   30000
#define WORD_SIZE    4096

struct job {
    pid_t pid;
    int fd; /* the read end of its output; -1: idle */
    unsigned long number;
    double start_s;
    uint8_t *out;
    size_t len;
};

struct spawn {
    unsigned long files, bytes, requests, warmup, jobs_wanted;
    char **words; /* the command, NULL at the end */
    struct job jobs[JOBS_MAX];
    uint8_t *expected; /* room for one file */
    double *latencies;
    unsigned long started, done, last, first;
};

static int fail(const char *what)
{
    fprintf(stderr, "bench_spawn: %s: %s\n", what, strerror(errno));
    return -1;
}

/* `word` with "{}" replaced by `name`, into `out` (WORD_SIZE). */
static int expand(const char *word, const char *name, char *out)
{
    const char *hole = strstr(word, "{}");
    int len = hole ? snprintf(out, WORD_SIZE, "%.*s%s%s", (int)(hole - word), word, name, hole + 2)
                   : snprintf(out, WORD_SIZE, "%s", word);
    errno = ENAMETOOLONG;
    return len < WORD_SIZE ? 0 : fail(word);
}

static int spawn_process(struct spawn *s, struct job *j, int out_fd)
{
    char name[CONTENT_NAME_SIZE], texts[WORDS_MAX][WORD_SIZE], *words[WORDS_MAX + 1] = {NULL};
    posix_spawn_file_actions_t actions;
    content_name((uint32_t)(j->number % s->files), name);
    for (size_t i = 0; s->words[i]; i++) {
        if (expand(s->words[i], name, texts[i]))
            return -1;
        words[i] = texts[i];
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out_fd, 1);
    errno = posix_spawnp(&j->pid, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return errno ? fail(words[0]) : 0;
}

static int start_job(struct spawn *s, struct job *j)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail("pipe");
    j->number = s->started++;
    j->start_s = bench_now_s();
    j->len = 0;
    int error = spawn_process(s, j, ends[1]);
    close(ends[1]);
    j->fd = ends[0];
    return error;
}

static int end_job(struct spawn *s, struct job *j)
{
    int status;
    while (waitpid(j->pid, &status, 0) < 0)
        if (errno != EINTR)
            return fail("waitpid");
    close(j->fd);
    j->fd = -1;
    uint32_t file = (uint32_t)(j->number % s->files);
    content_fill(file, s->expected, s->bytes);
    if (status != 0 || j->len != s->bytes || memcmp(j->out, s->expected, s->bytes) != 0) {
        fprintf(stderr, "bench_spawn: wrong output for file %u (status %d, %zu bytes)\n", file,
                status, j->len);
        return -1;
    }
    s->latencies[j->number - s->first] = bench_now_s() - j->start_s;
    s->done++;
    return s->started < s->last ? start_job(s, j) : 0;
}

static int read_job(struct spawn *s, struct job *j)
{
    /* One byte more than expected: so that too much is seen. */
    ssize_t got = read(j->fd, j->out + j->len, s->bytes + 1 - j->len);
    if (got < 0)
        return errno == EINTR ? 0 : fail("read");
    j->len += (size_t)got;
    if (j->len > s->bytes) {
        fprintf(stderr, "bench_spawn: too much output for file %lu\n", j->number % s->files);
        return -1;
    }
    return got == 0 ? end_job(s, j) : 0;
}

static int run_phase(struct spawn *s, unsigned long count)
{
    s->first = s->started;
    s->last = s->started + count;
    s->done = 0;
    for (size_t i = 0; i < s->jobs_wanted && s->started < s->last; i++)
        if (start_job(s, &s->jobs[i]))
            return -1;
    while (s->done < count) {
        struct pollfd polls[JOBS_MAX];
        for (size_t i = 0; i < s->jobs_wanted; i++)
            polls[i] = (struct pollfd){s->jobs[i].fd, POLLIN, 0};
        int ready = poll(polls, (nfds_t)s->jobs_wanted, SILENCE_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0) {
            errno = ready ? errno : ETIMEDOUT;
            return fail("waiting for output");
        }
        for (size_t i = 0; i < s->jobs_wanted; i++)
            if (polls[i].revents && read_job(s, &s->jobs[i]))
                return -1;
    }
    return 0;
}

static int run(struct spawn *s)
{
    unsigned long most = s->requests > s->warmup ? s->requests : s->warmup;
    s->latencies = calloc(most, sizeof *s->latencies);
    s->expected = malloc(s->bytes);
    if (!s->latencies || !s->expected)
        return fail("memory");
    for (size_t i = 0; i < s->jobs_wanted; i++) {
        s->jobs[i].fd = -1;
        s->jobs[i].out = malloc(s->bytes + 1);
        if (!s->jobs[i].out)
            return fail("memory");
    }
    if (s->warmup && run_phase(s, s->warmup))
        return -1;
    printf("begin\n");
    fflush(stdout);
    double start_s = bench_now_s(), cpu_s = bench_cpu_self_s();
    if (run_phase(s, s->requests))
        return -1;
    double seconds = bench_now_s() - start_s;
    cpu_s = bench_cpu_self_s() - cpu_s;
    printf("end\nops %lu\nseconds %.9f\n", s->requests, seconds);
    bench_sort(s->latencies, s->requests);
    printf("p50_us %.1f\n", bench_percentile(s->latencies, s->requests, 0.5) * 1e6);
    printf("p90_us %.1f\n", bench_percentile(s->latencies, s->requests, 0.9) * 1e6);
    printf("p99_us %.1f\n", bench_percentile(s->latencies, s->requests, 0.99) * 1e6);
    printf("cpu_us_per_op.client %.3f\n", cpu_s * 1e6 / (double)s->requests);
    return 0;
}

static bool parse(struct spawn *s, int argc, char **argv)
{
    static const struct option longs[] = {
        {"jobs", 1, 0, 'j'},  {"requests", 1, 0, 'r'}, {"warmup", 1, 0, 'w'},
        {"files", 1, 0, 'k'}, {"bytes", 1, 0, 'b'},    {0, 0, 0, 0},
    };
    bool good = true;
    s->jobs_wanted = 8;
    for (int c; good && (c = getopt_long(argc, argv, "+", longs, NULL)) != -1;) {
        switch (c) {
        case 'j':
            good = option_number(optarg, 1, JOBS_MAX, &s->jobs_wanted);
            break;
        case 'r':
            good = option_number(optarg, 1, REQUESTS_MAX, &s->requests);
            break;
        case 'w':
            good = option_number(optarg, 0, REQUESTS_MAX, &s->warmup);
            break;
        case 'k':
            good = option_number(optarg, 1, 1000000, &s->files);
            break;
        case 'b':
            good = option_number(optarg, 0, CONTENT_BYTES_MAX, &s->bytes);
            break;
        default:
            good = false;
        }
    }
    s->words = argv + optind;
    return good && s->requests && s->files && optind < argc && argc - optind <= WORDS_MAX;
}

int main(int argc, char **argv)
{
    struct spawn s = {0};
    if (!parse(&s, argc, argv)) {
        fputs("bench_spawn --files K [--bytes B (0)] --requests R [--warmup W] [--jobs N (8)] -- "
              "COMMAND...\n",
              stderr);
        return 2;
    }
    int error = run(&s);
    for (size_t i = 0; i < s.jobs_wanted; i++)
        free(s.jobs[i].out);
    free(s.latencies);
    free(s.expected);
    return error ? 1 : 0;
}
