/* Who gets a channel, and how many there are: the real scheduler over the scripted engine and
 * server, in virtual time. */
#include "toy_world.h"

/* ---- how many ---- */

static void the_limit_is_learned_from_refusals(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 5, .delay_max_ns = NS_PER_MS, .seed = 1});
    for (int i = 0; i < 200; i++)
        start("t20 s3 o10 e5", (uint64_t)i % 3);
    UNTIL(world->ended == 200);
    for (int i = 0; i < 200; i++) {
        assert_exited(&world->runs[i], 3);
        assert_int_equal(world->runs[i].out_len, 10);
        assert_int_equal(world->runs[i].err_len, 5);
    }
    assert_int_equal(channels()->limit, 5);
    assert_in_range(toy()->refused, 1, 8); /* not once for each command */
    UNTIL(toy()->channels == 1);           /* none but the anchor is left */
    close_world();
}

static void a_limit_that_holds_is_never_exceeded(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .delay_max_ns = NS_PER_MS, .seed = 2});
    for (int i = 0; i < 200; i++)
        start("t20", 1);
    UNTIL(world->ended == 200);
    assert_int_equal(toy()->refused, 0);
    assert_int_equal(pool_stats(world->pool)->channels_refused, 0);
    close_world();
}

/* Sessions that linger at the host (their channel is closed, their command runs) made the limit
 * small; when they have ended, it must grow again. */
static void the_limit_rises_again(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 3});
    for (int i = 0; i < 7; i++) {
        struct run *r;
        assert_int_equal(start_with((struct command_request){.as_is = true}, "t15000", 1, &r), 0);
        UNTIL(r->started);
        command_abandon(r->command);
        r->command = NULL;
    }
    for (int i = 0; i < 1000; i++)
        start("t400", 2);
    UNTIL(world->runs[10].ended);
    assert_in_range(channels()->limit, 2, 4);
    UNTIL(channels()->limit >= 9);
    UNTIL(channels()->queue.count == 0);
    assert_in_range(channels()->limit, 9, 10);
    close_world();
}

/* On no connection, that is. */
static void a_host_that_opens_none_is_given_up_soon(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.faults.refuse_channel = 1000, .seed = 4});
    uint64_t begin = io_now(world->io);
    struct run *r = start("t1", 1);
    UNTIL(r->ended);
    assert_int_equal(r->result.end, COMMAND_FAILED);
    assert_int_equal(r->result.failure.error, SCOUT_E_NO_CHANNEL);
    assert_string_equal(r->result.failure.stage, "channel");
    assert_false(r->result.may_have_run);
    assert_int_equal(pool_stats(world->pool)->channels_refused, 1 + CHANNELS_REFUSALS_MAX);
    assert_int_equal(toy()->accepted, 2);
    assert_true(io_now(world->io) - begin < 3 * NS_PER_S);
    close_world();
}

/* ---- whose ---- */

static void a_client_with_one_command_does_not_wait_for_anothers_hundreds(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 10, .seed = 5});
    for (int i = 0; i < 400; i++)
        start("t50", 1);
    UNTIL(world->ended >= 50);
    unsigned before = world->ended;
    struct run *r = start("t50", 2);
    UNTIL(r->ended);
    /* Those that had a channel may end first, and as many that got one in the same turn. */
    assert_in_range(r->order - before, 0, 20);
    close_world();
}

static void clients_take_turns(void **state)
{
    (void)state;
    enum { CLIENTS = 5, EACH = 40 };
    open_world(&(struct toy_config){.channels_max = 3, .seed = 6});
    for (uint64_t client = 0; client < CLIENTS; client++)
        for (int i = 0; i < EACH; i++)
            start("t10", client);
    unsigned ended[CLIENTS] = {0};
    UNTIL(world->ended == CLIENTS * EACH / 2);
    for (unsigned i = 0; i < world->count; i++)
        ended[i / EACH] += world->runs[i].ended;
    for (int client = 0; client < CLIENTS; client++)
        assert_in_range(ended[client], EACH / 2 - 2, EACH / 2 + 2);
    close_world();
}

