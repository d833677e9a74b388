/* Connections are shared by key, limited in number, and evicted only when nobody wants them. */
#include "../../../src/pool/connection.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define SEEDS 20

static struct world w;

static const struct pool_stats *stats(void)
{
    return pool_stats(w.pool);
}

/* ---- sharing ---- */

static void test_one_connect_for_all_who_wait(void **state)
{
    (void)state;
    world_open(&w, 1);
    world_start(&w);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(ask(&w, i, 0, 1000), 0);
    assert_int_equal(w.answers, 0); /* never from within the call */
    UNTIL(&w, w.answers == 100);
    assert_int_equal(w.peer_count, 1);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(w.callers[i].ready);
        assert_int_equal(w.callers[i].order, i); /* first come, first served */
    }
    assert_int_equal(stats()->connects, 1);
    assert_int_equal(stats()->misses, 1);
    assert_int_equal(stats()->coalesced, 99);
    assert_int_equal(stats()->holds, 100);
    assert_int_equal(stats()->in_use, 1);
    assert_int_equal(stats()->waits, 0);
    assert_int_equal(stats()->waits_max_seen, 100);
    assert_int_equal(ask(&w, 100, 0, 1000), 1);
    assert_int_equal(stats()->hits, 1);
    for (unsigned i = 0; i <= 100; i++)
        release(&w, i);
    assert_int_equal(stats()->holds, 0);
    assert_int_equal(stats()->in_use, 0);
    world_close(&w);
}

static void ignore_ready(struct pool_use *use, const struct failure *failure)
{
    (void)use;
    (void)failure;
}

/* Whether two wishes share a connection. */
static bool share(const struct ssh_host *a, const char *principal_a, const struct ssh_host *b,
                  const char *principal_b)
{
    struct pool_use first, second;
    struct failure why;
    world_open(&w, 1);
    world_start(&w);
    assert_int_equal(pool_acquire(w.pool, a, principal_a, UINT64_MAX, &first, ignore_ready, &why),
                     0);
    run_ms(&w, 100);
    assert_non_null(first.connection);
    int got = pool_acquire(w.pool, b, principal_b, UINT64_MAX, &second, ignore_ready, &why);
    run_ms(&w, 100);
    assert_non_null(second.connection);
    bool same = first.connection == second.connection;
    assert_int_equal(got, same);
    pool_release(&first);
    pool_release(&second);
    world_close(&w);
    return same;
}

/* No identity rides on another's login. */
static void test_key(void **state)
{
    struct ssh_host a = world_host("u"), b = a;
    (void)state;
    strcpy(b.name, "another-name-of-it");
    assert_true(share(&a, "", &b, ""));
    assert_false(share(&a, "", &a, "alice"));
    assert_false(share(&a, "alice", &a, "bob"));
    b = a;
    strcpy(b.user, "v");
    assert_false(share(&a, "", &b, ""));
    b = a;
    b.identities[0] = "/k";
    b.identity_count = 1;
    assert_false(share(&a, "", &b, ""));
    struct ssh_host c = b;
    assert_true(share(&b, "", &c, ""));
    c.identities[0] = "/l";
    assert_false(share(&b, "", &c, ""));
    b = a;
    b.known_hosts[0] = "/h";
    b.known_hosts_count = 1;
    assert_false(share(&a, "", &b, ""));
}

static void test_port_and_address_are_part_of_the_key(void **state)
{
    struct ssh_host a = world_host("u"), b = a;
    struct pool_use first, second;
    struct failure why;
    (void)state;
    world_open(&w, 1);
    world_start(&w);
    b.port = 23;
    assert_int_equal(pool_acquire(w.pool, &a, "", UINT64_MAX, &first, ignore_ready, &why), 0);
    assert_int_equal(pool_acquire(w.pool, &b, "", UINT64_MAX, &second, ignore_ready, &why), 0);
    assert_ptr_not_equal(first.connection, second.connection);
    pool_release(&second);
    b = a;
    strcpy(b.hostname, "127.0.0.2");
    assert_int_equal(pool_acquire(w.pool, &b, "", UINT64_MAX, &second, ignore_ready, &why), 0);
    assert_ptr_not_equal(first.connection, second.connection);
    pool_release(&first);
    pool_release(&second);
    world_close(&w);
}

