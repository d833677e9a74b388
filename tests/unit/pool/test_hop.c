/* Ways through bastions: shared, in turn, within the places, and ended in every stage. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static struct world w;
static struct ssh_host bastions[3];

static const struct pool_stats *stats(void)
{
    return pool_stats(w.pool);
}

static void open_behind(uint64_t seed)
{
    world_open(&w, seed);
    for (unsigned i = 0; i < 3; i++) {
        char user[16];
        snprintf(user, sizeof user, "b%u", i);
        bastions[i] = world_host(user);
    }
}

/* The caller's acquire of the host "u<host>" behind that bastion. */
static int ask_behind(unsigned caller, unsigned host, unsigned bastion, uint64_t timeout_ms)
{
    struct caller *c = caller_for(&w, caller, host);
    c->host.via = &bastions[bastion];
    return caller_ask(c, timeout_ms);
}

static void test_all_behind_a_bastion_share_it(void **state)
{
    (void)state;
    open_behind(1);
    w.config.idle_timeout_ns = 5 * NS_PER_S;
    world_start(&w);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(ask_behind(i, i, 0, 60000), 0);
    caller_for(&w, 6, 0)->host = bastions[0];
    assert_int_equal(caller_ask(&w.callers[6], 60000), 0);
    UNTIL(&w, w.answers == 7);
    for (unsigned i = 0; i < 7; i++)
        assert_true(w.callers[i].ready);
    assert_int_equal(w.open, 1); /* one socket for all */
    assert_int_equal(stats()->connections, 7);
    assert_int_equal(stats()->holds, 7);
    /* The bastion outlives its idle time as long as it carries somebody. */
    for (unsigned i = 1; i < 7; i++)
        release(&w, i);
    run_ms(&w, 30000);
    assert_int_equal(stats()->connections, 2);
    assert_int_equal(w.open, 1);
    release(&w, 0);
    UNTIL(&w, stats()->connections == 0);
    assert_int_equal(engines()->forwards, 0);
    world_close(&w);
}

/* The way is part of what a connection is for. */
static void test_another_way_is_another_connection(void **state)
{
    (void)state;
    open_behind(2);
    world_start(&w);
    assert_int_equal(ask_behind(0, 0, 0, 60000), 0);
    assert_int_equal(ask_behind(1, 0, 1, 60000), 0);
    assert_int_equal(ask(&w, 2, 0, 60000), 0);
    UNTIL(&w, w.answers == 3);
    assert_int_equal(stats()->connections, 5);
    assert_int_equal(ask_behind(3, 0, 1, 60000), 1);
    world_close(&w);
}

static void test_a_full_pool_serves_all_in_turn(void **state)
{
    (void)state;
    open_behind(3);
    w.config.connections_max = 2;
    world_start(&w);
    for (unsigned i = 0; i < 20; i++)
        w.callers[i].release_at_once = true;
    for (unsigned i = 0; i < 20; i++)
        assert_true((i % 5 == 4 ? ask(&w, i, i, 90000) : ask_behind(i, i, i % 3, 90000)) == 0);
    UNTIL(&w, w.answers == 20);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(w.callers[i].error, 0);
    assert_int_equal(stats()->connections_max_seen, 2);
    /* A way that needs more places than there are is none. */
    bastions[1].via = &bastions[0];
    assert_int_equal(ask_behind(20, 30, 1, 1000), SCOUT_E_POOL_FULL);
    assert_non_null(strstr(w.callers[20].failure.text, "2 other hosts"));
    world_close(&w);
}

static void test_one_turn_is_enough(void **state)
{
    (void)state;
    open_behind(4);
    w.config.requests_max = 1;
    world_start(&w);
    for (unsigned i = 0; i < 5; i++)
        w.callers[i].release_at_once = true;
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(ask_behind(i, i, 0, 60000), 0);
    UNTIL(&w, w.answers == 5);
    assert_int_equal(w.callers[4].error, 0);
    world_close(&w);
}

static void test_who_is_not_let_through_lets_others_go_first(void **state)
{
    (void)state;
    open_behind(5);
    snprintf(w.mute, sizeof w.mute, "\xc0");
    world_start(&w);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(ask_behind(i, i, 0, 6000), 0);
    uint64_t begun = io_now(w.io);
    UNTIL(&w, w.answers == 3);
    assert_true(io_now(w.io) - begun < 1200 * NS_PER_MS);
    UNTIL(&w, w.answers == 4); /* its second attempt is another way, which is answered */
    assert_int_equal(w.callers[0].error, 0);
    world_close(&w);
}

