/* How commands are stopped, and when that is told: over the scripted engine and server, in virtual
 * time. */
#include "toy_world.h"

#include <stdio.h>

static void commands_are_stopped_while_all_other_channels_are_in_use(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 11});
    for (int i = 0; i < 20; i++)
        start("t400000", 1);
    UNTIL(world->runs[7].started);
    uint64_t begin = io_now(world->io);
    command_stop(world->runs[3].command);
    UNTIL(world->runs[3].ended);
    assert_int_equal(world->runs[3].result.end, COMMAND_STOPPED);
    assert_int_equal(world->runs[3].result.failure.error, SCOUT_E_CANCELLED);
    assert_true(io_now(world->io) - begin < NS_PER_S);
    assert_int_equal(world->ended, 1);
    assert_int_equal(toy()->refused, 0);
    assert_int_equal(toy()->open, 1);
    UNTIL(world->runs[8].started); /* its channel is the next one's */
    close_world();
}

static void many_that_ignore_the_signal_are_stopped_together(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 12});
    for (int i = 0; i < 8; i++)
        start("t400000 ign", 1);
    UNTIL(world->runs[7].started);
    uint64_t begin = io_now(world->io);
    for (int i = 0; i < 8; i++)
        command_stop(world->runs[i].command);
    UNTIL(world->ended == 8);
    for (int i = 0; i < 8; i++)
        assert_int_equal(world->runs[i].result.end, COMMAND_STOPPED);
    assert_true(io_now(world->io) - begin < COMMAND_STOP_MS * NS_PER_MS);
    assert_int_equal(toy()->kills, 1);
    close_world();
}

static void what_cannot_be_killed_is_unconfirmed(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 13});
    struct run *r;
    struct command_request request = {.deadline_ns = io_now(world->io) + NS_PER_S};
    assert_int_equal(start_with(request, "t400000 imm", 1, &r), 0);
    struct run *other = start("t30000 o5", 1);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(r->result.failure.stage, "running");
    assert_true(r->result.may_have_run);
    assert_int_equal(io_now(world->io), request.deadline_ns);
    UNTIL(other->ended); /* the connection is not lost by it */
    assert_exited(other, 0);
    assert_int_equal(toy()->accepted, 1);
    close_world();
}

/* The command has exited; what is missing is the end of its output (here: the CLOSE). */
static void a_deadline_after_the_exit_says_draining(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.faults.never_close = 1000, .seed = 14});
    struct run *r;
    struct command_request request = {.deadline_ns = io_now(world->io) + NS_PER_S};
    assert_int_equal(start_with(request, "t10", 1, &r), 0);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOPPED);
    assert_string_equal(r->result.failure.stage, "draining");
    /* Nor is the killer's channel ever closed; the connection is idle all the same. */
    pool_release(&world->use);
    UNTIL(pool_stats(world->pool)->connections == 0);
    close_world();
}

static void a_deadline_in_the_queue_says_channel(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .seed = 15});
    struct run *first = start("t5000", 1), *r;
    struct command_request request = {.deadline_ns = io_now(world->io) + NS_PER_S};
    assert_int_equal(start_with(request, "t10", 2, &r), 0);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(r->result.failure.stage, "channel");
    assert_false(r->result.may_have_run);
    assert_int_equal(io_now(world->io), request.deadline_ns);
    UNTIL(first->ended);
    assert_exited(first, 0);
    close_world();
}

static void one_without_a_report_is_unconfirmed(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.faults.no_report = 1000, .seed = 16});
    struct run *r = start("t400000", 1);
    UNTIL(r->started);
    uint64_t begin = io_now(world->io);
    command_stop(r->command);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_true(io_now(world->io) - begin <= COMMAND_STOP_MS * NS_PER_MS);
    assert_int_equal(toy()->open, 1); /* the host lives: it answered the ping */
    close_world();
}

/* Nothing is in reserve yet, since the limit was not known: the killer is refused, waits for the
 * next channel that is free, and does its work then. */
