/* Commands over a real sshd: streams, status, stdin, windows, several at once, abandoning. */
#include "session_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define AT_ONCE   8
#define ROUNDS    50
#define MEGABYTE  (1024u * 1024u)
#define TWENTY_MB 20000000u

static void begin(struct rig *r, void **state, const char *options)
{
    rig_init(r, state, options);
    rig_add_key(r, "ed25519");
    rig_start(r);
    assert_true(rig_pump_ready(r));
}

static void test_streams_and_status(void **state)
{
    struct rig r;
    struct rig_run run;
    begin(&r, state, "");
    rig_run_init(&run, &r);
    rig_run(&run, "printf out; printf err >&2; exit 7");
    assert_int_equal(run.result.error, 0);
    assert_true(run.result.requested && run.result.has_status);
    assert_int_equal(run.result.status, 7);
    assert_string_equal(run.result.signal, "");
    assert_true(rig_run_is(&run, 0, "out"));
    assert_true(rig_run_is(&run, 1, "err"));
    assert_int_equal(r.engine->channels, 1);
    rig_run(&run, "true");
    assert_true(run.result.has_status);
    assert_int_equal(run.result.status, 0);
    rig_run_fini(&run);
    rig_fini(&r);
}

static void test_signal(void **state)
{
    struct rig r;
    struct rig_run run;
    begin(&r, state, "");
    rig_run_init(&run, &r);
    rig_run(&run, "kill -TERM $$");
    assert_int_equal(run.result.error, 0);
    assert_false(run.result.has_status);
    assert_string_equal(run.result.signal, "TERM");
    rig_run_fini(&run);
    rig_fini(&r);
}

static void write_all(struct rig_run *run, struct slice data)
{
    int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
    while (data.len > 0) {
        size_t n = data.len < EXEC_INPUT_MAX ? data.len : EXEC_INPUT_MAX;
        run->drained = false;
        assert_int_equal(exec_write(run->exec, slice_of(data.data, n)), 0);
        while (!run->drained) {
            assert_true(rig_now_ms() < deadline && run->ends == 0);
            rig_pump(run->rig, 1000);
        }
        data = slice_skip(data, n);
    }
}

static void test_stdin_round_trip(void **state)
{
    struct rig r;
    struct rig_run run;
    static uint8_t bytes[MEGABYTE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    begin(&r, state, "");
    rig_run_init(&run, &r);
    rig_run_start(&run, "cat");
    write_all(&run, slice_of(bytes, sizeof bytes));
    exec_end_input(run.exec);
    assert_int_equal(exec_write(run.exec, slice_str("late")), SCOUT_E_INVALID_ARGUMENT);
    rig_run_wait(&run);
    assert_int_equal(run.result.error, 0);
    assert_int_equal(run.result.status, 0);
    assert_true(slice_equal(buf_peek(&run.out[0]), slice_of(bytes, sizeof bytes)));
    rig_run_fini(&run);
    rig_fini(&r);
}

/* stdin has a limit, and a command that does not read fills it. */
static void test_stdin_limit(void **state)
{
    struct rig r;
    struct rig_run run;
    static uint8_t bytes[EXEC_INPUT_MAX];
    begin(&r, state, "");
    rig_run_init(&run, &r);
    rig_run_start(&run, "read line; echo $line");
    assert_int_equal(exec_write(run.exec, slice_str("go\n")), 0);
    assert_int_equal(exec_write(run.exec, slice_of(bytes, sizeof bytes)), SCOUT_E_LIMIT);
    rig_run_wait(&run);
    assert_true(rig_run_is(&run, 0, "go\n"));
    rig_run_fini(&run);
    rig_fini(&r);
}

/* Several requests outstanding at once: libssh2 alone would lose channels here. */
static void test_many_at_once(void **state)
{
    struct rig r;
    struct rig_run runs[AT_ONCE];
    begin(&r, state, "MaxSessions 10");
    for (size_t i = 0; i < AT_ONCE; i++)
        rig_run_init(&runs[i], &r);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < AT_ONCE; i++) {
            char command[64];
            snprintf(command, sizeof command, "echo %d %zu; exit %zu", round, i, i);
            rig_run_start(&runs[i], command);
            exec_end_input(runs[i].exec);
        }
        for (size_t i = 0; i < AT_ONCE; i++) {
            char expected[64];
            snprintf(expected, sizeof expected, "%d %zu\n", round, i);
            rig_run_wait(&runs[i]);
            assert_int_equal(runs[i].result.error, 0);
            assert_int_equal(runs[i].result.status, i);
            assert_true(rig_run_is(&runs[i], 0, expected));
        }
        assert_int_equal(r.engine->channels, 1);
    }
    for (size_t i = 0; i < AT_ONCE; i++)
        rig_run_fini(&runs[i]);
    rig_fini(&r);
}

