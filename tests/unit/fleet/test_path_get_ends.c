/* How a look at a path ends when it does not go well: a lost connection, the deadline, a cancel. */
#include "world.h"

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
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