static void a_killer_that_was_refused_tries_again(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 4, .seed = 17});
    struct run *r = start("t400000", 1);
    start("t1000", 1);
    start("t2000", 1);
    UNTIL(world->runs[2].started);
    command_stop(r->command);
    UNTIL(r->ended);
    assert_int_equal(toy()->refused, 1);
    assert_int_equal(r->result.end, COMMAND_STOPPED);
    assert_int_equal(r->order, 1);
    close_world();
}

/* Its report is held back with the rest of its output. */
static void a_paused_command_can_be_stopped(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 18});
    struct run *r = start("t400000 e100", 1);
    command_pause(r->command, true);
    UNTIL(r->started);
    run_ms(500);
    command_stop(r->command);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOPPED);
    assert_int_equal(r->err_len, 0);
    close_world();
}

static void on_other(struct pool_use *use, const struct failure *failure)
{
    (void)use;
    assert_null(failure);
}

static struct run *run_for(const char *words, uint64_t ms)
{
    struct run *r;
    const struct command_request request = {.deadline_ns = io_now(world->io) + ms * NS_PER_MS};
    assert_int_equal(start_with(request, words, 1, &r), 0);
    return r;
}

/* What is kept for stopping is a part of the time, and no large one. */
static void the_stop_begins_before_the_deadline_and_the_answer_comes_by_it(void **state)
{
    (void)state;
    const uint64_t deadlines[] = {1000, 6000, 30000, 300000};
    open_world(&(struct toy_config){.seed = 34});
    for (size_t i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++) {
        uint64_t begin = io_now(world->io), deadline = begin + deadlines[i] * NS_PER_MS;
        struct run *r = run_for("t400000", deadlines[i]);
        UNTIL(r->ended);
        assert_int_equal(r->result.end, COMMAND_STOPPED);
        assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
        uint64_t kept = deadlines[i] / 6 < 2000 ? deadlines[i] / 6 : 2000;
        assert_in_range(io_now(world->io), deadline - (kept + 1) * NS_PER_MS, deadline);
        /* One that ends before the stop begins is left alone. */
        char words[32];
        snprintf(words, sizeof words, "t%u s3", (unsigned)(deadlines[i] - kept - 50));
        r = run_for(words, deadlines[i]);
        UNTIL(r->ended);
        assert_exited(r, 3);
    }
    close_world();
}

/* One that ignores SIGTERM is gone by the deadline where there is time for that. */
static void one_that_ignores_the_signal_is_stopped_by_its_deadline(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 35});
    uint64_t deadline = io_now(world->io) + 15 * NS_PER_S;
    struct run *r = run_for("t400000 ign", 15000);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOPPED);
    assert_true(io_now(world->io) <= deadline);
    close_world();
}

/* Else the answer does not wait for it, and it is ended behind the answer. */
static void the_stop_goes_on_behind_the_answer(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 36});
    uint64_t deadline = io_now(world->io) + NS_PER_S;
    struct run *r = run_for("t400000 ign", 1000);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(r->result.failure.stage, "running");
    assert_true(r->result.may_have_run);
    assert_int_equal(io_now(world->io), deadline);
    assert_int_equal(toy()->channels, 3); /* anchor, command, killer */
    pool_release(&world->use);
    assert_int_equal(pool_stats(world->pool)->in_use, 1);
    UNTIL(toy()->channels == 1);
    assert_true(io_now(world->io) < deadline + COMMAND_STOP_MS * NS_PER_MS);
    UNTIL(pool_stats(world->pool)->in_use == 0);
    assert_int_equal(pool_stats(world->pool)->stops_unconfirmed, 1);
    close_world();
}