static void test_the_deadline_names_the_hop(void **state)
{
    (void)state;
    open_behind(6);
    snprintf(w.mute, sizeof w.mute, "\xc0");
    world_start(&w);
    assert_int_equal(ask_behind(0, 0, 0, 3000), 0);
    UNTIL(&w, w.answers == 1);
    assert_int_equal(w.callers[0].error, SCOUT_E_DEADLINE);
    assert_non_null(strstr(w.callers[0].failure.text, "name-of-b0 did not get through"));
    world_close(&w);

    open_behind(7);
    snprintf(w.mute, sizeof w.mute, "H");
    world_start(&w);
    assert_int_equal(ask_behind(0, 0, 0, 3000), 0);
    UNTIL(&w, w.answers == 1);
    assert_non_null(strstr(w.callers[0].failure.text, "name-of-u0, via name-of-b0: name-of-b0"));
    assert_string_equal(w.callers[0].failure.stage, "handshake");
    world_close(&w);
}

static void test_a_refusal_is_told(void **state)
{
    (void)state;
    open_behind(8);
    engines()->refuses_forwards = true;
    world_start(&w);
    assert_int_equal(ask_behind(0, 0, 0, 3000), 0);
    UNTIL(&w, w.answers == 1);
    assert_int_equal(w.callers[0].error, SCOUT_E_CONNECT);
    assert_non_null(strstr(w.callers[0].failure.text, "said so"));
    world_close(&w);
}

/* Eight handshakes at one address at a time; one that hangs does not count for ever. */
static void test_the_gate_of_an_address(void **state)
{
    (void)state;
    open_behind(9);
    snprintf(w.mute, sizeof w.mute, "H");
    world_start(&w);
    uint64_t begun = io_now(w.io);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(ask(&w, i, i, 30000), 0);
    run_ms(&w, 2000);
    assert_int_equal(w.open, 8);
    w.mute[0] = '\0';
    UNTIL(&w, w.answers == 4);
    for (unsigned i = 8; i < 12; i++)
        assert_true(w.callers[i].ready);
    uint64_t ms = (io_now(w.io) - begun) / NS_PER_MS;
    assert_in_range(ms, 5000, 5500);
    world_close(&w);
}

/* Chance, from the seed. */
static unsigned pick(unsigned count)
{
    uint32_t n;
    io_random(w.io, &n, sizeof n);
    return n % count;
}

/* Bastions lost, requests given up, and the end of the pool at any moment: each is answered once,
 * no limit is exceeded, and nothing is left. */
static void test_ends_at_any_moment(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        open_behind(1000 + seed);
        w.config.connections_max = 2 + pick(6);
        w.config.requests_max = 1 + pick(8);
        w.config.idle_timeout_ns = (1 + pick(50)) * NS_PER_MS;
        world_start(&w);
        unsigned asked[24] = {0};
        for (unsigned i = 0; i < 24; i++) {
            w.callers[i].release_at_once = pick(2);
            int got = pick(4) == 0 ? ask(&w, i, pick(6), 1 + pick(4000))
                                   : ask_behind(i, pick(6), pick(2), 1 + pick(4000));
            asked[i] = got == 0;
            if (got == 1 && pick(2))
                release(&w, i);
            run_ms(&w, pick(4));
            unsigned other = pick(i + 1);
            if (w.callers[other].ready && pick(2))
                release(&w, other);
            if (pick(8) == 0)
                for (unsigned p = 0; p < w.peer_count; p++)
                    if (w.peers[p]->open)
                        stream_close(&w.peers[p]->stream);
            assert_true(stats()->connections <= w.config.connections_max);
        }
        bool waits = pick(2);
        run_ms(&w, waits ? 10000 : pick(20));
        world_close(&w);
        for (unsigned i = 0; i < 24; i++)
            assert_true(w.callers[i].answers == asked[i] || (!waits && w.callers[i].answers == 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_behind_a_bastion_share_it),
        cmocka_unit_test(test_another_way_is_another_connection),
        cmocka_unit_test(test_a_full_pool_serves_all_in_turn),
        cmocka_unit_test(test_one_turn_is_enough),
        cmocka_unit_test(test_who_is_not_let_through_lets_others_go_first),
        cmocka_unit_test(test_the_deadline_names_the_hop),
        cmocka_unit_test(test_a_refusal_is_told),
        cmocka_unit_test(test_the_gate_of_an_address),
        cmocka_unit_test(test_ends_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