/* ---- places ---- */

/* 60 destinations want 3 places; each is released as soon as it is served. */
static void test_max_is_never_exceeded(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        world_open(&w, seed);
        w.config.connections_max = 3;
        world_start(&w);
        for (unsigned i = 0; i < 60; i++) {
            w.callers[i].release_at_once = true;
            assert_int_equal(ask(&w, i, i, 60000), 0);
        }
        while (w.answers < 60) {
            io_run_once(w.io, NS_PER_S);
            assert_true(stats()->connections <= 3);
        }
        for (unsigned i = 0; i < 60; i++)
            assert_int_equal(w.callers[i].error, 0);
        assert_int_equal(stats()->connections_max_seen, 3);
        assert_int_equal(stats()->connects, 60);
        assert_true(stats()->evictions >= 57);
        run_ms(&w, 100);
        assert_true(w.open <= 3);
        world_close(&w);
    }
}

/* First come, first served, also for places. */
static void test_places_in_order(void **state)
{
    (void)state;
    world_open(&w, 3);
    w.config.connections_max = 1;
    world_start(&w);
    for (unsigned i = 0; i < 10; i++) {
        w.callers[i].release_at_once = true;
        assert_int_equal(ask(&w, i, i, 60000), 0);
    }
    UNTIL(&w, w.answers == 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(w.callers[i].order, i);
    world_close(&w);
}

static void test_the_least_recently_used_is_evicted(void **state)
{
    (void)state;
    world_open(&w, 4);
    w.config.connections_max = 3;
    world_start(&w);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ask(&w, i, i, 1000), 0);
    UNTIL(&w, w.answers == 3);
    release(&w, 1);
    release(&w, 0);
    assert_int_equal(ask(&w, 1, 1, 1000), 1); /* now 0 is the one that was used longest ago */
    release(&w, 1);
    assert_int_equal(ask(&w, 3, 3, 1000), 0);
    UNTIL(&w, w.callers[3].ready);
    assert_int_equal(stats()->evictions, 1);
    assert_int_equal(ask(&w, 1, 1, 1000), 1); /* still there */
    assert_true(w.callers[2].use.connection != NULL);
    release(&w, 1);
    assert_int_equal(ask(&w, 0, 0, 1000), 0); /* gone; 1 goes for it, 2 and 3 are in use */
    UNTIL(&w, w.callers[0].ready);
    assert_int_equal(stats()->evictions, 2);
    assert_int_equal(ask(&w, 4, 2, 1000), 1);
    assert_int_equal(ask(&w, 5, 3, 1000), 1);
    world_close(&w);
}

static void test_in_use_is_never_evicted(void **state)
{
    (void)state;
    world_open(&w, 5);
    w.config.connections_max = 2;
    world_start(&w);
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    assert_int_equal(ask(&w, 1, 1, 1000), 0);
    UNTIL(&w, w.answers == 2);
    uint64_t start = io_now(w.io);
    assert_int_equal(ask(&w, 2, 2, 500), 0);
    assert_int_equal(ask(&w, 3, 3, 5000), 0);
    UNTIL(&w, w.callers[2].answers == 1);
    assert_int_equal(io_now(w.io) - start, 500 * NS_PER_MS);
    assert_int_equal(w.callers[2].error, SCOUT_E_DEADLINE);
    assert_string_equal(w.callers[2].failure.stage, "queued");
    assert_non_null(strstr(w.callers[2].failure.text, "name-of-u2"));
    assert_non_null(strstr(w.callers[2].failure.text, "all 2 are in use"));
    assert_non_null(strstr(w.callers[2].failure.text, "max_connections"));
    assert_int_equal(stats()->evictions, 0);
    assert_true(w.callers[0].ready && w.callers[1].ready);
    release(&w, 0); /* becomes idle: evicted at once for the one that waits */
    assert_int_equal(stats()->evictions, 1);
    UNTIL(&w, w.callers[3].answers == 1);
    assert_true(w.callers[3].ready);
    assert_true(io_now(w.io) - start < 1000 * NS_PER_MS);
    assert_int_equal(stats()->connects, 3); /* nobody waited for u2 any more: no connect for it */
    world_close(&w);
}

