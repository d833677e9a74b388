/* Turns at files: one at a time for each, in order, and nobody waits for ever. */
#include "scout/fleet/path_lock.h"
#include "scout/io/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define DEADLINE 1000000000u

struct waiter {
    struct path_lock lock;
    unsigned turns, late;
};

static struct io *io;
static struct path_locks *locks;
static struct waiter w[8];

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(io_sim_open(&io, 1, NULL), 0);
    locks = path_locks_new(io);
    assert_non_null(locks);
    memset(w, 0, sizeof w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof w / sizeof w[0]; i++)
        path_lock_give(&w[i].lock);
    for (int i = 0; i < 100; i++)
        io_run_once(io, 0);
    for (size_t i = 0; i < sizeof w / sizeof w[0]; i++)
        path_lock_give(&w[i].lock);
    path_locks_free(locks);
    io_free(io);
    return 0;
}

static void on_turn(struct path_lock *lock, bool late)
{
    struct waiter *one = CONTAINER_OF(lock, struct waiter, lock);
    one->turns += !late;
    one->late += late;
}

static bool take(unsigned i, const char *host, const char *path)
{
    bool at_once = path_lock_take(locks, &w[i].lock, host, path, io_now(io) + DEADLINE, on_turn);
    assert_int_equal(w[i].turns, 0);
    return at_once;
}

static void run(void)
{
    for (int i = 0; i < 10; i++)
        io_run_once(io, 0);
}

static void assert_turns(const char *turns)
{
    run();
    for (unsigned i = 0; turns[i]; i++)
        assert_int_equal(w[i].turns, turns[i] - '0');
}

static void one_at_a_time_in_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(take(i, "web1", "/f"), i == 0);
    assert_turns("100");
    assert_int_equal(path_locks_ended(locks), 0);
    path_lock_give(&w[0].lock);
    assert_int_equal(w[1].turns, 0); /* told later */
    assert_turns("110");
    assert_int_equal(path_locks_ended(locks), 1);
    path_lock_give(&w[1].lock);
    path_lock_give(&w[1].lock);
    assert_turns("111");
    path_lock_give(&w[2].lock);
    assert_int_equal(path_locks_ended(locks), 3);
    w[0] = (struct waiter){0};
    take(0, "web1", "/f");
    assert_turns("1");
}

static void other_files_do_not_wait(void **state)
{
    (void)state;
    take(0, "web1", "/f");
    take(1, "web2", "/f");
    take(2, "web1", "/f2");
    take(3, "web1", "/f");
    take(4, "web2", "/f");
    assert_turns("11100");
    path_lock_give(&w[1].lock);
    assert_turns("11101");
    path_lock_give(&w[0].lock);
    assert_turns("11111");
}

static void who_leaves_is_passed_over(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        take(i, "web1", "/f");
    path_lock_give(&w[1].lock); /* it waited */
    run();
    path_lock_give(&w[0].lock);
    path_lock_give(&w[2].lock); /* it has the turn, and was not told yet */
    assert_turns("1001");
    assert_int_equal(path_locks_ended(locks), 2);
}

static void nobody_waits_beyond_the_deadline(void **state)
{
    (void)state;
    take(0, "web1", "/f");
    take(1, "web1", "/f");
    run();
    take(2, "web1", "/f");
    for (int i = 0; i < 10; i++)
        io_run_once(io, DEADLINE);
    assert_int_equal(w[0].late, 0); /* it has the turn, as long as it likes */
    assert_int_equal(w[1].late, 1);
    assert_int_equal(w[2].late, 1);
    path_lock_give(&w[0].lock);
    assert_turns("100");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_at_a_time_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_files_do_not_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_waits_beyond_the_deadline, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
