/* How a look at a path ends when it does not go well: a lost connection, the deadline, a cancel. */
#include "world.h"

#include "scout/fleet/holdings.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void a_lost_connection_costs_one_fresh_attempt(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= 3; round++) {
        struct world w;
        world_start(&w);
        world_put(&w, "f", "hello\n", 6);
        w.pool.lose_at = round;
        w.pool.lose_count = 1;
        world_look(&w, world_path(&w, "f"));
        world_expect_text(&w, "hello\n", 6);
        assert_string_equal(w.real_path, world_path(&w, "f"));
        assert_int_equal(w.pool.connects, 2);
        world_stop(&w);
    }
}

static void a_lost_listing_begins_again(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    for (unsigned i = 0; i < 500; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        world_put(&w, name, "", 0);
    }
    w.pool.lose_at = 4; /* in mid-list */
    w.pool.lose_count = 1;
    world_look(&w, w.place.dir);
    assert_int_equal(w.failure.error, 0);
    assert_int_equal(w.entry_count, 502);
    assert_int_equal(w.pool.connects, 2);
    world_stop(&w);
}

static void a_connection_that_is_lost_again_is_told(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_put(&w, "f", "hello\n", 6);
    w.pool.lose_at = 2;
    w.pool.lose_count = 2;
    world_look(&w, world_path(&w, "f"));
    world_expect_error(&w, SCOUT_E_CONNECTION_LOST, "lost by the test");
    assert_string_equal(w.failure.stage, "running");
    assert_int_equal(w.pool.connects, 2);
    world_stop(&w);
}

static void a_second_attempt_that_gets_no_connection_says_so(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_put(&w, "f", "hello\n", 6);
    w.pool.lose_at = 2;
    w.pool.lose_count = 1;
    world_begin(&w, world_path(&w, "f"));
    world_step(&w);
    w.pool.refuse = true;
    for (unsigned i = 0; i < 5 && !w.done; i++)
        world_step(&w);
    assert_true(w.done);
    world_expect_error(&w, SCOUT_E_POOL_FULL, "full");
    assert_string_equal(w.failure.stage, "queued");
    world_stop(&w);
}

static void a_silent_host_ends_in_the_deadline(void **state)
{
    (void)state;
    for (unsigned steps = 0; steps <= 2; steps++) {
        struct world w;
        world_start(&w);
        world_put(&w, "f", "hello\n", 6);
        uint64_t begun = io_now(w.fleet.io);
        world_begin(&w, world_path(&w, "f"));
        for (unsigned i = 0; i < steps; i++)
            world_step(&w);
        w.pool.silent = true;
        for (unsigned i = 0; i < 5 && !w.done; i++)
            world_step(&w);
        assert_true(w.done);
        world_expect_error(&w, SCOUT_E_DEADLINE, "host did not answer in time");
        assert_string_equal(w.failure.stage, "running");
        assert_int_equal(w.pool.suspects, 1);
        assert_int_equal(w.pool.connects, 1); /* no second attempt after it */
        assert_true(io_now(w.fleet.io) - begun < (WORLD_TIMEOUT_S + 1) * 1000000000ULL);
        world_stop(&w);
    }
}

static void a_cancel_at_any_time_leaves_nothing_behind(void **state)
{
    (void)state;
    for (unsigned steps = 0; steps <= 3; steps++) {
        for (unsigned directory = 0; directory < 2; directory++) {
            struct world w;
            world_start(&w);
            world_put(&w, "f", "hello\n", 6);
            w.pool.slow_connect = steps == 0;
            world_begin(&w, directory ? w.place.dir : world_path(&w, "f"));
            for (unsigned i = 1; i < steps; i++)
                world_step(&w);
            assert_false(w.done);
            path_get_cancel(w.get);
            assert_int_equal(w.pool.held, 0);
            w.pool.slow_connect = false;
            world_look(&w, world_path(&w, "f")); /* asserts that nothing is in flight after it */
            world_expect_text(&w, "hello\n", 6);
            world_stop(&w);
        }
    }
}

static void a_connection_that_is_waited_for_is_used(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    world_put(&w, "f", "hello\n", 6);
    w.pool.slow_connect = true;
    world_look(&w, world_path(&w, "f"));
    world_expect_text(&w, "hello\n", 6);
    world_stop(&w);
}

static void on_stat(struct sftp_request *request, const struct sftp_reply *reply)
{
    (void)request;
    assert_int_equal(reply->error, 0);
}

/* Half of what may be in flight is for those who have nothing in flight. */
static void a_crowd_leaves_room_for_others(void **state)
{
    (void)state;
    static struct sftp_request crowd[SFTP_IN_FLIGHT_MAX / 2];
    for (unsigned directory = 0; directory < 2; directory++) {
        struct world w;
        world_start(&w);
        struct pool_use use;
        char *large = calloc(1, WORLD_SIZE_MAX);
        world_put(&w, "f", large, WORLD_SIZE_MAX);
        assert_int_equal(
            pool_acquire(&w.pool, &w.host, "", UINT64_MAX, &use, NULL, &(struct failure){0}), 1);
        struct sftp *s = pool_sftp(&use);
        world_begin(&w, directory ? w.place.dir : world_path(&w, "f"));
        world_step(&w); /* its open goes out first, and is answered before the crowd's */
        for (size_t i = 0; i < SFTP_IN_FLIGHT_MAX / 2; i++)
            assert_int_equal(sftp_stat(s, &crowd[i], ".", on_stat), 0);
        world_step(&w);
        assert_int_equal(sftp_in_flight(s), 1);
        while (!w.done)
            world_step(&w);
        if (directory)
            assert_int_equal(w.entry_count, 3);
        else
            world_expect_text(&w, large, WORLD_SIZE_MAX);
        pool_release(&use);
        free(large);
        world_stop(&w);
    }
}

