/* Turns, the bounded queue, and deadlines in every stage. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static struct world w;

static const struct pool_stats *stats(void)
{
    return pool_stats(w.pool);
}

/* ---- turns ---- */

static void test_requests_max(void **state)
{
    (void)state;
    world_open(&w, 1);
    w.config.requests_max = 3;
    world_start(&w);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(ask(&w, i, i % 2, 60000), 0);
    UNTIL(&w, w.answers == 3);
    run_ms(&w, 100);
    assert_int_equal(w.answers, 3);
    assert_int_equal(stats()->holds, 3);
    assert_int_equal(stats()->waits, 7);
    assert_int_equal(ask(&w, 10, 0, 60000), 0); /* ready, but nobody overtakes */
    unsigned first = 0;
    while (!w.callers[first].ready)
        first++;
    release(&w, first);
    assert_int_equal(w.answers, 3);             /* not from within pool_release */
    assert_int_equal(ask(&w, 11, 0, 60000), 0); /* nor now, although a turn is free */
    UNTIL(&w, w.answers == 4);
    assert_int_equal(stats()->holds, 3);
    for (unsigned i = 0; i <= 11; i++)
        w.callers[i].release_at_once = true;
    for (unsigned i = 0; i <= 11; i++)
        if (w.callers[i].ready)
            release(&w, i);
    UNTIL(&w, w.answers == 12);
    assert_int_equal(w.callers[10].order, 10);
    assert_int_equal(w.callers[11].order, 11);
    assert_int_equal(stats()->holds_max_seen, 3);
    assert_int_equal(stats()->holds, 0);
    assert_int_equal(stats()->waits, 0);
    assert_true(stats()->stages[POOL_STAGE_QUEUED].sum >= 100 * NS_PER_MS);
    world_close(&w);
}

/* A turn is free, and given at the end of the pass; before that the connection is lost. */
static void test_no_turn_on_a_lost_connection(void **state)
{
    (void)state;
    world_open(&w, 7);
    w.config.requests_max = 2;
    world_start(&w);
    assert_int_equal(ask(&w, 0, 0, 60000), 0);
    assert_int_equal(ask(&w, 1, 1, 60000), 0);
    UNTIL(&w, w.answers == 2);
    assert_int_equal(ask(&w, 2, 1, 60000), 0);
    run_ms(&w, 10);
    uint64_t since = io_now(w.io);
    run_ms(&w, POOL_SILENCE_MS);
    release(&w, 0);
    pool_suspect(&w.callers[1].use, since);
    UNTIL(&w, w.callers[2].answers == 1);
    assert_int_equal(w.callers[2].error, SCOUT_E_CONNECTION_LOST);
    world_close(&w);
}

static void test_turns_with_a_lost_connection(void **state)
{
    (void)state;
    world_open(&w, 2);
    w.config.requests_max = 1;
    world_start(&w);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(ask(&w, i, i, 60000), 0);
    UNTIL(&w, stats()->connections == 5 && w.answers == 1);
    run_ms(&w, 100);
    for (unsigned i = 0; i < w.peer_count;
         i++) /* all break, the held one and the waited-for ones */
        stream_close(&w.peers[i]->stream);
    UNTIL(&w, w.answers == 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(w.callers[i].answers, 1);
    unsigned lost = 0;
    for (unsigned i = 0; i < 5; i++)
        lost += w.callers[i].error == SCOUT_E_CONNECTION_LOST;
    assert_int_equal(lost, 4);
    world_close(&w);
}

static void test_deadline_while_waiting_for_a_turn(void **state)
{
    (void)state;
    world_open(&w, 3);
    w.config.requests_max = 1;
    world_start(&w);
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    UNTIL(&w, w.callers[0].ready);
    assert_int_equal(ask(&w, 1, 0, 200), 0);
    UNTIL(&w, w.callers[1].answers == 1);
    assert_int_equal(w.callers[1].error, SCOUT_E_DEADLINE);
    assert_string_equal(w.callers[1].failure.stage, "queued");
    assert_non_null(strstr(w.callers[1].failure.text, "max_requests"));
    world_close(&w);
}

static void test_queue_max(void **state)
{
    (void)state;
    world_open(&w, 4);
    w.config.queue_max = 5;
    w.config.requests_max = 2;
    w.config.connections_max = 2;
    world_start(&w);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(ask(&w, i, i, 60000), 0);
    assert_int_equal(ask(&w, 5, 0, 60000), SCOUT_E_POOL_FULL);
    const char *text = w.callers[5].failure.text;
    assert_int_equal(w.callers[5].failure.error, SCOUT_E_POOL_FULL);
    assert_non_null(strstr(text, "5 wait (max_queue = 5)"));
    assert_non_null(strstr(text, "max_requests = 2"));
    assert_int_equal(stats()->refused, 1);
    assert_int_equal(ask(&w, 6, 7, 60000), SCOUT_E_POOL_FULL); /* and makes no connection */
    UNTIL(&w, w.answers == 2);
    assert_int_equal(stats()->connects, 2);
    assert_int_equal(ask(&w, 5, 0, 60000), 0); /* there is room again */
    assert_int_equal(stats()->waits_max_seen, 5);
    assert_int_equal(w.callers[5].answers, 0);
    world_close(&w);
}

/* ---- deadlines ---- */

struct stage_case {
    const char *mute, *stage, *text;
};

static const struct stage_case stage_cases[] = {
    {"H", "handshake", "handshake did not end in time"},
    {"A", "authenticating", "login of u0"},
    {"C", "channel", "opened no channel in time"},
};

/* A waiter's deadline ends that waiter and nobody else. */
static void test_deadline_of_a_waiter(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stage_cases / sizeof stage_cases[0]; i++) {
        const struct stage_case *k = &stage_cases[i];
        world_open(&w, i);
        strcpy(w.mute, k->mute);
        world_start(&w);
        uint64_t start = io_now(w.io);
        assert_int_equal(ask(&w, 0, 0, 300), 0);
        assert_int_equal(ask(&w, 1, 0, 4000), 0);
        UNTIL(&w, w.callers[0].answers == 1);
        assert_int_equal(io_now(w.io) - start, 300 * NS_PER_MS);
        assert_int_equal(w.callers[0].error, SCOUT_E_DEADLINE);
        assert_string_equal(w.callers[0].failure.stage, k->stage);
        assert_non_null(strstr(w.callers[0].failure.text, "name-of-u0"));
        assert_non_null(strstr(w.callers[0].failure.text, k->text));
        assert_int_equal(w.callers[1].answers, 0);
        assert_int_equal(w.open, 1); /* the connect goes on for the other */
        world_close(&w);
    }
}