/* A command that is being stopped keeps the connection although no use is left. */
static void test_a_connection_with_a_channel_is_wanted(void **state)
{
    (void)state;
    world_open(&w, 12);
    w.config.connections_max = 1;
    w.config.idle_timeout_ns = NS_PER_S;
    world_start(&w);
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    UNTIL(&w, w.callers[0].ready);
    struct pool_connection *c = w.callers[0].use.connection;
    c->channels.running = 1;
    release(&w, 0);
    uint64_t passes = io_stats(w.io)->passes;
    run_ms(&w, 5000);
    assert_int_equal(stats()->connections, 1); /* not closed for being idle */
    assert_true(io_stats(w.io)->passes - passes < 20);
    assert_int_equal(ask(&w, 1, 1, 60000), 0);
    run_ms(&w, 100);
    assert_int_equal(w.callers[1].answers, 0); /* nor evicted */
    c->channels.running = 0;
    assert_int_equal(stream_write(&w.peers[0]->stream, slice_str("x")), 0); /* so that it is seen */
    UNTIL(&w, w.callers[1].ready);
    assert_int_equal(stats()->evictions, 1);
    world_close(&w);
}

/* A connect that all have given up is not "in use": it makes room. */
static void test_an_abandoned_connect_makes_room(void **state)
{
    (void)state;
    world_open(&w, 6);
    w.config.connections_max = 1;
    strcpy(w.mute, "H");
    world_start(&w);
    assert_int_equal(ask(&w, 0, 0, 100), 0);
    UNTIL(&w, w.callers[0].answers == 1);
    assert_int_equal(w.callers[0].error, SCOUT_E_DEADLINE);
    strcpy(w.mute, "");
    assert_int_equal(ask(&w, 1, 1, 1000), 0);
    UNTIL(&w, w.callers[1].answers == 1);
    assert_true(w.callers[1].ready);
    world_close(&w);
}

static void test_a_failed_connect_gives_its_place_back(void **state)
{
    (void)state;
    world_open(&w, 7);
    w.config.connections_max = 1;
    world_start(&w);
    struct caller *c = &w.callers[0];
    engines()->fails_auth = true;
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    assert_int_equal(ask(&w, 1, 0, 1000), 0);
    assert_int_equal(ask(&w, 2, 1, 1000), 0);
    UNTIL(&w, c->answers == 1);
    engines()->fails_auth = false;
    assert_int_equal(c->error, SCOUT_E_AUTH);
    assert_string_equal(c->failure.stage, "authenticating");
    assert_int_equal(w.callers[1].error, SCOUT_E_AUTH);
    UNTIL(&w, w.callers[2].answers == 1);
    assert_true(w.callers[2].ready);
    assert_int_equal(stats()->connect_failures, 1);
    assert_int_equal(stats()->failures_by_cause[-SCOUT_E_AUTH], 1);
    world_close(&w);
}

