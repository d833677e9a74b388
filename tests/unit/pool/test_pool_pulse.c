/* Idle connections are closed in time, silent ones are asked for a sign of life, dead ones found;
 * and none of it spins. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static struct world w;

static const struct pool_stats *stats(void)
{
    return pool_stats(w.pool);
}

/* As connect_one, with ServerAliveInterval and ServerAliveCountMax. */
static void connect_alive(uint32_t interval_s, uint32_t count_max)
{
    world_start(&w);
    struct caller *c = caller_for(&w, 0, 0);
    c->host.alive_set = true;
    c->host.alive_interval_s = interval_s;
    c->host.alive_count_max = count_max;
    assert_int_equal(caller_ask(c, 1000), 0);
    UNTIL(&w, c->ready);
}

static void connect_one(void)
{
    world_start(&w);
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    UNTIL(&w, w.callers[0].ready);
}

/* ---- idle ---- */

static void test_idle_timeout(void **state)
{
    (void)state;
    world_open(&w, 1);
    connect_one();
    run_ms(&w, 200000); /* in use: never idle */
    assert_int_equal(stats()->connections, 1);
    release(&w, 0);
    run_ms(&w, 59000);
    assert_int_equal(stats()->connections, 1);
    assert_int_equal(ask(&w, 0, 0, 1000), 1); /* starts anew */
    release(&w, 0);
    run_ms(&w, 59000);
    assert_int_equal(stats()->connections, 1);
    run_ms(&w, 1100);
    assert_int_equal(stats()->connections, 0);
    assert_int_equal(stats()->idle_closed, 1);
    assert_int_equal(engines()->goodbyes, 1);
    assert_int_equal(stats()->stale, 0);
    assert_int_equal(w.open, 0);
    world_close(&w);
}

static void test_idle_timeout_zero(void **state)
{
    (void)state;
    world_open(&w, 2);
    w.config.idle_timeout_ns = 0;
    connect_one();
    uint64_t passes = io_stats(w.io)->passes;
    run_ms(&w, 10000); /* while it is in use nothing happens, not even a look */
    assert_true(io_stats(w.io)->passes - passes < 10);
    release(&w, 0);
    assert_int_equal(ask(&w, 0, 0, 1000), 1); /* within the same pass it is still there */
    release(&w, 0);
    uint64_t end = io_now(w.io);
    passes = io_stats(w.io)->passes;
    UNTIL(&w, stats()->connections == 0);
    assert_int_equal(io_now(w.io), end);
    assert_true(io_stats(w.io)->passes - passes < 10);
    world_close(&w);
}

static void test_idle_timeout_of_a_millisecond(void **state)
{
    (void)state;
    world_open(&w, 3);
    w.config.idle_timeout_ns = NS_PER_MS;
    w.config.ping_interval_ns = 15 * NS_PER_S;
    w.config.ping_timeout_ns = 10 * NS_PER_S;
    connect_one();
    uint64_t passes = io_stats(w.io)->passes;
    run_ms(&w, 10000);
    assert_true(io_stats(w.io)->passes - passes < 10);
    /* Used every 10 us for 100 ms: one look a millisecond at most. */
    uint64_t timers = io_stats(w.io)->timers;
    for (int i = 0; i < 10000; i++) {
        release(&w, 0);
        io_run_once(w.io, 10000);
        assert_int_equal(ask(&w, 0, 0, 1000), 1);
    }
    assert_true(io_stats(w.io)->timers - timers <= 110);
    release(&w, 0);
    passes = io_stats(w.io)->passes;
    run_ms(&w, 3);
    assert_int_equal(stats()->connections, 0);
    assert_true(io_stats(w.io)->passes - passes < 20);
    world_close(&w);
}

/* ---- signs of life ---- */

static void set_pings(void)
{
    w.config.idle_timeout_ns = 3600 * NS_PER_S;
    w.config.ping_interval_ns = 15 * NS_PER_S;
    w.config.ping_timeout_ns = 10 * NS_PER_S;
}