static void test_max_sessions(void **state)
{
    struct rig r;
    struct rig_run first, second;
    begin(&r, state, "MaxSessions 2");
    rig_run_init(&first, &r);
    rig_run_init(&second, &r);
    rig_run_start(&first, "cat");
    rig_run_start(&second, "echo second");
    rig_run_wait(&second);
    assert_int_equal(second.result.error, SCOUT_E_NO_CHANNEL);
    assert_false(second.result.requested);
    assert_false(second.started);
    assert_int_equal(r.engine->channels, 2);
    exec_end_input(first.exec);
    rig_run_wait(&first);
    assert_int_equal(first.result.error, 0);
    rig_run(&second, "echo second"); /* the session goes on */
    assert_int_equal(second.result.error, 0);
    assert_true(rig_run_is(&second, 0, "second\n"));
    rig_run_fini(&first);
    rig_run_fini(&second);
    rig_fini(&r);
}

static void pump_until_channels(struct rig *r, uint32_t count)
{
    int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
    while (r->engine->channels != count) {
        assert_true(rig_now_ms() < deadline && r->engine->stage == ENGINE_READY);
        rig_pump(r, 1000);
    }
}

static void test_abandon_frees_the_channel(void **state)
{
    struct rig r;
    struct rig_run run;
    begin(&r, state, "MaxSessions 2");
    rig_run_init(&run, &r);
    for (int i = 0; i < 5; i++) {
        rig_run_start(&run, "echo ready; exec cat");
        while (!run.received)
            rig_pump(&r, 1000);
        exec_abandon(run.exec);
        pump_until_channels(&r, 1);
        assert_int_equal(run.ends, 0); /* no event comes any more */
        rig_run(&run, "echo next");
        assert_int_equal(run.result.error, 0);
        assert_true(rig_run_is(&run, 0, "next\n"));
    }
    rig_run_fini(&run);
    rig_fini(&r);
}

/* Abandoned after the k-th step, wherever that is: queued, opening, requested, running. */
static void test_abandon_at_every_step(void **state)
{
    struct rig r;
    struct rig_run run;
    begin(&r, state, "MaxSessions 2");
    rig_run_init(&run, &r);
    for (int k = 0; k < 12; k++) {
        rig_run_start(&run, "echo some; cat; echo more");
        for (int i = 0; i < k && run.ends == 0; i++)
            rig_pump(&r, i < 8 ? 20 : 1);
        assert_int_equal(run.ends, 0);
        exec_abandon(run.exec);
        pump_until_channels(&r, 1);
    }
    rig_run(&run, "echo end");
    assert_true(rig_run_is(&run, 0, "end\n"));
    rig_run_fini(&run);
    rig_fini(&r);
}

static void abandon_itself(struct rig_run *run)
{
    exec_abandon(run->exec);
}

static void test_abandon_from_its_own_event(void **state)
{
    struct rig r;
    struct rig_run run;
    begin(&r, state, "");
    rig_run_init(&run, &r);
    run.on_output = abandon_itself;
    rig_run_start(&run, "echo one; echo two >&2; cat; echo three");
    pump_until_channels(&r, 2);
    pump_until_channels(&r, 1);
    assert_int_equal(run.ends, 0);
    assert_int_equal(run.received, 4);
    rig_run_fini(&run);
    rig_fini(&r);
}

