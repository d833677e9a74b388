/* Commands at the pool's API against OpenSSH's sshd on the real ring: what they give back, that
 * they can be stopped, and what remains when the host dies. Skipped where there is no sshd. */
#include "scout/base/time.h"
#include "scout/io/io.h"
#include "scout/pool/command.h"
#include "scout/ssh/session.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S   60
#define RUNS_MAX 1100
#define LATE_MS  1000 /* of a busy machine */
#define TEXT_MAX 4096

struct run {
    struct command *command;
    bool started, ended;
    struct command_result result;
    char out[TEXT_MAX], err[TEXT_MAX];
    size_t out_len, err_len, input_left;
};

static struct {
    char dir[64], home[SSH_CONFIG_PATH_MAX];
    bool running;
    struct io *io;
    struct pool *pool;
    struct ssh_host host;
    bool freed;
    unsigned count, ended;
    struct run *runs;
} w;

/* ---- the host: one of scripts/fleet ---- */

static int shell(const char *format, const char *argument)
{
    char line[512];
    snprintf(line, sizeof line, format, SCOUT_SOURCE_DIR, w.dir, argument);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void read_file(const char *name, char *out, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", w.dir, name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    size_t len = fread(out, 1, size - 1, f);
    out[len] = '\0';
    fclose(f);
}

static int stop_host(void **state)
{
    (void)state;
    if (w.running)
        shell("%s/scripts/fleet stop %s %s", "");
    free(w.runs);
    ssh_engine_exit();
    return 0;
}

static int start_host(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    w.runs = calloc(RUNS_MAX, sizeof *w.runs);
    if (!w.runs || ssh_engine_init() != 0)
        return -1;
    if (access("/usr/sbin/sshd", X_OK) != 0)
        return 0;
    snprintf(w.dir, sizeof w.dir, "/tmp/scout-command-XXXXXX");
    /* Without the start files of whoever runs the test: they may print, or be slow. */
    if (!mkdtemp(w.dir) ||
        shell("%s/scripts/fleet start -o SetEnv=HOME=/nonexistent %s 1 %s", "") != 0)
        return -1;
    w.running = true;
    return 0;
}

/* ---- the world of one test ---- */

static void open_world(void)
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
    snprintf(w.host.identities[0], sizeof w.host.identities[0], "%s/user_key", w.dir);
    snprintf(w.host.known_hosts[0], sizeof w.host.known_hosts[0], "%s/known_hosts", w.dir);
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

static bool wait_until(bool (*happened)(const void *), const void *context)
{
    uint64_t end = io_now(w.io) + WAIT_S * NS_PER_S;
    while (!happened(context) && io_now(w.io) < end)
        io_run_once(w.io, 20 * NS_PER_MS);
    return happened(context);
}

static bool has_ended(const void *context)
{
    return ((const struct run *)context)->ended;
}

static bool all_ended(const void *context)
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

static void close_world(void)
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

static void write_input(struct run *r)
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

static struct run *start_with(struct command_request request, const char *command, uint64_t ms)
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

static struct run *start(const char *command)
{
    return start_with((struct command_request){0}, command, WAIT_S * 1000);
}

static struct run *run(const char *command)
{
    struct run *r = start(command);
    assert_true(wait_until(has_ended, r));
    if (r->result.end != COMMAND_EXITED)
        fail_msg("%s: %s", command, r->result.failure.text);
    return r;
}

/* Whether a process of the group is there and no zombie. */
static unsigned living(pid_t group)
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

static bool has_line(const void *context)
{
    return strchr(((const struct run *)context)->out, '\n') != NULL;
}

/* A command that prints its group first. */
static struct run *start_group(const char *command, uint64_t ms, pid_t *group)
{
    char line[512];
    snprintf(line, sizeof line, "echo $$; %s", command);
    struct run *r = start_with((struct command_request){0}, line, ms);
    assert_true(wait_until(has_line, r));
    *group = (pid_t)strtol(r->out, NULL, 10);
    assert_true(*group > 1);
    return r;
}

/* ---- what comes back ---- */

static void a_command_gives_back_what_it_did(void **state)
{
    (void)state;
    open_world();
    for (int round = 0; round < 2; round++) { /* the second time in the short form */
        struct run *r = run("echo out; echo err >&2; exit 7");
        assert_true(r->result.has_status);
        assert_int_equal(r->result.status, 7);
        assert_string_equal(r->result.signal, "");
        assert_string_equal(r->out, "out\n");
        assert_string_equal(r->err, "err\n");
        r = run("kill -TERM $$");
        assert_false(r->result.has_status);
        assert_string_equal(r->result.signal, "TERM");
        r = run("no-such-command-anywhere");
        assert_int_equal(r->result.status, 127);
        assert_non_null(strstr(r->err, "no-such-command-anywhere"));
        r = run("echo 'unbalanced");
        assert_int_not_equal(r->result.status, 0);
        assert_null(strstr(r->err, "scout-group"));
        r = run("cat <<EOF\n$((40+2)) `echo '!'` \"'\\\\\nEOF\nexit 3 # done");
        assert_string_equal(r->out, "42 ! \"'\\\n");
        assert_int_equal(r->result.status, 3);
    }
    assert_int_equal(pool_stats(w.pool)->connects, 1);
    close_world();
}

static void stdin_arrives_whole(void **state)
{
    (void)state;
    open_world();
    for (int round = 0; round < 2; round++) {
        struct run *r =
            start_with((struct command_request){.has_input = true}, "wc -c; cat", WAIT_S * 1000);
        r->input_left = 1 << 20;
        write_input(r);
        assert_true(wait_until(has_ended, r));
        assert_int_equal(r->result.end, COMMAND_EXITED);
        assert_string_equal(r->out, "1048576\n");
    }
    struct run *empty = run("wc -c"); /* without input, stdin is at its end */
    assert_string_equal(empty->out, "0\n");
    close_world();
}

static void large_output_survives_a_pause(void **state)
{
    (void)state;
    open_world();
    struct run *r = start("head -c 5000000 /dev/zero");
    command_pause(r->command, true);
    uint64_t end = io_now(w.io) + 300 * NS_PER_MS;
    while (io_now(w.io) < end)
        io_run_once(w.io, end - io_now(w.io));
    assert_int_equal(r->out_len, 0);
    assert_false(r->ended);
    command_pause(r->command, false);
    assert_true(wait_until(has_ended, r));
    assert_int_equal(r->result.end, COMMAND_EXITED);
    assert_int_equal(r->out_len, 5000000);
    close_world();
}

/* ---- stopping ---- */

static void check_stopped(struct run *r, pid_t group, int error)
{
    assert_true(wait_until(has_ended, r));
    if (r->result.end != COMMAND_STOPPED)
        fail_msg("%s", r->result.failure.text);
    assert_int_equal(r->result.failure.error, error);
    assert_string_equal(r->result.failure.stage, "running");
    assert_int_equal(living(group), 0);
}

static void a_stopped_command_leaves_nothing_of_its_group(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "sleep 1000 & sleep 1000; :",
        "trap '' TERM; sleep 1000 & sleep 1000; :", /* needs SIGKILL */
        "kill -STOP $$",
        "sh -c 'exec >/dev/null 2>&1 </dev/null; sleep 1000' & wait",
    };
    open_world();
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        pid_t group;
        struct run *other = start("sleep 0.2; echo still here");
        struct run *r = start_group(commands[i], WAIT_S * 1000, &group);
        assert_true(living(group) > 0);
        command_stop(r->command);
        check_stopped(r, group, SCOUT_E_CANCELLED);
        assert_true(wait_until(has_ended, other)); /* the others go on */
        assert_string_equal(other->out, "still here\n");
    }
    assert_int_equal(pool_stats(w.pool)->connects, 1);
    close_world();
}