/* Its time was spent in connecting, and only there. */
static void test_no_answer_to_a_connect(void **state)
{
    const struct io_sim_faults silent = {.delay_min_ns = 50 * NS_PER_S,
                                         .delay_max_ns = 50 * NS_PER_S};
    (void)state;
    world_open(&w, 1);
    w.config.connect_timeout_ns = NS_PER_S;
    world_start(&w);
    io_sim_set_faults(w.io, &silent);
    assert_int_equal(ask(&w, 0, 0, 5000), 0);
    UNTIL(&w, w.answers == 1);
    assert_int_equal(w.callers[0].error, SCOUT_E_DEADLINE);
    assert_string_equal(w.callers[0].failure.stage, "connecting");
    run_ms(&w, 1000);
    assert_int_equal(stats()->stages[POOL_STAGE_RESOLVING].count, 1);
    assert_int_equal(stats()->stages[POOL_STAGE_RESOLVING].sum, 0);
    assert_int_equal(stats()->stages[POOL_STAGE_CONNECTING].count, 1);
    assert_int_equal(stats()->stages[POOL_STAGE_CONNECTING].sum, NS_PER_S);
    assert_int_equal(stats()->stages[POOL_STAGE_HANDSHAKE].count, 0);
    world_close(&w);
}

static void test_connection_refused(void **state)
{
    (void)state;
    world_open(&w, 8);
    world_start(&w);
    listener_close(&w.listener);
    run_ms(&w, 10);
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    UNTIL(&w, w.callers[0].answers == 1);
    assert_int_equal(w.callers[0].error, SCOUT_E_CONNECT);
    assert_string_equal(w.callers[0].failure.stage, "connecting");
    assert_non_null(strstr(w.callers[0].failure.text, "name-of-u0"));
    assert_int_equal(stats()->failures_by_cause[-SCOUT_E_CONNECT], 1);
    assert_int_equal(stats()->stages[POOL_STAGE_CONNECTING].count, 1);
    assert_int_equal(stats()->stages[POOL_STAGE_HANDSHAKE].count, 0);
    world_close(&w);
}

/* ---- stages ---- */

static void test_stages_are_measured(void **state)
{
    (void)state;
    world_open(&w, 9);
    world_start(&w);
    uint64_t start = io_now(w.io), sum = 0;
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    UNTIL(&w, w.callers[0].ready);
    for (int i = POOL_STAGE_QUEUED; i <= POOL_STAGE_CHANNEL; i++) {
        assert_int_equal(stats()->stages[i].count, 1);
        sum += stats()->stages[i].sum;
    }
    assert_int_equal(sum, io_now(w.io) - start);
    assert_true(stats()->stages[POOL_STAGE_HANDSHAKE].sum > 0);
    assert_int_equal(stats()->stages[POOL_STAGE_RESOLVING].sum, 0); /* it is an address */
    world_close(&w);
}

/* ---- the end, at any time ---- */

static void on_freed_early(void *context)
{
    struct world *world = context;
    world->freed = true;
}

/* Frees the pool after each possible number of passes of a busy start. */
static void test_free_at_any_time(void **state)
{
    (void)state;
    for (unsigned passes = 0; passes < 60; passes++) {
        world_open(&w, passes);
        w.config.connections_max = 3;
        w.config.requests_max = 4;
        world_start(&w);
        for (unsigned i = 0; i < 12; i++)
            assert_int_equal(ask(&w, i, i % 6, 3), 0); /* some end by their deadlines */
        for (unsigned i = 0; i < passes; i++)
            io_run_once(w.io, NS_PER_S);
        bool held[12];
        for (unsigned i = 0; i < 12; i++)
            held[i] = w.callers[i].ready;
        unsigned before = w.answers;
        pool_free(w.pool, on_freed_early, &w);
        assert_int_equal(w.answers, before); /* not from within */
        struct failure why;
        struct pool_use use;
        assert_int_equal(
            pool_acquire(w.pool, &w.callers[0].host, "", UINT64_MAX, &use, ignore_ready, &why),
            SCOUT_E_SHUTTING_DOWN);
        run_ms(&w, 100);
        for (unsigned i = 0; i < 12; i++) {
            assert_int_equal(w.callers[i].answers, 1);
            if (w.callers[i].error && w.callers[i].error != SCOUT_E_DEADLINE)
                assert_int_equal(w.callers[i].error, SCOUT_E_SHUTTING_DOWN);
            assert_int_equal(held[i], w.callers[i].ready);
        }
        world_close(&w);
    }
}