static void pause_itself(struct rig_run *run)
{
    exec_pause(run->exec, true);
}

/* 20 MB, of which the owner takes a piece at a time: nothing is lost, and no more than a window is
 * held meanwhile. */
static void test_output_with_pauses(void **state)
{
    struct rig r;
    struct rig_run run;
    uint32_t pauses = 0;
    begin(&r, state, "");
    rig_run_init(&run, &r);
    run.keep = false;
    run.on_output = pause_itself;
    rig_run_start(&run, "head -c 20000000 /dev/zero");
    exec_end_input(run.exec);
    int64_t deadline = rig_now_ms() + RIG_DEADLINE_MS;
    while (run.ends == 0) {
        uint64_t before = run.received;
        assert_true(rig_now_ms() < deadline);
        rig_pump(&r, 1000);
        if (run.ends == 0 && run.received != before) {
            assert_true(run.received - before <= SSH_EXEC_WINDOW);
            uint64_t taken = run.received;
            rig_pump(&r, 0); /* paused: nothing is told */
            assert_int_equal(run.received, taken);
            exec_pause(run.exec, false);
            pauses++;
        }
    }
    assert_int_equal(run.result.error, 0);
    assert_int_equal(run.received, TWENTY_MB);
    assert_true(pauses > TWENTY_MB / SSH_EXEC_WINDOW / 2);
    rig_run_fini(&run);
    rig_fini(&r);
}

/* While paused the host's command waits: it can have written a window and a pipe, no more. */
static void test_pause_holds_the_command(void **state)
{
    struct rig r;
    struct rig_run run, other;
    begin(&r, state, "");
    rig_run_init(&run, &r);
    rig_run_init(&other, &r);
    run.keep = false;
    run.on_output = pause_itself;
    rig_run_start(&run, "head -c 20000000 /dev/zero; echo done >&2");
    while (run.received == 0)
        rig_pump(&r, 1000);
    for (int i = 0; i < 5; i++) { /* its siblings run on meanwhile */
        rig_run(&other, "echo sibling");
        assert_true(rig_run_is(&other, 0, "sibling\n"));
    }
    assert_true(run.received <= SSH_EXEC_WINDOW && run.ends == 0);
    run.on_output = NULL;
    exec_pause(run.exec, false);
    rig_run_wait(&run);
    assert_int_equal(run.received, TWENTY_MB + 5);
    rig_run_fini(&run);
    rig_run_fini(&other);
    rig_fini(&r);
}

/* More stdin than the engine's output holds at once: all of it is written when the owner has made
 * room, although the host says nothing meanwhile. */
static void test_stdin_waits_for_room(void **state)
{
    struct rig r;
    struct rig_run runs[6];
    static uint8_t bytes[EXEC_INPUT_MAX];
    begin(&r, state, "");
    for (size_t i = 0; i < 6; i++) {
        rig_run_init(&runs[i], &r);
        rig_run_start(&runs[i], "cat >/dev/null");
        while (!runs[i].started)
            rig_pump(&r, 1000);
    }
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(exec_write(runs[i].exec, slice_of(bytes, sizeof bytes)), 0);
    for (int i = 0; i < 4; i++) {
        engine_step(r.engine);
        buf_clear(&r.engine->out); /* went somewhere */
    }
    for (size_t i = 0; i < 6; i++)
        assert_true(runs[i].drained);
    rig_fini(&r);
    for (size_t i = 0; i < 6; i++)
        rig_run_fini(&runs[i]);
}