static void commands_of_one_client_keep_their_order(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .delay_max_ns = NS_PER_MS, .seed = 7});
    enum { LEARN = 10, COUNT = 50 }; /* with the limit known, one runs at a time */
    for (int i = 0; i < LEARN; i++)
        start("t5", 9);
    UNTIL(world->ended == LEARN);
    for (int i = 0; i < COUNT; i++)
        start("t5", 9);
    UNTIL(world->ended == LEARN + COUNT);
    for (unsigned i = LEARN; i < LEARN + COUNT; i++)
        assert_int_equal(world->runs[i].order, i);
    close_world();
}

static void the_queue_has_an_end(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .seed = 8});
    struct run *r;
    int error = 0;
    unsigned accepted = 0;
    while (accepted < COMMANDS_WAITING_MAX + 100 && !error) {
        error = start_with((struct command_request){0}, "t1", accepted, &r);
        accepted += !error;
    }
    assert_int_equal(error, SCOUT_E_POOL_FULL);
    assert_in_range(accepted, COMMANDS_WAITING_MAX, COMMANDS_WAITING_MAX + CHANNELS_DEFAULT);
    UNTIL(world->ended == accepted); /* each a client of its own */
    for (unsigned i = 0; i < accepted; i++)
        assert_exited(&world->runs[i], 0);
    close_world();
}

static void those_who_leave_the_queue_do_not_hold_it_up(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 2, .seed = 9});
    for (int i = 0; i < 60; i++)
        start("t10", (uint64_t)i % 4);
    UNTIL(world->ended >= 5);
    for (unsigned i = 0; i < 60; i += 3)
        if (world->runs[i].command)
            command_stop(world->runs[i].command);
    UNTIL(world->ended == 60);
    for (unsigned i = 0; i < 60; i++) {
        const struct command_result *result = &world->runs[i].result;
        if (i % 3 != 0 || result->end == COMMAND_EXITED) {
            assert_exited(&world->runs[i], 0);
            continue;
        }
        assert_int_equal(result->failure.error, SCOUT_E_CANCELLED);
        if (result->end == COMMAND_FAILED)
            assert_false(result->may_have_run);
    }
    assert_int_equal(channels()->queue.count, 0);
    assert_int_equal(pool_stats(world->pool)->channels_waiting, 0);
    close_world();
}

/* ---- a connection for commands ---- */

static void commands_have_a_connection_of_their_own_where_sftp_has_the_only_channel(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 1, .delay_max_ns = NS_PER_MS, .seed = 40});
    for (int i = 0; i < 60; i++)
        start("t20 s3 o10", (uint64_t)i % 3);
    UNTIL(world->ended == 60);
    for (int i = 0; i < 60; i++)
        assert_exited(&world->runs[i], 3);
    assert_int_equal(toy()->accepted, 2);
    assert_int_equal(pool_stats(world->pool)->connections, 2);
    assert_int_equal(pool_stats(world->pool)->command_retries, 0); /* nothing was lost */
    assert_int_equal(channels()->limit, 1);
    uint64_t refused = toy()->refused;
    struct run *r = start("t1", 1); /* it goes there at once */
    UNTIL(r->ended);
    assert_exited(r, 0);
    assert_int_equal(toy()->refused, refused);
    UNTIL(toy()->channels == 1); /* the anchor */
    close_world();
}

static void it_is_closed_when_idle_like_any_other(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 1, .seed = 42});
    struct run *r = start("t1", 1);
    UNTIL(r->ended);
    assert_int_equal(toy()->open, 2);
    uint64_t idle = io_now(world->io);
    UNTIL(toy()->open == 1);
    assert_in_range(io_now(world->io) - idle, 59 * NS_PER_S, 61 * NS_PER_S);
    r = start("t1", 1);
    UNTIL(r->ended);
    assert_exited(r, 0);
    assert_int_equal(toy()->accepted, 3);
    close_world();
}

