/* Commands at the pool's API against OpenSSH's sshd on the real ring: what they give back, that
 * they can be stopped, and what remains when the host dies. Skipped where there is no sshd. */
#include "sshd_world.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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
    struct run *r = start_group("sleep 1000; :", STOPPED_BY_MS, &group);
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

static int setup(void **state)
{
    (void)state;
    return start_host("");
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
    return cmocka_run_group_tests(tests, setup, stop_host);
}