/* A key exchange in the middle of transfers in both directions, several times. */
static void test_rekey_in_mid_transfer(void **state)
{
    struct rig r;
    struct rig_run down, up;
    static uint8_t bytes[4 * MEGABYTE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 11);
    begin(&r, state, "RekeyLimit 1M");
    rig_run_init(&down, &r);
    rig_run_init(&up, &r);
    down.keep = false;
    rig_run_start(&down, "head -c 20000000 /dev/zero");
    rig_run_start(&up, "cat");
    exec_end_input(down.exec);
    write_all(&up, slice_of(bytes, sizeof bytes));
    exec_end_input(up.exec);
    rig_run_wait(&up);
    rig_run_wait(&down);
    assert_int_equal(down.result.error, 0);
    assert_int_equal(down.received, TWENTY_MB);
    assert_int_equal(up.result.error, 0);
    assert_true(slice_equal(buf_peek(&up.out[0]), slice_of(bytes, sizeof bytes)));
    assert_true(r.engine->rekeys >= 10 && r.engine->rekeys <= 60);
    rig_run_fini(&down);
    rig_run_fini(&up);
    rig_fini(&r);
}

static void test_limits(void **state)
{
    struct rig r;
    static char command[EXEC_COMMAND_MAX + 2];
    static const struct exec_events none = {0};
    struct exec *x = NULL;
    rig_init(&r, state, "");
    rig_add_key(&r, "ed25519");
    rig_start(&r);
    assert_int_equal(engine_exec(r.engine, "true", &none, NULL, &x), SCOUT_E_CONNECTION_LOST);
    assert_true(rig_pump_ready(&r));
    memset(command, ' ', sizeof command - 1);
    assert_int_equal(engine_exec(r.engine, command, &none, NULL, &x), SCOUT_E_LIMIT);
    rig_fini(&r);
}

/* The longest command that is taken is run: it goes in one packet, which no peer need take above
 * 32 KiB (RFC 4253, 6.1), and libssh2 sends no longer ones. */
static void test_longest_command(void **state)
{
    struct rig r;
    struct rig_run run;
    static char command[EXEC_COMMAND_MAX + 1];
    begin(&r, state, "");
    rig_run_init(&run, &r);
    memset(command, ' ', EXEC_COMMAND_MAX);
    memcpy(command, "echo long;", 10);
    rig_run(&run, command);
    assert_int_equal(run.result.error, 0);
    assert_true(rig_run_is(&run, 0, "long\n"));
    rig_run(&run, "echo next"); /* and the session goes on */
    assert_true(rig_run_is(&run, 0, "next\n"));
    rig_run_fini(&run);
    rig_fini(&r);
}

/* The session ends under running commands: each is told, once. */
static void test_lost_under_commands(void **state)
{
    struct rig r;
    struct rig_run runs[3];
    begin(&r, state, "");
    for (size_t i = 0; i < 3; i++) {
        rig_run_init(&runs[i], &r);
        rig_run_start(&runs[i], i == 2 ? "kill -KILL $PPID; cat" : "cat");
        while (i < 2 && !runs[i].started)
            rig_pump(&r, 1000);
    }
    rig_pump_ended(&r);
    rig_assert_failure(&r, SCOUT_E_CONNECTION_LOST, "the session");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(runs[i].ends, 1);
        assert_int_equal(runs[i].result.error, SCOUT_E_CONNECTION_LOST);
        assert_true(runs[i].result.requested);
        rig_run_fini(&runs[i]);
    }
    rig_fini(&r);
}

/* Not by killing sshd: how many processes of it hold the socket differs between its versions. */
static void lose_connection(struct rig *r)
{
    assert_int_equal(shutdown(r->peer.fd, SHUT_RD), 0);
}

/* A session for commands alone takes no place for itself. */
static void test_without_an_anchor(void **state)
{
    struct rig r;
    struct rig_run run;
    rig_init(&r, state, "MaxSessions 1\n");
    rig_add_key(&r, "ed25519");
    r.config.no_anchor = true;
    rig_start(&r);
    assert_true(rig_pump_ready(&r));
    assert_false(r.engine->has_sftp);
    assert_int_equal(r.engine->channels, 0);
    assert_false(engine_ping(r.engine));
    rig_run_init(&run, &r);
    for (int i = 0; i < 5; i++) {
        rig_run(&run, "printf out; exit 3");
        assert_int_equal(run.result.error, 0);
        assert_int_equal(run.result.status, 3);
        assert_true(rig_run_is(&run, 0, "out"));
        assert_int_equal(r.engine->channels, 0);
    }
    lose_connection(&r);
    rig_pump_ended(&r); /* noticed, although there is no channel to read from */
    rig_assert_failure(&r, SCOUT_E_CONNECTION_LOST, "");
    rig_run_fini(&run);
    rig_fini(&r);
}

