/* bench_scene: a set of calls that a client makes at one time, over and over, beside the floor that
 * the latency which was put on its round trips is.
 *
 *   bench_scene --socket PATH --plan FILE --waves R [--warmup W] [--at-once P] [--pause-ms M]
 *               [--floor-ms F] [--own-ms O] [--seed-ms S] [--raw]
 *
 * The plan has a line for each call: TOOL, tab, ARGUMENTS (JSON), tab, what the answer has to have:
 * `=N` is a file of N bytes as the light server has them (tests/lightsshd/vfs.h), `M=N` that file M
 * times, as the answer to a broadcast has it; anything else is a text that stands in the answer. A
 * wave is all calls of the plan in one write; it is over when each is answered. P waves are under
 * way at a time, and M ms pass before the next P. `ms` is a wave's median, or, where several are
 * under way and wait for each other, their mean; `to_floor` is its ratio to the floor, and to what
 * the same takes without delays where that was measured (O). With --raw the calls ask for the whole
 * result, as a program does; without it they get what a model gets, cut to its budget.
 *
 * A wrong answer ends the run with status 1, and so does a wave that is faster than its floor: it
 * was not what it is said to be. Output: the lines of bench/common/compare_child.c. */
#include "bench.h"
#include "lightsshd/vfs.h"
#include "load_answer.h"
#include "option.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CALLS_MAX  2048
#define WAVES_MAX  100000
#define LINE_SIZE  (256u * 1024u) /* of the plan */
#define IN_SIZE    (64u * 1024u * 1024u)
#define SILENCE_MS 60000
#define TOLERANCE  0.99 /* of the floor: timers are not late only */

struct call {
    char *tail; /* of the request, behind its id */
    const char *has;
    struct slice plain, escaped; /* of `=N` */
    unsigned long times;         /* of `M=N`, else 0 */
};

struct scene {
    const char *socket, *plan, *meta;
    unsigned long waves, warmup, at_once, pause_ms;
    double floor_ms, own_ms, seed_ms;
    struct call calls[CALLS_MAX];
    size_t call_count;
    int fd;
    char *out;
    uint8_t *in;
    size_t in_len;
    unsigned long first, last; /* waves under way */
    unsigned long *left;       /* by wave: calls without an answer */
    double *started, *took;    /* by wave */
    double *latencies;         /* by call of each wave; 0: not answered */
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_scene: %s: %s\n", what, why);
    return -1;
}

/* ---- the plan ---- */

static int expect_file(struct call *c, const char *number)
{
    unsigned long bytes;
    if (!option_number(number, 1, 16 * 1024 * 1024, &bytes))
        return fail("no number of bytes", number);
    uint8_t *plain = malloc(bytes * 7);
    if (!plain)
        return fail("plan", "no memory");
    vfs_fill(0, plain, bytes);
    c->plain = slice_of(plain, bytes);
    c->escaped = slice_of(plain + bytes, load_escape(c->plain, plain + bytes));
    return 0;
}

static int take_call(struct scene *s, char *line)
{
    char *arguments = strchr(line, '\t'), *has = arguments ? strchr(arguments + 1, '\t') : NULL;
    if (!has || s->call_count == CALLS_MAX)
        return fail("plan", "a line needs three parts, and there are too many of them or too few");
    *arguments++ = *has++ = '\0';
    struct call *c = &s->calls[s->call_count++];
    if (asprintf(&c->tail,
                 "\"method\":\"tools/call\",\"params\":{\"name\":\"%s\",\"arguments\":%s%s}}\n",
                 line, arguments, s->meta) < 0)
        return fail("plan", "no memory");
    c->has = strdup(has);
    char *number = strchr(has, '=');
    bool is_file = number && strspn(has, "0123456789") == (size_t)(number - has);
    if (is_file && number > has)
        c->times = strtoul(has, NULL, 10);
    return is_file ? expect_file(c, number + 1) : 0;
}

static int read_plan(struct scene *s)
{
    static char line[LINE_SIZE];
    FILE *f = fopen(s->plan, "re");
    if (!f)
        return fail(s->plan, strerror(errno));
    int error = 0;
    while (!error && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        error = take_call(s, line);
    }
    fclose(f);
    return error || s->call_count ? error : fail(s->plan, "it is empty");
}

