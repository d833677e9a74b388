/* Commands on an sshd that allows one session on a connection (MaxSessions 1), which SFTP has: they
 * get a connection of their own, and what stops them another. Skipped where there is no sshd. */
#include "sshd_world.h"

#include <stdio.h>
#include <string.h>

struct sftp_use {
    struct pool_use use;
    bool ready;
};

static void on_ready(struct pool_use *use, const struct failure *failure)
{
    assert_null(failure);
    ((struct sftp_use *)use)->ready = true;
}

static bool is_ready(const void *context)
{
    return ((const struct sftp_use *)context)->ready;
}

/* Takes the connection that has SFTP, as a read does. */
static void hold_sftp(struct sftp_use *u)
{
    struct failure why;
    *u = (struct sftp_use){.ready = false};
    uint64_t deadline = io_now(w.io) + WAIT_S * NS_PER_S;
    if (pool_acquire(w.pool, &w.host, "", deadline, &u->use, on_ready, &why) == 0)
        assert_true(wait_until(is_ready, u));
    assert_true(pool_has_sftp(&u->use));
}

static void commands_run_beside_sftp(void **state)
{
    (void)state;
    struct sftp_use sftp;
    open_world();
    hold_sftp(&sftp);
    for (int i = 0; i < 20; i++) {
        struct run *r = run("echo out; exit 3");
        assert_string_equal(r->out, "out\n");
        assert_int_equal(r->result.status, 3);
    }
    assert_int_equal(pool_stats(w.pool)->connects, 2);
    assert_non_null(pool_sftp(&sftp.use)); /* which is not held up by them */
    pool_release(&sftp.use);
    close_world();
}

static void many_at_once_run_one_after_the_other(void **state)
{
    (void)state;
    open_world();
    for (int i = 0; i < 40; i++) {
        char line[64];
        snprintf(line, sizeof line, "echo %d", i);
        start(line);
    }
    assert_true(wait_until(all_ended, NULL));
    for (unsigned i = 0; i < w.count; i++) {
        char line[64];
        snprintf(line, sizeof line, "%u\n", i);
        assert_int_equal(w.runs[i].result.end, COMMAND_EXITED);
        assert_string_equal(w.runs[i].out, line);
    }
    assert_int_equal(pool_stats(w.pool)->connects, 2);
    close_world();
}

static void check_stopped(const struct run *r, pid_t group, int error)
{
    assert_true(wait_until(has_ended, r));
    if (r->result.end != COMMAND_STOPPED)
        fail_msg("%s", r->result.failure.text);
    assert_int_equal(r->result.failure.error, error);
    assert_int_equal(living(group), 0);
}

static void what_is_stopped_is_stopped_over_a_third_connection(void **state)
{
    (void)state;
    pid_t group;
    open_world();
    struct run *r = start_group("sleep 1000 & sleep 1000", WAIT_S * 1000, &group);
    command_stop(r->command);
    check_stopped(r, group, SCOUT_E_CANCELLED);
    assert_int_equal(pool_stats(w.pool)->connects, 3);
    r = start_group("trap : TERM; sleep 1000; sleep 1000", WAIT_S * 1000, &group);
    command_stop(r->command);
    check_stopped(r, group, SCOUT_E_CANCELLED);
    r = start_group("sleep 1000", STOPPED_BY_MS, &group);
    check_stopped(r, group, SCOUT_E_DEADLINE);
    r = run("echo after");
    assert_string_equal(r->out, "after\n");
    assert_int_equal(pool_stats(w.pool)->connects, 3);
    close_world();
}

static int setup(void **state)
{
    (void)state;
    return start_host("-o MaxSessions=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_run_beside_sftp),
        cmocka_unit_test(many_at_once_run_one_after_the_other),
        cmocka_unit_test(what_is_stopped_is_stopped_over_a_third_connection),
    };
    return cmocka_run_group_tests(tests, setup, stop_host);
}