static void test_a_host_that_answers_pings_stays(void **state)
{
    (void)state;
    world_open(&w, 4);
    set_pings();
    connect_one();
    uint64_t passes = io_stats(w.io)->passes;
    run_ms(&w, 16000);
    assert_int_equal(stats()->pings, 1);
    assert_int_equal(engines()->pings, 1);
    run_ms(&w, 284000);
    assert_in_range(stats()->pings, 19, 20); /* one per interval of silence */
    assert_true(io_stats(w.io)->passes - passes < 20 * 12);
    assert_int_equal(stats()->connections, 1);
    assert_int_equal(stats()->ping_misses, 0);
    release(&w, 0);
    run_ms(&w, 60000); /* idle ones likewise */
    assert_in_range(stats()->pings, 23, 24);
    assert_int_equal(ask(&w, 0, 0, 1000), 1);
    world_close(&w);
}

static void test_bytes_of_the_host_spare_the_ping(void **state)
{
    (void)state;
    world_open(&w, 5);
    set_pings();
    connect_one();
    for (int i = 0; i < 10; i++) {
        run_ms(&w, 10000);
        assert_int_equal(stream_write(&w.peers[0]->stream, slice_str("x")), 0);
    }
    assert_int_equal(stats()->pings, 0);
    world_close(&w);
}

static void test_the_host_s_own_interval_comes_first(void **state)
{
    (void)state;
    world_open(&w, 7);
    set_pings();
    connect_alive(5, 4);
    uint64_t start = io_now(w.io);
    run_ms(&w, 21000);
    assert_int_equal(stats()->pings, 4);
    strcpy(w.mute, "P");
    UNTIL(&w, pool_sftp(&w.callers[0].use) == NULL); /* asked at 25 s, four intervals until then */
    assert_in_range(io_now(w.io) - start, 44 * NS_PER_S, 46 * NS_PER_S);
    world_close(&w);
    world_open(&w, 8);
    set_pings();
    connect_alive(0, 3); /* never */
    run_ms(&w, 100000);
    assert_int_equal(stats()->pings, 0);
    world_close(&w);
}

static void test_a_silent_host_is_taken_for_dead(void **state)
{
    (void)state;
    world_open(&w, 6);
    set_pings();
    connect_one();
    uint64_t start = io_now(w.io);
    strcpy(w.mute, "P");
    run_ms(&w, 24900);
    assert_int_equal(stats()->pings, 1);
    assert_int_equal(stats()->connections, 1);
    UNTIL(&w, pool_sftp(&w.callers[0].use) == NULL);
    assert_in_range(io_now(w.io) - start, 25 * NS_PER_S - NS_PER_MS, 25 * NS_PER_S + NS_PER_MS);
    const struct failure *why = pool_failure(&w.callers[0].use);
    assert_int_equal(why->error, SCOUT_E_CONNECTION_LOST);
    assert_non_null(strstr(why->text, "name-of-u0"));
    assert_non_null(strstr(why->text, "taken for dead"));
    assert_int_equal(stats()->ping_misses, 1);
    assert_int_equal(stats()->stale, 1);
    assert_int_equal(ask(&w, 1, 0, 1000), 0); /* nobody gets it any more */
    UNTIL(&w, w.callers[1].ready);
    world_close(&w);
}

static void test_any_byte_answers_a_ping(void **state)
{
    (void)state;
    world_open(&w, 7);
    set_pings();
    connect_one();
    strcpy(w.mute, "P");
    run_ms(&w, 20000);
    assert_int_equal(stats()->pings, 1);
    assert_int_equal(stream_write(&w.peers[0]->stream, slice_str("x")), 0);
    run_ms(&w, 10000);
    assert_int_equal(stats()->connections, 1);
    assert_int_equal(stats()->ping_misses, 0);
    world_close(&w);
}

/* Where an engine has no harmless ping, TCP alone decides. */
static void test_an_engine_that_cannot_ping(void **state)
{
    (void)state;
    world_open(&w, 8);
    set_pings();
    connect_one();
    engines()->cannot_ping = true;
    uint64_t passes = io_stats(w.io)->passes;
    run_ms(&w, 600000);
    assert_int_equal(stats()->pings, 0);
    assert_int_equal(stats()->connections, 1);
    assert_true(io_stats(w.io)->passes - passes < 100);
    world_close(&w);
}