/* How often the file stands behind the text that is for people. */
static unsigned long count_files(const struct call *c, struct slice line)
{
    unsigned long count = 0;
    const uint8_t *end = line.data + line.len;
    const uint8_t *at = memmem(line.data, line.len, "\"structuredContent\":", 20);
    while (at && (at = memmem(at, (size_t)(end - at), c->escaped.data, c->escaped.len))) {
        at += c->escaped.len;
        count++;
    }
    return count;
}

static bool is_right(const struct call *c, struct slice line)
{
    if (c->times)
        return count_files(c, line) == c->times;
    if (c->plain.len)
        return load_answer_is(line, c->plain, c->escaped);
    return memmem(line.data, line.len, c->has, strlen(c->has));
}

/* ---- waves ---- */

static int send_all(struct scene *s, const char *data, size_t len)
{
    while (len) {
        ssize_t sent = send(s->fd, data, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return fail("send", strerror(errno));
        if (sent > 0) {
            data += sent;
            len -= (size_t)sent;
        }
    }
    return 0;
}

/* The wave's calls, put together before the clock is read. */
static int start_wave(struct scene *s, unsigned long wave)
{
    char *at = s->out;
    for (size_t i = 0; i < s->call_count; i++)
        at += sprintf(at, "{\"jsonrpc\":\"2.0\",\"id\":%lu,%s", wave * s->call_count + i,
                      s->calls[i].tail);
    s->left[wave] = s->call_count;
    s->started[wave] = bench_now_s();
    return send_all(s, s->out, (size_t)(at - s->out));
}

static int take_line(struct scene *s, struct slice line, double now)
{
    int64_t id = load_answer_id(line);
    unsigned long wave = id < 0 ? 0 : (unsigned long)id / s->call_count;
    if (id < 0 || wave < s->first || wave >= s->last || s->latencies[id] > 0 ||
        !is_right(&s->calls[(size_t)id % s->call_count], line)) {
        fprintf(stderr, "bench_scene: a wrong answer: %.*s\n",
                (int)(line.len < 600 ? line.len : 600), (const char *)line.data);
        return -1;
    }
    s->latencies[id] = now - s->started[wave];
    if (--s->left[wave] == 0)
        s->took[wave] = now - s->started[wave];
    return s->left[wave] == 0;
}

/* How many waves ended with it; negative when something is wrong. */
static int receive(struct scene *s)
{
    struct pollfd readable = {.fd = s->fd, .events = POLLIN};
    if (poll(&readable, 1, SILENCE_MS) == 0)
        return fail("no answer", "60 s have passed");
    ssize_t got = read(s->fd, s->in + s->in_len, IN_SIZE - s->in_len);
    if (got <= 0)
        return fail("the daemon ended", "with calls unanswered, or an answer is too long");
    double now = bench_now_s();
    size_t scanned = s->in_len, start = 0;
    int ended = 0;
    s->in_len += (size_t)got;
    for (const uint8_t *end; (end = memchr(s->in + scanned, '\n', s->in_len - scanned));) {
        size_t at = (size_t)(end - s->in);
        int done = take_line(s, slice_of(s->in + start, at - start), now);
        if (done < 0)
            return -1;
        ended += done;
        start = scanned = at + 1;
    }
    memmove(s->in, s->in + start, s->in_len - start);
    s->in_len -= start;
    return ended;
}

static int run_waves(struct scene *s, unsigned long from, unsigned long to)
{
    for (s->first = from; s->first < to; s->first = s->last) {
        s->last = to - s->first < s->at_once ? to : s->first + s->at_once;
        usleep((useconds_t)(s->pause_ms * 1000));
        for (unsigned long i = s->first; i < s->last; i++)
            if (start_wave(s, i))
                return -1;
        for (unsigned long ended = 0; ended < s->last - s->first;) {
            int more = receive(s);
            if (more < 0)
                return -1;
            ended += (unsigned long)more;
        }
    }
    return 0;
}

/* ---- the figures ---- */

static double mean_of(const double *numbers, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += numbers[i];
    return sum / (double)count;
}

static int report(struct scene *s, double cpu_s)
{
    size_t count = s->waves, calls = s->waves * s->call_count;
    double *took = s->took + s->warmup, *latencies = s->latencies + s->warmup * s->call_count;
    double mean = mean_of(took, count), call_mean = mean_of(latencies, calls) * 1e3;
    bench_sort(took, count);
    bench_sort(latencies, calls);
    double ms = s->at_once > 1 ? mean * 1e3 : bench_percentile(took, count, 0.5) * 1e3;
    double least = s->at_once > 1 ? mean * 1e3 : took[0] * 1e3;
    if (least < s->floor_ms * TOLERANCE) {
        fprintf(stderr, "bench_scene: %s: a wave took %.3f ms, less than its floor of %.3f\n",
                s->plan, least, s->floor_ms);
        return -1;
    }
    printf("ops %zu\nseconds %.9f\n", calls, mean * (double)count);
    printf("ms %.4f\nms_mean %.4f\nms_p95 %.4f\n", ms, mean * 1e3,
           bench_percentile(took, count, 0.95) * 1e3);
    if (s->call_count > 1)
        printf("call_ms_mean %.4f\ncall_ms_p95 %.4f\n", call_mean,
               bench_percentile(latencies, calls, 0.95) * 1e3);
    if (s->floor_ms > 0)
        printf("floor_ms %.4f\nto_floor %.4f\n", s->floor_ms, ms / (s->floor_ms + s->own_ms));
    if (s->own_ms > 0)
        printf("own_ms %.4f\nto_trips %.4f\n", s->own_ms, ms / s->floor_ms);
    if (s->seed_ms > 0)
        printf("seed_ms %.4f\n", s->seed_ms);
    printf("cpu_us_per_op.client %.3f\n", cpu_s * 1e6 / (double)calls);
    return 0;
}

static int measure(struct scene *s)
{
    if (run_waves(s, 0, s->warmup))
        return -1;
    printf("begin\n");
    fflush(stdout);
    double cpu_s = bench_cpu_self_s();
    if (run_waves(s, s->warmup, s->warmup + s->waves))
        return -1;
    cpu_s = bench_cpu_self_s() - cpu_s;
    printf("end\n");
    return report(s, cpu_s);
}

/* ---- start ---- */

static int open_socket(struct scene *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(s->socket) >= sizeof address.sun_path)
        return fail(s->socket, "too long");
    strcpy(address.sun_path, s->socket);
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&address, sizeof address) != 0)
        return fail(s->socket, strerror(errno));
    return 0;
}