/* All that cannot be confirmed is answered at the deadline, whatever keeps it. */
static void no_answer_comes_after_the_deadline(void **state)
{
    (void)state;
    const struct toy_faults faults[] = {
        {.no_report = 1000}, {.never_close = 1000}, {.slow_output = 1000}, {0}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        open_world(&(struct toy_config){.faults = faults[i], .seed = 37});
        uint64_t deadline = io_now(world->io) + 3 * NS_PER_S;
        struct run *runs[3] = {run_for("t400000 imm", 3000), run_for("t1 o60000 e500 imm", 3000),
                               run_for("t400000", 3000)};
        UNTIL(runs[0]->ended && runs[1]->ended && runs[2]->ended);
        assert_true(io_now(world->io) <= deadline);
        run_ms(10000); /* nothing more is told: on_end asserts it */
        close_world();
    }
}

/* A cancelled one is answered by its deadline, too. */
static void a_stop_is_answered_by_the_deadline(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 38});
    uint64_t deadline = io_now(world->io) + 10 * NS_PER_S;
    struct run *r = run_for("t400000 imm", 10000);
    run_ms(7000);
    command_stop(r->command);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_int_equal(r->result.failure.error, SCOUT_E_CANCELLED);
    assert_int_equal(io_now(world->io), deadline);
    close_world();
}

static void a_silent_host_is_known_as_dead_at_the_deadline(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.faults.stall = 1000, .seed = 19});
    struct run *r;
    uint64_t deadline;
    do {
        deadline = io_now(world->io) + 10 * NS_PER_S;
        r = run_for("t1", 10000);
        UNTIL(r->ended);
    } while (r->result.end == COMMAND_EXITED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_int_equal(io_now(world->io), deadline);
    assert_int_equal(toy()->accepted, 1);
    r = start("t1", 1);
    UNTIL(toy()->accepted == 2); /* the next one goes elsewhere */
    assert_true(io_now(world->io) < deadline + 100 * NS_PER_MS);
    command_abandon(r->command);
    r->command = NULL;
    close_world();
}

/* A deadline so short that nothing is proved by it: the connection is given up behind the answer,
 * and who came to it meanwhile goes elsewhere. */
static void a_short_deadline_on_a_silent_host_holds_up_the_next_one_little(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.faults.stall = 1000, .seed = 19});
    struct run *r;
    uint64_t deadline;
    do {
        deadline = io_now(world->io) + NS_PER_S;
        r = run_for("t1", 1000);
        UNTIL(r->ended);
    } while (r->result.end == COMMAND_EXITED);
    assert_int_equal(io_now(world->io), deadline);
    toy_server_set_faults(world->server, &(struct toy_faults){0});
    r = start("t1", 1);
    UNTIL(r->ended);
    assert_exited(r, 0);
    assert_int_equal(toy()->accepted, 2);
    assert_true(io_now(world->io) < deadline + (COMMAND_SILENCE_MS + 100) * NS_PER_MS);
    close_world();
}

/* The report and what the command printed come in one piece, and the host's commands share a group
 * that must not be killed: the command is over before the call that stops it returns. */
static void one_may_end_in_its_own_output(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.shared_groups = true, .seed = 31});
    struct run *stopped = start("t0 e100", 1), *abandoned = start("t0 e100", 1);
    command_pause(stopped->command, true);
    command_pause(abandoned->command, true);
    run_ms(100);
    assert_true(stopped->started && stopped->err_len == 0);
    stopped->stops_itself = abandoned->abandons_itself = true;
    command_pause(stopped->command, false);
    command_pause(abandoned->command, false);
    UNTIL(stopped->ended);
    assert_int_equal(stopped->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_int_equal(stopped->err_len, 100);
    run_ms(100);
    assert_false(abandoned->ended);
    assert_int_equal(abandoned->err_len, 100);
    assert_int_equal(toy()->kills, 0);
    assert_int_equal(pool_stats(world->pool)->holds, 1);
    close_world();
}

static void nothing_begins_after_its_deadline(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 33});
    struct run *r;
    const struct command_request late = {.deadline_ns = io_now(world->io)};
    assert_int_equal(start_with(late, "t1", 1, &r), 0);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(r->result.failure.stage, "channel");
    assert_false(r->result.may_have_run);
    run_ms(1000);
    assert_int_equal(toy()->execs, 0);
    close_world();
}

