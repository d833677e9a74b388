/* What becomes of commands whose connection is lost, or whose pool is freed: over the scripted
 * engine and server, in virtual time. */
#include "toy_world.h"

static void what_cannot_have_had_an_effect_is_tried_again(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .seed = 20});
    struct run *quiet, *waits;
    const struct command_request repeatable = {.repeatable = true}, once = {0};
    assert_int_equal(start_with(repeatable, "t1000 o5", 1, &quiet), 0);
    UNTIL(quiet->started);
    assert_int_equal(start_with(once, "t1000 o5", 1, &waits), 0);
    UNTIL(channels()->queue.count == 1);
    toy_server_drop(world->server);
    UNTIL(world->ended == 2);
    assert_exited(quiet, 0);
    assert_exited(waits, 0);
    assert_int_equal(quiet->out_len, 5);
    assert_int_equal(waits->out_len, 5);
    assert_int_equal(toy()->accepted, 2);
    assert_int_equal(pool_stats(world->pool)->command_retries, 2);
    close_world();
}

static void what_began_once_is_not_forgotten(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.delay_min_ns = 10 * NS_PER_MS, .seed = 32});
    struct run *r;
    assert_int_equal(start_with((struct command_request){.repeatable = true}, "t100000", 1, &r), 0);
    UNTIL(r->started);
    toy_server_set_faults(world->server, &(struct toy_faults){.refuse_channel = 1000});
    toy_server_drop(world->server);
    UNTIL(r->command->retried && r->command->state == COMMAND_OPENING);
    command_stop(r->command);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_CANCELLED);
    assert_string_equal(r->result.failure.stage, "channel");
    assert_true(r->result.may_have_run); /* on the first connection */
    close_world();
}

static void check_lost(const struct run *r)
{
    assert_true(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_CONNECTION_LOST);
    assert_string_equal(r->result.failure.stage, "running");
    assert_true(r->result.may_have_run);
}

static void what_may_have_had_one_is_not(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 21});
    struct run *once = start("t1000", 1), *seen, *fed;
    const struct command_request repeatable = {.repeatable = true},
                                 with_input = {.repeatable = true, .has_input = true};
    assert_int_equal(start_with(repeatable, "t100 o50 e1", 1, &seen), 0);
    assert_int_equal(start_with(with_input, "i t1000", 1, &fed), 0);
    assert_int_equal(command_write(fed->command, slice_str("some")), 0);
    UNTIL(once->started && fed->started);
    run_ms(20);
    assert_false(once->ended || seen->ended || fed->ended);
    toy_server_drop(world->server);
    UNTIL(once->ended && fed->ended);
    check_lost(once);
    check_lost(fed);
    UNTIL(seen->ended); /* nobody had seen anything of it yet */
    assert_exited(seen, 0);
    close_world();
}

static void it_is_tried_again_once(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 22});
    struct run *r;
    assert_int_equal(start_with((struct command_request){.repeatable = true}, "t100000", 1, &r), 0);
    UNTIL(r->started);
    r->started = false;
    toy_server_drop(world->server);
    UNTIL(r->started);
    toy_server_drop(world->server);
    UNTIL(r->ended);
    check_lost(r);
    close_world();
}

static void shutting_down_ends_everything(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 3, .seed = 23});
    for (int i = 0; i < 10; i++) {
        struct run *r;
        const struct command_request request = {.repeatable = true};
        assert_int_equal(start_with(request, "t100000", 1, &r), 0);
    }
    UNTIL(world->runs[0].started);
    command_stop(world->runs[0].command);
    pool_free(world->pool, on_freed, &world->freed);
    pool_release(&world->use);
    UNTIL(world->freed);
    assert_int_equal(world->ended, 10);
    assert_int_equal(world->runs[0].result.end, COMMAND_STOP_UNCONFIRMED);
    for (int i = 1; i < 10; i++)
        assert_int_equal(world->runs[i].result.failure.error, SCOUT_E_SHUTTING_DOWN);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_have_had_an_effect_is_tried_again),
        cmocka_unit_test(what_began_once_is_not_forgotten),
        cmocka_unit_test(what_may_have_had_one_is_not),
        cmocka_unit_test(it_is_tried_again_once),
        cmocka_unit_test(shutting_down_ends_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