static int make_room(struct scene *s)
{
    size_t waves = s->warmup + s->waves, size = 1;
    for (size_t i = 0; i < s->call_count; i++)
        size += strlen(s->calls[i].tail) + 64;
    s->out = malloc(size);
    s->in = malloc(IN_SIZE);
    s->left = calloc(waves, sizeof *s->left);
    s->started = calloc(waves, sizeof *s->started);
    s->took = calloc(waves, sizeof *s->took);
    s->latencies = calloc(waves * s->call_count, sizeof *s->latencies);
    bool good = s->out && s->in && s->left && s->started && s->took && s->latencies;
    return good ? 0 : fail("start", "no memory");
}

static bool take_option(struct scene *s, int option)
{
    switch (option) {
    case 's':
        s->socket = optarg;
        return true;
    case 'p':
        s->plan = optarg;
        return true;
    case 'r':
        return option_number(optarg, 1, WAVES_MAX, &s->waves);
    case 'w':
        return option_number(optarg, 0, WAVES_MAX, &s->warmup);
    case 'a':
        return option_number(optarg, 1, WAVES_MAX, &s->at_once);
    case 'm':
        return option_number(optarg, 0, 60000, &s->pause_ms);
    case 'f':
        return (s->floor_ms = atof(optarg)) > 0;
    case 'O':
        return (s->own_ms = atof(optarg)) > 0;
    case 'o':
        return (s->seed_ms = atof(optarg)) > 0;
    case 'x':
        s->meta = ",\"_meta\":{\"scout/output\":\"raw\"}";
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"socket", 1, 0, 's'},   {"plan", 1, 0, 'p'},    {"waves", 1, 0, 'r'},
        {"warmup", 1, 0, 'w'},   {"at-once", 1, 0, 'a'}, {"pause-ms", 1, 0, 'm'},
        {"floor-ms", 1, 0, 'f'}, {"seed-ms", 1, 0, 'o'}, {"own-ms", 1, 0, 'O'},
        {"raw", 0, 0, 'x'},      {0, 0, 0, 0},
    };
    struct scene *s = calloc(1, sizeof *s);
    bool good = s;
    if (s) {
        s->at_once = 1;
        s->meta = "";
    }
    for (int o; good && (o = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        good = take_option(s, o);
    if (!good || optind != argc || !s->socket || !s->plan || !s->waves) {
        fprintf(stderr, "bench_scene: wrong arguments; the head of scene.c has the usage\n");
        return 2;
    }
    /* What was made ends with the process. */
    return read_plan(s) || make_room(s) || open_socket(s) || measure(s) ? 1 : 0;
}