static void pump_quiet(struct rig *r)
{
    for (int i = 0; i < 5; i++)
        rig_pump(r, 50);
}

static void test_a_channel_ahead(void **state)
{
    struct rig r;
    struct rig_run run;
    begin(&r, state, "");
    rig_run_init(&run, &r);
    engine_open_ahead(r.engine, true);
    for (int i = 0; i < 5; i++) {
        while (r.engine->channels < 2 || !r.engine->ahead)
            rig_pump(&r, 1000);
        pump_quiet(&r);
        rig_run(&run, "cat; printf out; exit 3");
        assert_int_equal(run.result.error, 0);
        assert_int_equal(run.result.status, 3);
        assert_true(rig_run_is(&run, 0, "out"));
        assert_in_range(r.engine->channels, 1, 2); /* another one is on its way */
    }
    engine_open_ahead(r.engine, false);
    while (r.engine->channels > 1)
        rig_pump(&r, 1000);
    assert_false(r.engine->ahead);
    rig_run(&run, "true");
    assert_int_equal(run.result.error, 0);
    rig_run_fini(&run);
    rig_fini(&r);
}

static void test_a_refused_channel_ahead(void **state)
{
    struct rig r;
    struct rig_run run;
    begin(&r, state, "MaxSessions 2\n");
    rig_run_init(&run, &r);
    engine_open_ahead(r.engine, true);
    pump_quiet(&r);
    assert_true(r.engine->ahead);
    rig_run_start(&run, "sleep 0.3"); /* takes it; another one is refused */
    exec_end_input(run.exec);
    rig_run_wait(&run);
    assert_int_equal(run.result.error, 0);
    pump_quiet(&r);
    assert_false(r.engine->ahead);
    assert_int_equal(r.engine->channels, 1);
    rig_run(&run, "true");
    assert_int_equal(run.result.error, 0);
    assert_int_equal(r.engine->stage, ENGINE_READY);
    rig_run_fini(&run);
    rig_fini(&r);
}

/* Whatever is under way when the session goes. */
static void test_a_channel_ahead_at_the_end(void **state)
{
    for (int steps = 0; steps < 6; steps++) {
        struct rig r;
        struct rig_run run;
        begin(&r, state, "");
        rig_run_init(&run, &r);
        engine_open_ahead(r.engine, true);
        for (int i = 0; i < steps; i++)
            rig_pump(&r, 5);
        rig_run_start(&run, "sleep 100");
        for (int i = 0; i < steps; i++)
            rig_pump(&r, 5);
        lose_connection(&r);
        rig_pump_ended(&r);
        assert_int_equal(run.ends, 1);
        assert_int_equal(run.result.error, SCOUT_E_CONNECTION_LOST);
        rig_run_fini(&run);
        rig_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_and_status),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_stdin_round_trip),
        cmocka_unit_test(test_stdin_limit),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_max_sessions),
        cmocka_unit_test(test_abandon_frees_the_channel),
        cmocka_unit_test(test_abandon_at_every_step),
        cmocka_unit_test(test_abandon_from_its_own_event),
        cmocka_unit_test(test_output_with_pauses),
        cmocka_unit_test(test_pause_holds_the_command),
        cmocka_unit_test(test_stdin_waits_for_room),
        cmocka_unit_test(test_rekey_in_mid_transfer),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_longest_command),
        cmocka_unit_test(test_lost_under_commands),
        cmocka_unit_test(test_without_an_anchor),
        cmocka_unit_test(test_a_channel_ahead),
        cmocka_unit_test(test_a_refused_channel_ahead),
        cmocka_unit_test(test_a_channel_ahead_at_the_end),
    };
    return cmocka_run_group_tests_name("session_exec", tests, place_setup, place_teardown);
}