static void a_pool_that_refuses_is_told(void **state)
{
    (void)state;
    struct world w;
    world_start(&w);
    w.pool.refuse = true;
    world_look(&w, "/x");
    world_expect_error(&w, SCOUT_E_POOL_FULL, "full");
    assert_string_equal(w.failure.stage, "queued");
    world_stop(&w);
}

static void nobody_asked(struct holding *x)
{
    (void)x;
    fail();
}

/* A world whose looks count, and where another call of the client holds all that it may. */
static void start_full(struct world *w, struct holding *other)
{
    world_start(w);
    *other = (struct holding){0};
    assert_int_equal(holdings_new(&w->holdings, w->fleet.io, WORLD_SIZE_MAX), 0);
    assert_true(holding_ask(other, w->holdings, 1, WORLD_SIZE_MAX, nobody_asked));
}

static void stop_full(struct world *w)
{
    assert_int_equal(holdings_held(w->holdings), 0);
    holdings_free(w->holdings);
    world_stop(w);
}

static void a_large_file_waits_unopened_while_others_hold_too_much(void **state)
{
    (void)state;
    struct world w;
    struct holding other;
    uint8_t *large = calloc(1, WORLD_SIZE_MAX);
    start_full(&w, &other);
    world_put(&w, "small", "x", 1);
    world_look(&w, world_path(&w, "small"));
    world_expect_text(&w, "x", 1);
    world_put(&w, "large", large, WORLD_SIZE_MAX);
    world_begin(&w, world_path(&w, "large"));
    unsigned opens = w.pool.asked[TYPE_OPEN];
    for (int i = 0; i < 20; i++)
        world_step(&w);
    assert_false(w.done);
    assert_int_equal(w.pool.asked[TYPE_OPEN], opens);
    holding_end(&other);
    for (int i = 0; i < 20 && !w.done; i++)
        world_step(&w);
    world_expect_text(&w, large, WORLD_SIZE_MAX);
    /* When it is cancelled while it waits, nothing is left. */
    assert_true(holding_ask(&other, w.holdings, 1, WORLD_SIZE_MAX, nobody_asked));
    world_begin(&w, world_path(&w, "large"));
    for (int i = 0; i < 5; i++)
        world_step(&w);
    path_get_cancel(w.get);
    world_settle(&w);
    holding_end(&other);
    free(large);
    stop_full(&w);
}

static void what_waits_too_long_names_the_limit(void **state)
{
    (void)state;
    struct world w;
    struct holding other;
    uint8_t *large = calloc(1, WORLD_SIZE_MAX);
    start_full(&w, &other);
    world_put(&w, "large", large, WORLD_SIZE_MAX);
    world_begin(&w, world_path(&w, "large"));
    for (int i = 0; i < 5; i++)
        world_step(&w);
    w.pool.silent = true; /* so that time passes */
    for (int i = 0; i < 5 && !w.done; i++)
        world_step(&w);
    w.pool.silent = false;
    world_settle(&w);
    world_expect_error(&w, SCOUT_E_LIMIT, "max_client_bytes");
    assert_string_equal(w.failure.stage, "queued");
    holding_end(&other);
    free(large);
    stop_full(&w);
}

static void what_cannot_be_known_before_is_refused(void **state)
{
    (void)state;
    struct world w;
    struct holding other;
    char name[64];
    start_full(&w, &other);
    world_look(&w, "/proc/self/status"); /* it says that it has no bytes, and has few */
    assert_int_equal(w.failure.error, 0);
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "a-file-of-a-directory-that-is-large-%d", i);
        world_put(&w, name, "", 0);
    }
    world_look(&w, w.place.dir);
    world_expect_error(&w, SCOUT_E_LIMIT, "max_client_bytes");
    holding_end(&other);
    world_look(&w, w.place.dir);
    assert_int_equal(w.failure.error, 0);
    stop_full(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_connection_costs_one_fresh_attempt),
        cmocka_unit_test(a_lost_listing_begins_again),
        cmocka_unit_test(a_connection_that_is_lost_again_is_told),
        cmocka_unit_test(a_second_attempt_that_gets_no_connection_says_so),
        cmocka_unit_test(a_silent_host_ends_in_the_deadline),
        cmocka_unit_test(a_cancel_at_any_time_leaves_nothing_behind),
        cmocka_unit_test(a_connection_that_is_waited_for_is_used),
        cmocka_unit_test(a_crowd_leaves_room_for_others),
        cmocka_unit_test(a_pool_that_refuses_is_told),
        cmocka_unit_test(a_large_file_waits_unopened_while_others_hold_too_much),
        cmocka_unit_test(what_waits_too_long_names_the_limit),
        cmocka_unit_test(what_cannot_be_known_before_is_refused),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