static void one_that_is_lost_is_replaced(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.channels_max = 1, .seed = 43});
    struct run *r;
    assert_int_equal(start_with((struct command_request){.repeatable = true}, "t500 o5", 1, &r), 0);
    UNTIL(r->started);
    toy_server_drop(world->server);
    UNTIL(r->ended);
    assert_exited(r, 0);
    assert_int_equal(pool_stats(world->pool)->command_retries, 1);
    close_world();
}

/* ---- one channel ahead ---- */

#define FAR_MS 20

static const struct toy_config far_away = {
    .delay_min_ns = FAR_MS * NS_PER_MS, .delay_max_ns = FAR_MS * NS_PER_MS + 1, .seed = 50};

/* How long it took until the host had accepted the command. */
static uint64_t time_to_start(const char *words)
{
    uint64_t begin = io_now(world->io);
    struct run *r = start(words, 1);
    UNTIL(r->started);
    uint64_t took = io_now(world->io) - begin;
    UNTIL(r->ended);
    assert_exited(r, 0);
    return took;
}

static void a_command_on_a_far_host_takes_one_round_trip(void **state)
{
    (void)state;
    open_world(&far_away);
    assert_in_range(time_to_start("t1"), 2 * FAR_MS * NS_PER_MS, (2 * FAR_MS + 5) * NS_PER_MS);
    for (int i = 0; i < 10; i++)
        assert_in_range(time_to_start("t1"), FAR_MS * NS_PER_MS, (FAR_MS + 3) * NS_PER_MS);
    run_ms(100);
    assert_int_equal(toy()->channels, 2);
    uint64_t opened = toy()->opened;
    run_ms(CHANNELS_AHEAD_MS - 1000); /* it is kept for a while, and closed then */
    assert_int_equal(toy()->channels, 2);
    UNTIL(toy()->channels == 1);
    assert_int_equal(toy()->opened, opened);
    pool_release(&world->use);
    UNTIL(pool_stats(world->pool)->connections == 0); /* nor does it keep the connection */
    close_world();
}

static void none_is_opened_ahead_on_a_near_host(void **state)
{
    (void)state;
    open_world(&(struct toy_config){.seed = 51});
    for (int i = 0; i < 10; i++)
        time_to_start("t1");
    assert_int_equal(toy()->opened, 1 + 10);
    close_world();
}

static void expect_command(void)
{
    command_expect(world->pool, &world->host, "");
}

static void a_channel_is_opened_for_a_command_that_is_expected(void **state)
{
    enum { NEAR_MS = 2 };
    (void)state;
    open_world(&(struct toy_config){
        .delay_min_ns = NEAR_MS * NS_PER_MS, .delay_max_ns = NEAR_MS * NS_PER_MS + 1, .seed = 53});
    uint64_t opened = toy()->opened;
    expect_command(); /* it has been opened when the command comes */
    run_ms(NEAR_MS + 1);
    assert_int_equal(toy()->channels, 2);
    assert_in_range(time_to_start("t1"), NEAR_MS * NS_PER_MS, (2 * NEAR_MS - 1) * NS_PER_MS);
    assert_int_equal(toy()->opened, opened + 1);
    expect_command(); /* it is being opened */
    run_ms(NEAR_MS / 2);
    assert_in_range(time_to_start("t1"), NEAR_MS * NS_PER_MS, 4 * NEAR_MS * NS_PER_MS);
    run_ms(100);
    assert_int_equal(toy()->opened, opened + 2); /* and no other */
    assert_int_equal(toy()->channels, 1);
    expect_command(); /* none comes */
    run_ms(CHANNELS_EXPECT_MS - 10);
    assert_int_equal(toy()->channels, 2);
    run_ms(10 + 2 * NEAR_MS);
    assert_int_equal(toy()->channels, 1);
    for (int i = 0; i < 50; i++) { /* more than there is room for */
        expect_command();
        start("t30", (uint64_t)i % 3);
    }
    UNTIL(world->ended == 52);
    UNTIL(toy()->channels == 1);
    assert_int_equal(toy()->refused, 0);
    close_world();
}

/* It is never the last one, nor the one that is kept free; and where the limit is not known yet, a
 * host that refuses it is not asked again. */