static void test_pings_can_be_switched_off(void **state)
{
    (void)state;
    world_open(&w, 9);
    set_pings();
    w.config.ping_interval_ns = 0;
    connect_one();
    run_ms(&w, 600000);
    assert_int_equal(stats()->pings, 0);
    world_close(&w);
}

/* ---- the holder's own suspicion ---- */

static void test_suspect(void **state)
{
    (void)state;
    world_open(&w, 10);
    connect_one();
    uint64_t since = io_now(w.io) + 1;
    run_ms(&w, 100);
    assert_int_equal(stream_write(&w.peers[0]->stream, slice_str("x")), 0);
    run_ms(&w, 100);
    pool_suspect(&w.callers[0].use, since); /* it has sent something since */
    run_ms(&w, 100);
    assert_non_null(pool_sftp(&w.callers[0].use));
    since = io_now(w.io);
    run_ms(&w, POOL_SILENCE_MS);
    pool_suspect(&w.callers[0].use, since);
    UNTIL(&w, pool_sftp(&w.callers[0].use) == NULL);
    assert_int_equal(pool_failure(&w.callers[0].use)->error, SCOUT_E_CONNECTION_LOST);
    assert_int_equal(stats()->stale, 1);
    world_close(&w);
}

/* An idle connection that the host closes is not handed out again. */
static void test_closed_by_the_host_while_idle(void **state)
{
    (void)state;
    world_open(&w, 11);
    connect_one();
    release(&w, 0);
    stream_close(&w.peers[0]->stream);
    UNTIL(&w, stats()->connections == 0);
    assert_int_equal(stats()->stale, 1);
    assert_int_equal(engines()->goodbyes, 0); /* nobody is there any more */
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    UNTIL(&w, w.callers[0].ready);
    world_close(&w);
}

static void test_reset_by_the_network(void **state)
{
    const struct io_sim_faults faults = {.reset = 1000};
    (void)state;
    world_open(&w, 12);
    connect_one();
    io_sim_set_faults(w.io, &faults);
    assert_int_equal(stream_write(&w.peers[0]->stream, slice_str("x")), 0);
    UNTIL(&w, pool_sftp(&w.callers[0].use) == NULL);
    assert_int_equal(pool_failure(&w.callers[0].use)->error, SCOUT_E_CONNECTION_LOST);
    world_close(&w);
}

/* A request that got its turn just before its deadline knows nothing of the host. */
static void test_a_short_silence_proves_nothing(void **state)
{
    (void)state;
    world_open(&w, 1);
    world_start(&w);
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    UNTIL(&w, w.callers[0].ready);
    struct pool_use *use = &w.callers[0].use;
    run_ms(&w, 5000); /* nothing was asked, nothing came */
    uint64_t since = io_now(w.io);
    run_ms(&w, POOL_SILENCE_MS - 1);
    pool_suspect(use, since);
    run_ms(&w, 0);
    assert_int_equal(w.open, 1);
    assert_int_equal(ask(&w, 1, 0, 1000), 1);
    run_ms(&w, 1);
    pool_suspect(use, since);
    run_ms(&w, 1);
    assert_int_equal(w.open, 0);
    assert_int_equal(pool_failure(use)->error, SCOUT_E_CONNECTION_LOST);
    assert_int_equal(pool_stats(w.pool)->stale, 1);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_short_silence_proves_nothing),
        cmocka_unit_test(test_idle_timeout),
        cmocka_unit_test(test_idle_timeout_zero),
        cmocka_unit_test(test_idle_timeout_of_a_millisecond),
        cmocka_unit_test(test_a_host_that_answers_pings_stays),
        cmocka_unit_test(test_bytes_of_the_host_spare_the_ping),
        cmocka_unit_test(test_the_host_s_own_interval_comes_first),
        cmocka_unit_test(test_a_silent_host_is_taken_for_dead),
        cmocka_unit_test(test_any_byte_answers_a_ping),
        cmocka_unit_test(test_an_engine_that_cannot_ping),
        cmocka_unit_test(test_pings_can_be_switched_off),
        cmocka_unit_test(test_suspect),
        cmocka_unit_test(test_closed_by_the_host_while_idle),
        cmocka_unit_test(test_reset_by_the_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