static void test_connect_timeout(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stage_cases / sizeof stage_cases[0]; i++) {
        const struct stage_case *k = &stage_cases[i];
        world_open(&w, i);
        w.config.connect_timeout_ns = 2 * NS_PER_S;
        strcpy(w.mute, k->mute);
        world_start(&w);
        uint64_t start = io_now(w.io);
        assert_int_equal(ask(&w, 0, 0, 60000), 0);
        assert_int_equal(ask(&w, 1, 0, 60000), 0);
        UNTIL(&w, w.answers == 2);
        assert_int_equal(io_now(w.io) - start, 2 * NS_PER_S);
        assert_int_equal(w.callers[1].error, SCOUT_E_DEADLINE);
        assert_string_equal(w.callers[1].failure.stage, k->stage);
        assert_int_equal(stats()->failures_by_cause[-SCOUT_E_DEADLINE], 1);
        run_ms(&w, 10);
        assert_int_equal(w.open, 0);
        world_close(&w);
    }
}

/* The host's ConnectTimeout comes before the daemon's. */
static void test_connect_timeout_of_the_host(void **state)
{
    (void)state;
    world_open(&w, 5);
    strcpy(w.mute, "H");
    world_start(&w);
    struct caller *c = caller_for(&w, 0, 0);
    c->host.connect_timeout_s = 3;
    uint64_t start = io_now(w.io);
    assert_int_equal(caller_ask(c, 60000), 0);
    UNTIL(&w, c->answers == 1);
    assert_int_equal(io_now(w.io) - start, 3 * NS_PER_S);
    assert_int_equal(c->error, SCOUT_E_DEADLINE);
    world_close(&w);
}

/* A host that does not answer holds up nobody but those who ask for it. */
static void test_hosts_do_not_wait_for_each_other(void **state)
{
    (void)state;
    world_open(&w, 6);
    world_start(&w);
    strcpy(w.mute, "H");
    assert_int_equal(ask(&w, 0, 0, 9000), 0);
    run_ms(&w, 100);
    strcpy(w.mute, "");
    uint64_t start = io_now(w.io);
    assert_int_equal(ask(&w, 1, 1, 1000), 0);
    UNTIL(&w, w.callers[1].ready);
    assert_true(io_now(w.io) - start < 20 * NS_PER_MS);
    assert_int_equal(w.callers[0].answers, 0);
    world_close(&w);
}

/* Three hosts that each take about 100 ms are there within 150 (acceptance case C.6-56). */
static void test_hosts_connect_side_by_side(void **state)
{
    const struct io_sim_faults slow = {.delay_min_ns = 20 * NS_PER_MS,
                                       .delay_max_ns = 20 * NS_PER_MS};
    (void)state;
    world_open(&w, 6);
    io_sim_set_faults(w.io, &slow);
    world_start(&w);
    uint64_t start = io_now(w.io);
    assert_int_equal(ask(&w, 0, 0, 9000), 0);
    UNTIL(&w, w.callers[0].ready);
    uint64_t one = io_now(w.io) - start;
    assert_true(one >= 100 * NS_PER_MS);
    start = io_now(w.io);
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(ask(&w, i, i, 9000), 0);
    UNTIL(&w, w.callers[1].ready && w.callers[2].ready && w.callers[3].ready);
    assert_true(io_now(w.io) - start <= one + one / 2);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_max),
        cmocka_unit_test(test_no_turn_on_a_lost_connection),
        cmocka_unit_test(test_turns_with_a_lost_connection),
        cmocka_unit_test(test_deadline_while_waiting_for_a_turn),
        cmocka_unit_test(test_queue_max),
        cmocka_unit_test(test_deadline_of_a_waiter),
        cmocka_unit_test(test_connect_timeout),
        cmocka_unit_test(test_connect_timeout_of_the_host),
        cmocka_unit_test(test_hosts_do_not_wait_for_each_other),
        cmocka_unit_test(test_hosts_connect_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
