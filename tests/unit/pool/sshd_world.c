/* The world of the tests of commands on a real sshd: see sshd_world.h. */
#include "sshd_world.h"

#include "scout/ssh/session.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct sshd_world w;

/* ---- the host: one of scripts/fleet ---- */

int shell(const char *format, const char *argument)
{
    char line[512];
    snprintf(line, sizeof line, format, SCOUT_SOURCE_DIR, w.dir, argument);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void read_file(const char *name, char *out, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", w.dir, name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    size_t len = fread(out, 1, size - 1, f);
    out[len] = '\0';
    fclose(f);
}

int stop_host(void **state)
{
    (void)state;
    if (w.running)
        shell("%s/scripts/fleet stop %s %s", "");
    free(w.runs);
    ssh_engine_exit();
    return 0;
}

int start_host(const char *option)
{
    char line[128];
    memset(&w, 0, sizeof w);
    w.runs = calloc(RUNS_MAX, sizeof *w.runs);
    if (!w.runs || ssh_engine_init() != 0)
        return -1;
    if (access("/usr/sbin/sshd", X_OK) != 0)
        return 0;
    snprintf(w.dir, sizeof w.dir, "/tmp/scout-command-XXXXXX");
    /* Without the start files of whoever runs the test: they may print, or be slow. */
    snprintf(line, sizeof line, "%%s/scripts/fleet start -o SetEnv=HOME=/nonexistent %s %%s 1 %%s",
             option);
    if (!mkdtemp(w.dir) || shell(line, "") != 0)
        return -1;
    w.running = true;
    return 0;
}

/* ---- the world of one test ---- */

void open_world(void)
{
    char why[256], port[16];
    if (!w.running) {
        print_message("skipped: there is no sshd\n");
        skip();
    }
    if (io_ring_open(&w.io, NULL, why, sizeof why) != 0) {
        print_message("skipped: %s\n", why);
        skip();
    }
    w.host = (struct ssh_host){.name = "demo1", .hostname = "127.0.0.1"};
    read_file("hosts/demo1/port", port, sizeof port);
    w.host.port = (uint16_t)strtoul(port, NULL, 10);
    const char *user = getenv("USER");
    snprintf(w.host.user, sizeof w.host.user, "%s", geteuid() == 0 ? "root" : user ? user : "");
    w.host.identity_count = w.host.known_hosts_count = 1;
    snprintf(w.identity, sizeof w.identity, "%s/user_key", w.dir);
    snprintf(w.known_hosts, sizeof w.known_hosts, "%s/known_hosts", w.dir);
    w.host.identities[0] = w.identity;
    w.host.known_hosts[0] = w.known_hosts;
    const struct pool_config config = {
        .connections_max = 4,
        .requests_max = 1000,
        .queue_max = 4000,
        .connect_timeout_ns = 20 * NS_PER_S,
        .idle_timeout_ns = 60 * NS_PER_S,
    };
    assert_int_equal(pool_new(&w.pool, w.io, &config), 0);
    w.freed = false;
    w.count = w.ended = 0;
}

bool wait_until(bool (*happened)(const void *), const void *context)
{
    uint64_t end = io_now(w.io) + WAIT_S * NS_PER_S;
    while (!happened(context) && io_now(w.io) < end)
        io_run_once(w.io, 20 * NS_PER_MS);
    return happened(context);
}

bool has_ended(const void *context)
{
    return ((const struct run *)context)->ended;
}

bool all_ended(const void *context)
{
    (void)context;
    return w.ended == w.count;
}

static bool is_freed(const void *context)
{
    (void)context;
    return w.freed && io_files_open(w.io) == 0;
}

static void on_freed(void *context)
{
    *(bool *)context = true;
}

void close_world(void)
{
    pool_free(w.pool, on_freed, &w.freed);
    assert_true(wait_until(is_freed, NULL));
    io_free(w.io);
}

/* ---- commands ---- */

static void on_started(void *context)
{
    ((struct run *)context)->started = true;
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct run *r = context;
    char *to = is_stderr ? r->err : r->out;
    size_t *len = is_stderr ? &r->err_len : &r->out_len;
    assert_false(r->ended);
    for (size_t i = 0; i < data.len && *len + i < TEXT_MAX - 1; i++)
        to[*len + i] = (char)data.data[i];
    *len += data.len;
}

void write_input(struct run *r)
{
    static const uint8_t bytes[65536];
    if (!r->input_left)
        return;
    while (r->input_left > 0) {
        size_t len = r->input_left < sizeof bytes ? r->input_left : sizeof bytes;
        if (command_write(r->command, slice_of(bytes, len)) != 0)
            return;
        r->input_left -= len;
    }
    command_end_input(r->command);
}

static void on_drain(void *context)
{
    write_input(context);
}

static void on_end(void *context, const struct command_result *result)
{
    struct run *r = context;
    assert_false(r->ended);
    r->ended = true;
    r->command = NULL;
    r->result = *result;
    w.ended++;
}

static const struct command_events events = {on_started, on_output, on_drain, on_end};

struct run *start_with(struct command_request request, const char *command, uint64_t ms)
{
    struct failure why;
    struct run *r = &w.runs[w.count++];
    assert_true(w.count <= RUNS_MAX);
    *r = (struct run){0};
    request.host = &w.host;
    request.principal = "";
    request.command = command;
    request.deadline_ns = io_now(w.io) + ms * NS_PER_MS;
    if (command_start(w.pool, &request, &events, r, &r->command, &why) != 0)
        fail_msg("%s: %s", command, why.text);
    return r;
}

struct run *start(const char *command)
{
    return start_with((struct command_request){0}, command, WAIT_S * 1000);
}

struct run *run(const char *command)
{
    struct run *r = start(command);
    assert_true(wait_until(has_ended, r));
    if (r->result.end != COMMAND_EXITED)
        fail_msg("%s: %s", command, r->result.failure.text);
    return r;
}

/* Whether a process of the group is there and no zombie. */
unsigned living(pid_t group)
{
    char path[300], state;
    unsigned count = 0;
    int pgrp;
    DIR *d = opendir("/proc");
    assert_non_null(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = e->d_name[0] >= '0' && e->d_name[0] <= '9' ? fopen(path, "re") : NULL;
        if (f && fscanf(f, "%*d (%*[^)]) %c %*d %d", &state, &pgrp) == 2)
            count += pgrp == group && state != 'Z';
        if (f)
            fclose(f);
    }
    closedir(d);
    return count;
}

bool has_line(const void *context)
{
    return strchr(((const struct run *)context)->out, '\n') != NULL;
}

/* A command that prints its group first. */
struct run *start_group(const char *command, uint64_t ms, pid_t *group)
{
    char line[512];
    snprintf(line, sizeof line, "echo $$; %s", command);
    struct run *r = start_with((struct command_request){0}, line, ms);
    assert_true(wait_until(has_line, r));
    *group = (pid_t)strtol(r->out, NULL, 10);
    assert_true(*group > 1);
    return r;
}
