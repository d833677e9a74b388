/* pool_run [OPTION]... PORT USER KEY KNOWN_HOSTS
 *
 * Runs commands at 127.0.0.1:PORT through the pool's command API, as lines on stdin tell:
 *
 *   ID COMMAND   starts it, beside those that run
 *   stop ID      stops it
 *
 * and prints a line for each that has ended: ID END STATUS BYTES CODE STAGE RAN
 *
 *   END      exited, failed, stopped, stop-unconfirmed
 *   STATUS   the exit status, the signal's name, or -
 *   BYTES    of output, stdout and stderr
 *   CODE, STAGE   of the failure, or -
 *   RAN      1 when it may have run at the host
 *
 * At the end of stdin it waits for those that run, and ends with 0. Options: --deadline-ms N,
 * --repeatable, --pause-ms N (a slow reader: it takes nothing for so long after each piece of
 * output), --ping-ms N (interval and time-out). */
#include "scout/base/time.h"
#include "scout/pool/command.h"
#include "scout/ssh/session.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_LEN  4096
#define ID_SIZE       32
#define COMMANDS_MAX  4096
#define CONNECT_MAX_S 10
#define IDLE_S        60
#define TURN_NS       (100 * (uint64_t)NS_PER_MS)

struct driver {
    struct io *io;
    struct pool *pool;
    struct ssh_host host;
    struct list runs;
    uint32_t run_count;
    uint64_t deadline_ns, pause_ns, ping_ns;
    bool repeatable, input_ended, freed;
    struct io_file input;
    struct io_op read;
    char line[LINE_MAX_LEN];
    size_t line_len;
};

struct run {
    struct driver *driver;
    struct list node;
    struct command *command;
    struct io_timer timer; /* while it is paused */
    uint64_t bytes;
    char id[ID_SIZE];
};

/* ---- one command ---- */

static const char *end_name(enum command_end end)
{
    static const char *const names[] = {"exited", "failed", "stopped", "stop-unconfirmed"};
    return names[end];
}

static void run_free(struct run *r)
{
    io_timer_stop(r->driver->io, &r->timer);
    list_remove(&r->node);
    r->driver->run_count--;
    free(r);
}

static void print_end(const char *id, const struct command_result *result, uint64_t bytes)
{
    bool failed = result->end != COMMAND_EXITED;
    char status[16] = "-";
    if (result->signal[0])
        snprintf(status, sizeof status, "%s", result->signal);
    else if (result->has_status)
        snprintf(status, sizeof status, "%d", result->status);
    printf("%s %s %s %llu %s %s %d\n", id, end_name(result->end), status, (unsigned long long)bytes,
           failed ? error_code(result->failure.error) : "-",
           failed && result->failure.stage ? result->failure.stage : "-", result->may_have_run);
    fflush(stdout);
    if (failed)
        fprintf(stderr, "%s: %s\n", id, result->failure.text);
}

static void on_end(void *context, const struct command_result *result)
{
    struct run *r = context;
    print_end(r->id, result, r->bytes);
    run_free(r);
}

static void on_pause_over(struct io_timer *timer)
{
    command_pause(CONTAINER_OF(timer, struct run, timer)->command, false);
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct run *r = context;
    (void)is_stderr;
    r->bytes += data.len;
    if (r->driver->pause_ns == 0 || io_timer_armed(&r->timer))
        return;
    command_pause(r->command, true);
    io_timer_start(r->driver->io, &r->timer, io_now(r->driver->io) + r->driver->pause_ns,
                   on_pause_over);
}

static const struct command_events events = {.on_output = on_output, .on_end = on_end};

static void start(struct driver *d, const char *id, const char *text)
{
    struct command_result refused = {.end = COMMAND_FAILED};
    struct run *r = d->run_count < COMMANDS_MAX ? calloc(1, sizeof *r) : NULL;
    if (!r) {
        fprintf(stderr, "pool_run: too many commands\n");
        exit(1);
    }
    r->driver = d;
    snprintf(r->id, sizeof r->id, "%s", id);
    io_timer_init(&r->timer);
    list_init(&r->node);
    list_append(&d->runs, &r->node);
    d->run_count++;
    const struct command_request request = {
        .host = &d->host,
        .principal = "",
        .command = text,
        .deadline_ns = io_now(d->io) + d->deadline_ns,
        .repeatable = d->repeatable,
    };
    if (command_start(d->pool, &request, &events, r, &r->command, &refused.failure) == 0)
        return;
    print_end(r->id, &refused, 0);
    run_free(r);
}

static void stop(struct driver *d, const char *id)
{
    for (struct list *n = d->runs.next; n != &d->runs; n = n->next) {
        struct run *r = CONTAINER_OF(n, struct run, node);
        if (strcmp(r->id, id) == 0) {
            command_stop(r->command);
            return;
        }
    }
}