static void the_one_ahead_takes_nothing_from_commands(void **state)
{
    (void)state;
    for (uint32_t most = 2; most <= 6; most++) {
        struct toy_config config = far_away;
        config.channels_max = most;
        open_world(&config);
        for (int i = 0; i < 60; i++)
            start("t300", (uint64_t)i % 3);
        UNTIL(world->ended == 60);
        for (int i = 0; i < 60; i++)
            assert_exited(&world->runs[i], 0);
        assert_in_range(toy()->refused, 1, 10);
        uint64_t refused = toy()->refused;
        for (int i = 0; i < 5; i++)
            time_to_start("t1");
        run_ms(100);
        assert_int_equal(toy()->channels, most >= 4 ? 2 : 1);
        assert_int_equal(toy()->refused, refused);
        struct run *r = start("t400000", 1), *other = start("t400000", 1);
        UNTIL(r->started);
        run_ms(100);
        command_stop(r->command);
        UNTIL(r->ended);
        assert_int_equal(r->result.end, COMMAND_STOPPED);
        command_abandon(other->command);
        other->command = NULL;
        close_world();
    }
}

/* ---- the shell ---- */

static void the_first_command_tells_the_shell(void **state)
{
    (void)state;
    for (int csh = 0; csh < 2; csh++) {
        open_world(&(struct toy_config){.csh = csh, .seed = 10});
        assert_false(channels()->shell.known);
        for (int i = 0; i < 3; i++) {
            struct run *r = start("s4 e7", 1);
            UNTIL(r->ended);
            assert_exited(r, 4);
            assert_int_equal(r->err_len, 7);
            assert_true(channels()->shell.known);
            assert_int_equal(channels()->shell.posix, !csh);
        }
        assert_int_equal(toy()->reports, 3);
        close_world();
    }
}

/* The same engine and server on the kernel's sockets and clock, as benchmarks use them. */
static void it_works_on_the_real_ring(void **state)
{
    (void)state;
    char why[256];
    struct io *io;
    if (io_ring_open(&io, NULL, why, sizeof why) != 0) {
        print_message("skipped: %s\n", why);
        skip();
    }
    uint64_t begin = io_now(io);
    open_world_on(io, &(struct toy_config){.connect_delay_ns = 10 * NS_PER_MS, .seed = 24});
    assert_true(io_now(io) - begin >= 10 * NS_PER_MS);
    for (int i = 0; i < 20; i++)
        start("t1 o1000 s6", 1);
    UNTIL(world->ended == 20);
    for (int i = 0; i < 20; i++) {
        assert_exited(&world->runs[i], 6);
        assert_int_equal(world->runs[i].out_len, 1000);
    }
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_is_learned_from_refusals),
        cmocka_unit_test(a_limit_that_holds_is_never_exceeded),
        cmocka_unit_test(the_limit_rises_again),
        cmocka_unit_test(a_host_that_opens_none_is_given_up_soon),
        cmocka_unit_test(a_client_with_one_command_does_not_wait_for_anothers_hundreds),
        cmocka_unit_test(clients_take_turns),
        cmocka_unit_test(commands_of_one_client_keep_their_order),
        cmocka_unit_test(the_queue_has_an_end),
        cmocka_unit_test(those_who_leave_the_queue_do_not_hold_it_up),
        cmocka_unit_test(commands_have_a_connection_of_their_own_where_sftp_has_the_only_channel),
        cmocka_unit_test(it_is_closed_when_idle_like_any_other),
        cmocka_unit_test(one_that_is_lost_is_replaced),
        cmocka_unit_test(a_command_on_a_far_host_takes_one_round_trip),
        cmocka_unit_test(none_is_opened_ahead_on_a_near_host),
        cmocka_unit_test(a_channel_is_opened_for_a_command_that_is_expected),
        cmocka_unit_test(the_one_ahead_takes_nothing_from_commands),
        cmocka_unit_test(the_first_command_tells_the_shell),
        cmocka_unit_test(it_works_on_the_real_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