/* Gives everything up after each possible number of passes; the pool goes on. */
static void test_release_at_any_time(void **state)
{
    (void)state;
    for (unsigned passes = 0; passes < 60; passes++) {
        world_open(&w, passes);
        w.config.connections_max = 2;
        w.config.requests_max = 3;
        world_start(&w);
        for (unsigned i = 0; i < 12; i++)
            assert_int_equal(ask(&w, i, i % 6, 1000), 0);
        for (unsigned i = 0; i < passes; i++)
            io_run_once(w.io, NS_PER_S);
        unsigned before = w.answers;
        for (unsigned i = 0; i < 12; i++)
            release(&w, i);
        run_ms(&w, 2000);
        assert_int_equal(w.answers, before); /* nobody is called who has left */
        assert_int_equal(stats()->waits, 0);
        assert_int_equal(stats()->holds, 0);
        assert_int_equal(ask(&w, 12, 12, 1000), 0);
        UNTIL(&w, w.callers[12].ready);
        world_close(&w);
    }
}

/* A connection that ends while it is held stays in memory, without a place, until it is released.
 */
static void test_a_lost_connection_is_replaced(void **state)
{
    (void)state;
    world_open(&w, 10);
    w.config.connections_max = 1;
    world_start(&w);
    assert_int_equal(ask(&w, 0, 0, 1000), 0);
    UNTIL(&w, w.callers[0].ready);
    assert_non_null(pool_sftp(&w.callers[0].use));
    stream_close(&w.peers[0]->stream);
    UNTIL(&w, pool_sftp(&w.callers[0].use) == NULL);
    assert_true(pool_has_sftp(&w.callers[0].use));
    assert_int_equal(pool_failure(&w.callers[0].use)->error, SCOUT_E_CONNECTION_LOST);
    assert_int_equal(stats()->stale, 1);
    assert_int_equal(stats()->connect_failures, 0);
    assert_int_equal(ask(&w, 1, 0, 1000), 0); /* the held one's place is free again */
    UNTIL(&w, w.callers[1].ready);
    assert_ptr_not_equal(w.callers[0].use.connection, w.callers[1].use.connection);
    world_close(&w);
}

static void test_configuration_is_checked(void **state)
{
    struct pool *p;
    (void)state;
    world_open(&w, 11);
    world_start(&w);
    uint32_t *const sizes[] = {&w.config.connections_max, &w.config.requests_max,
                               &w.config.queue_max};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t was = *sizes[i];
        *sizes[i] = 0;
        assert_int_equal(pool_new(&p, w.io, &w.config), SCOUT_E_INVALID_ARGUMENT);
        *sizes[i] = (1u << 20) + 1;
        assert_int_equal(pool_new(&p, w.io, &w.config), SCOUT_E_INVALID_ARGUMENT);
        *sizes[i] = was;
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_connect_for_all_who_wait),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_port_and_address_are_part_of_the_key),
        cmocka_unit_test(test_max_is_never_exceeded),
        cmocka_unit_test(test_places_in_order),
        cmocka_unit_test(test_the_least_recently_used_is_evicted),
        cmocka_unit_test(test_in_use_is_never_evicted),
        cmocka_unit_test(test_a_connection_with_a_channel_is_wanted),
        cmocka_unit_test(test_an_abandoned_connect_makes_room),
        cmocka_unit_test(test_a_failed_connect_gives_its_place_back),
        cmocka_unit_test(test_no_answer_to_a_connect),
        cmocka_unit_test(test_connection_refused),
        cmocka_unit_test(test_stages_are_measured),
        cmocka_unit_test(test_free_at_any_time),
        cmocka_unit_test(test_release_at_any_time),
        cmocka_unit_test(test_a_lost_connection_is_replaced),
        cmocka_unit_test(test_configuration_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