/* ---- stdin ---- */

static void obey(struct driver *d, const char *line)
{
    char word[ID_SIZE];
    int len = 0;
    if (sscanf(line, "%31s %n", word, &len) != 1 || len == 0 || !line[len]) {
        fprintf(stderr, "pool_run: not understood: %s\n", line);
        exit(1);
    }
    if (strcmp(word, "stop") == 0)
        stop(d, line + len);
    else
        start(d, word, line + len);
}

static void on_read(struct io_op *op, struct io_event event);

static void read_on(struct driver *d)
{
    io_read(&d->input, &d->read, d->line + d->line_len, sizeof d->line - d->line_len, -1, on_read);
}

static void on_read(struct io_op *op, struct io_event event)
{
    struct driver *d = CONTAINER_OF(op, struct driver, read);
    if (event.res <= 0) {
        d->input_ended = true;
        return;
    }
    d->line_len += (size_t)event.res;
    size_t from = 0;
    for (char *end; (end = memchr(d->line + from, '\n', d->line_len - from));) {
        *end = '\0';
        obey(d, d->line + from);
        from = (size_t)(end - d->line) + 1;
    }
    d->line_len -= from;
    memmove(d->line, d->line + from, d->line_len);
    if (d->line_len == sizeof d->line) {
        fprintf(stderr, "pool_run: a line is too long\n");
        exit(1);
    }
    read_on(d);
}

/* ---- life ---- */

static void usage(void)
{
    fputs("pool_run [--deadline-ms N] [--repeatable] [--pause-ms N] [--ping-ms N] "
          "PORT USER KEY KNOWN_HOSTS\n",
          stderr);
    exit(2);
}

static void parse(struct driver *d, int argc, char **argv)
{
    static const struct option longs[] = {{"deadline-ms", 1, 0, 'd'},
                                          {"repeatable", 0, 0, 'r'},
                                          {"pause-ms", 1, 0, 'p'},
                                          {"ping-ms", 1, 0, 'i'},
                                          {0, 0, 0, 0}};
    d->deadline_ns = 10 * (uint64_t)NS_PER_S;
    for (int got; (got = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        uint64_t ns = optarg ? strtoul(optarg, NULL, 10) * (uint64_t)NS_PER_MS : 0;
        if (got == 'd')
            d->deadline_ns = ns;
        else if (got == 'p')
            d->pause_ns = ns;
        else if (got == 'i')
            d->ping_ns = ns;
        else if (got == 'r')
            d->repeatable = true;
        else
            usage();
    }
    if (argc - optind != 4)
        usage();
    struct ssh_host *h = &d->host;
    snprintf(h->name, sizeof h->name, "host");
    snprintf(h->hostname, sizeof h->hostname, "127.0.0.1");
    h->port = (uint16_t)strtoul(argv[optind], NULL, 10);
    snprintf(h->user, sizeof h->user, "%s", argv[optind + 1]);
    h->identity_count = h->known_hosts_count = 1;
    h->identities[0] = argv[optind + 2];
    h->known_hosts[0] = argv[optind + 3];
}

static void on_freed(void *context)
{
    ((struct driver *)context)->freed = true;
}

static void on_input_closed(struct io_file *file)
{
    (void)file;
}

int main(int argc, char **argv)
{
    struct driver d = {0};
    char why[256] = "";
    const struct io_ring_config ring = {0};
    parse(&d, argc, argv);
    list_init(&d.runs);
    const struct pool_config config = {
        .connections_max = 4,
        .requests_max = COMMANDS_MAX,
        .queue_max = COMMANDS_MAX,
        .connect_timeout_ns = CONNECT_MAX_S * (uint64_t)NS_PER_S,
        .idle_timeout_ns = IDLE_S * (uint64_t)NS_PER_S,
        .ping_interval_ns = d.ping_ns,
        .ping_timeout_ns = d.ping_ns,
    };
    if (ssh_engine_init() != 0 || io_ring_open(&d.io, &ring, why, sizeof why) != 0 ||
        pool_new(&d.pool, d.io, &config) != 0) {
        fprintf(stderr, "pool_run: no pool: %s\n", why);
        return 1;
    }
    io_file_adopt(d.io, &d.input, dup(STDIN_FILENO));
    io_op_init(&d.read);
    read_on(&d);
    while (!d.input_ended || d.run_count > 0)
        io_run_once(d.io, TURN_NS);
    io_close(&d.input, on_input_closed);
    pool_free(d.pool, on_freed, &d);
    while (!d.freed || io_files_open(d.io) > 0)
        io_run_once(d.io, TURN_NS);
    io_free(d.io);
    ssh_engine_exit();
    return 0;
}