static void a_deadline_stops_what_runs(void **state)
{
    (void)state;
    pid_t group;
    open_world();
    struct run *r = start_group("sleep 1000; :", 1500, &group);
    check_stopped(r, group, SCOUT_E_DEADLINE);
    close_world();
}

static void an_abandoned_command_is_stopped_silently(void **state)
{
    (void)state;
    pid_t group;
    open_world();
    struct run *r = start_group("sleep 1000; :", WAIT_S * 1000, &group);
    command_abandon(r->command);
    uint64_t end = io_now(w.io) + WAIT_S * NS_PER_S;
    while (living(group) > 0 && io_now(w.io) < end)
        io_run_once(w.io, 20 * NS_PER_MS);
    assert_int_equal(living(group), 0);
    assert_false(r->ended);
    w.count--;
    close_world();
}

/* What left the group is not of it any more: the verdict is about the group, and says so. */
static void a_daemon_that_left_the_group_is_not_seen(void **state)
{
    (void)state;
    pid_t group;
    open_world();
    struct run *r = start_group(
        "setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000; :", WAIT_S * 1000, &group);
    while (r->out_len == 0 || !strchr(strchr(r->out, '\n') + 1, '\n'))
        io_run_once(w.io, 20 * NS_PER_MS);
    pid_t daemon = (pid_t)strtol(strchr(r->out, '\n'), NULL, 10);
    assert_true(daemon > 1 && daemon != group);
    command_stop(r->command);
    check_stopped(r, group, SCOUT_E_CANCELLED);
    assert_non_null(strstr(r->result.failure.text, "no process of its group is left"));
    assert_int_equal(living(daemon), 1);
    assert_int_equal(kill(daemon, SIGKILL), 0);
    close_world();
}