/* ---- over another connection ---- */

/* Where so few channels are allowed, none is kept for stopping. */
static void a_stop_has_a_connection_of_its_own_where_no_channel_is_left(void **state)
{
    (void)state;
    for (uint32_t most = 1; most <= 2; most++) {
        open_world(&(struct toy_config){.channels_max = most, .seed = 44});
        struct run *r = start("t400000", 1), *next = start("t10", 1);
        UNTIL(r->started);
        uint64_t begin = io_now(world->io);
        command_stop(r->command);
        UNTIL(r->ended);
        assert_int_equal(r->result.end, COMMAND_STOPPED);
        assert_true(io_now(world->io) - begin < NS_PER_S);
        UNTIL(next->ended);
        assert_exited(next, 0);
        assert_int_equal(toy()->kills, 1);
        assert_int_equal(toy()->accepted, most == 1 ? 3 : 2);
        r = run_for("t400000", 1000); /* known by now */
        UNTIL(r->ended);
        assert_int_equal(r->result.end, COMMAND_STOPPED);
        assert_int_equal(toy()->accepted, most == 1 ? 3 : 2);
        UNTIL(toy()->channels == 1);
        close_world();
    }
}

/* Without a place for that connection it is unconfirmed, at the deadline. */
static void without_a_place_for_it_the_stop_is_unconfirmed(void **state)
{
    (void)state;
    struct pool_use others[2];
    struct failure why;
    open_world(&(struct toy_config){.channels_max = 1, .seed = 45});
    uint64_t deadline = io_now(world->io) + 20 * NS_PER_S;
    struct run *r = run_for("t400000", 20000);
    UNTIL(r->started);
    for (int i = 0; i < 2; i++) { /* the pool has four places */
        struct ssh_host host = world->host;
        host.user[0] = (char)('a' + i);
        assert_int_equal(pool_acquire(world->pool, &host, "", deadline, &others[i], on_other, &why),
                         0);
        UNTIL(others[i].connection && !others[i].waiting);
    }
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_STOP_UNCONFIRMED);
    assert_int_equal(io_now(world->io), deadline);
    pool_release(&others[0]);
    pool_release(&others[1]);
    UNTIL(toy()->kills == 1); /* behind the answer there was one */
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_stopped_while_all_other_channels_are_in_use),
        cmocka_unit_test(many_that_ignore_the_signal_are_stopped_together),
        cmocka_unit_test(what_cannot_be_killed_is_unconfirmed),
        cmocka_unit_test(a_deadline_after_the_exit_says_draining),
        cmocka_unit_test(a_deadline_in_the_queue_says_channel),
        cmocka_unit_test(one_without_a_report_is_unconfirmed),
        cmocka_unit_test(a_killer_that_was_refused_tries_again),
        cmocka_unit_test(a_paused_command_can_be_stopped),
        cmocka_unit_test(the_stop_begins_before_the_deadline_and_the_answer_comes_by_it),
        cmocka_unit_test(one_that_ignores_the_signal_is_stopped_by_its_deadline),
        cmocka_unit_test(the_stop_goes_on_behind_the_answer),
        cmocka_unit_test(no_answer_comes_after_the_deadline),
        cmocka_unit_test(a_stop_is_answered_by_the_deadline),
        cmocka_unit_test(a_silent_host_is_known_as_dead_at_the_deadline),
        cmocka_unit_test(a_short_deadline_on_a_silent_host_holds_up_the_next_one_little),
        cmocka_unit_test(one_may_end_in_its_own_output),
        cmocka_unit_test(nothing_begins_after_its_deadline),
        cmocka_unit_test(a_stop_has_a_connection_of_its_own_where_no_channel_is_left),
        cmocka_unit_test(without_a_place_for_it_the_stop_is_unconfirmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