static void one_that_is_sent_as_it_is_cannot_be_stopped(void **state)
{
    (void)state;
    open_world();
    struct run *r =
        start_with((struct command_request){.as_is = true}, "echo $$; sleep 1000", WAIT_S * 1000);
    assert_true(wait_until(has_line, r));
    pid_t group = (pid_t)strtol(r->out, NULL, 10);
    command_stop(r->command);
    assert_true(wait_until(has_ended, r));
    assert_int_equal(r->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_true(living(group) > 0);
    assert_int_equal(kill(-group, SIGKILL), 0);
    close_world();
}

/* ---- many ---- */

static void check_channels(void)
{
    /* None leaked: as many as MaxSessions admits beside the anchor can be had at once. */
    struct run *first = start("sleep 0.3; echo a");
    for (int i = 0; i < 7; i++)
        start("sleep 0.3; echo a");
    assert_true(wait_until(all_ended, NULL));
    for (int i = 0; i < 8; i++)
        assert_string_equal(first[i].out, "a\n");
}

static void hundreds_at_once_share_ten_channels(void **state)
{
    (void)state;
    open_world();
    for (int i = 0; i < 200; i++) {
        char line[64];
        snprintf(line, sizeof line, "echo %d; exit %d", i, i % 100);
        start(line);
    }
    assert_true(wait_until(all_ended, NULL));
    for (int i = 0; i < 200; i++) {
        char expected[16];
        snprintf(expected, sizeof expected, "%d\n", i);
        assert_int_equal(w.runs[i].result.end, COMMAND_EXITED);
        assert_int_equal(w.runs[i].result.status, i % 100);
        assert_string_equal(w.runs[i].out, expected);
        assert_string_equal(w.runs[i].err, "");
    }
    assert_int_equal(pool_stats(w.pool)->connects, 1);
    assert_int_equal(pool_stats(w.pool)->channels_refused, 0);
    check_channels();
    close_world();
}

static void a_thousand_one_after_the_other(void **state)
{
    (void)state;
    open_world();
    for (int i = 0; i < 1000; i++) {
        struct run *r = run("exit 5");
        assert_int_equal(r->result.status, 5);
        w.count = w.ended = 0;
    }
    assert_int_equal(pool_stats(w.pool)->connects, 1);
    check_channels();
    close_world();
}

/* ---- hosts that die ---- */

static void a_host_that_is_killed_loses_its_commands(void **state)
{
    (void)state;
    pid_t group;
    open_world();
    struct run *r = start_group("sleep 1000; :", WAIT_S * 1000, &group);
    assert_int_equal(shell("%s/scripts/fleet down %s %s", "demo1"), 0);
    assert_true(wait_until(has_ended, r));
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_CONNECTION_LOST);
    assert_string_equal(r->result.failure.stage, "running");
    assert_true(r->result.may_have_run);
    assert_int_equal(shell("%s/scripts/fleet up %s %s", "demo1"), 0);
    r = run("echo back"); /* over a new connection */
    assert_string_equal(r->out, "back\n");
    close_world();
}

/* To the listener and its connections' processes. */
static void signal_below(int parent, int number)
{
    char path[300];
    int ppid;
    DIR *d = opendir("/proc");
    assert_non_null(d);
    kill(parent, number);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = e->d_name[0] >= '0' && e->d_name[0] <= '9' ? fopen(path, "re") : NULL;
        if (f && fscanf(f, "%*d (%*[^)]) %*c %d", &ppid) == 1 && ppid == parent)
            signal_below(atoi(e->d_name), number);
        if (f)
            fclose(f);
    }
    closedir(d);
}

static void signal_host(int number)
{
    char process[64];
    read_file("hosts/demo1/process", process, sizeof process);
    int listener = atoi(process);
    assert_true(listener > 1);
    signal_below(listener, number);
}

static void a_host_that_falls_silent_ends_its_commands_in_time(void **state)
{
    (void)state;
    pid_t group;
    open_world();
    struct run *r = start_group("sleep 1000; :", 2000, &group);
    uint64_t deadline = io_now(w.io) + 2000 * NS_PER_MS;
    signal_host(SIGSTOP);
    bool ended = wait_until(has_ended, r);
    uint64_t now = io_now(w.io);
    signal_host(SIGCONT);
    kill(-group, SIGKILL);
    assert_true(ended);
    assert_int_equal(r->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(r->result.failure.stage, "running");
    assert_true(r->result.may_have_run);
    assert_true(now <= deadline + LATE_MS * NS_PER_MS);
    r = run("echo back");
    assert_string_equal(r->out, "back\n");
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_gives_back_what_it_did),
        cmocka_unit_test(stdin_arrives_whole),
        cmocka_unit_test(large_output_survives_a_pause),
        cmocka_unit_test(a_stopped_command_leaves_nothing_of_its_group),
        cmocka_unit_test(a_deadline_stops_what_runs),
        cmocka_unit_test(an_abandoned_command_is_stopped_silently),
        cmocka_unit_test(a_daemon_that_left_the_group_is_not_seen),
        cmocka_unit_test(one_that_is_sent_as_it_is_cannot_be_stopped),
        cmocka_unit_test(hundreds_at_once_share_ten_channels),
        cmocka_unit_test(a_thousand_one_after_the_other),
        cmocka_unit_test(a_host_that_is_killed_loses_its_commands),
        cmocka_unit_test(a_host_that_falls_silent_ends_its_commands_in_time),
    };
    return cmocka_run_group_tests(tests, start_host, stop_host);
}
