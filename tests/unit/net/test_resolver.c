/* Names, asked of a server of the test's own: what is answered, what is remembered, who waits. */
#include "resolver_rig.h"

#include <string.h>

/* ---- answers ---- */

static void both_families_come_ipv6_first(void **state)
{
    struct net *n = *state;
    begin(n);
    ANSWERS(n, "a9.test", "10.0.0.9");
    ANSWERS(n, "aaaa9.test", "2001:db8::9");
    ANSWERS(n, "both.test", "2001:db8::1 2001:db8::2 10.0.0.1 10.0.0.2");
    ANSWERS(n, "BOTH.Test", "2001:db8::1 2001:db8::2 10.0.0.1 10.0.0.2");
    ANSWERS(n, "alias.test", "2001:db8::1 2001:db8::2 10.0.0.1 10.0.0.2");
    ANSWERS(n, "a9.test.", "10.0.0.9");
    assert_int_equal(resolver_stats(n->resolver)->cache_hits, 1); /* with the capitals */
    assert_int_equal(resolver_stats(n->resolver)->failures, 0);
}

static void addresses_and_localhost_are_not_asked_for(void **state)
{
    struct net *n = *state;
    begin(n);
    ANSWERS(n, "192.0.2.1", "192.0.2.1");
    ANSWERS(n, "2001:DB8::1", "2001:db8::1");
    ANSWERS(n, "127.1", "127.0.0.1");
    ANSWERS(n, "localhost", "::1 127.0.0.1");
    ANSWERS(n, "LocalHost.", "::1 127.0.0.1");
    ANSWERS(n, "db.localhost", "::1 127.0.0.1");
    assert_int_equal(asked_of_server(n), 0);
    ANSWERS(n, "missing.notlocalhost", "Cannot resolve missing.notlocalhost: no such name");
    assert_true(asked_of_server(n) > 0);
}

static void a_failure_says_which(void **state)
{
    struct net *n = *state;
    char text[512], expected[512];
    begin(n);
    assert_int_equal(resolve(n, "missing.test", text, sizeof text), SCOUT_E_RESOLVE);
    assert_string_equal(text, "Cannot resolve missing.test: no such name");
    ANSWERS(n, "empty.test", "Cannot resolve empty.test: the name has no address");
    assert_int_equal(resolve(n, "fail.test", text, sizeof text), SCOUT_E_RESOLVE);
    assert_non_null(strstr(text, "Cannot resolve fail.test: "));
    assert_int_equal(resolve(n, "", text, sizeof text), SCOUT_E_RESOLVE);
    assert_int_equal(resolve(n, ".", text, sizeof text), SCOUT_E_RESOLVE);
    assert_int_equal(resolve(n, "a b", text, sizeof text), SCOUT_E_RESOLVE);
    assert_string_equal(text, "Cannot resolve the name: it is not a valid host name");
    finish(n);

    n->config.timeout_ms = 100;
    begin(n);
    assert_int_equal(resolve(n, "silent.test", text, sizeof text), SCOUT_E_RESOLVE);
    snprintf(expected, sizeof expected,
             "Cannot resolve silent.test: no name server answered in time (name servers: %s)",
             n->server.address);
    assert_string_equal(text, expected);
    ANSWERS(n, "half.test", "10.0.0.1"); /* one family is enough */
}

static void names_of_any_length_end(void **state)
{
    struct net *n = *state;
    char name[400], text[1024];
    begin(n);
    for (size_t len = 240; len < 300; len += 1) {
        for (size_t i = 0; i < len; i++)
            name[i] = i % 50 == 49 && i + 1 < len ? '.' : 'x';
        name[len] = '\0';
        assert_int_equal(resolve(n, name, text, sizeof text), SCOUT_E_RESOLVE);
        bool refused = strstr(text, "not a valid host name") != NULL;
        assert_int_equal(refused, len > RESOLVER_NAME_MAX);
    }
}

static void a_truncated_answer_is_asked_for_by_tcp(void **state)
{
    struct net *n = *state;
    struct ask a;
    begin(n);
    start(n, &a, "big.test");
    UNTIL(n->io, a.done > 0);
    assert_int_equal(a.failure.error, 0);
    assert_int_equal(atomic_load(&n->server.tcp_queries), 2);
    assert_int_equal(a.found.count, ADDRESS_LIST_MAX); /* 80 were there: half of each family */
    for (uint32_t i = 0; i < ADDRESS_LIST_MAX; i++)
        assert_int_equal(a.found.list[i].family, i < ADDRESS_LIST_MAX / 2 ? AF_INET6 : AF_INET);
}

static void junk_is_a_failure_and_harms_nobody(void **state)
{
    struct net *n = *state;
    struct ask junk[DNS_JUNK_COUNT], good;
    char name[32];
    n->config.timeout_ms = 100;
    begin(n);
    for (unsigned i = 0; i < DNS_JUNK_COUNT; i++) {
        snprintf(name, sizeof name, "junk%u.test", i);
        start(n, &junk[i], name);
    }
    start(n, &good, "a1.test");
    UNTIL(n->io, good.done == 1);
    assert_int_equal(good.failure.error, 0);
    for (unsigned i = 0; i < DNS_JUNK_COUNT; i++) {
        UNTIL(n->io, junk[i].done == 1);
        assert_int_equal(junk[i].failure.error, SCOUT_E_RESOLVE);
    }
    ANSWERS(n, "a2.test", "10.0.0.2");
}

static void silence_holds_nobody_up(void **state)
{
    struct net *n = *state;
    struct ask silent[40], good;
    char name[32];
    n->config.timeout_ms = 300;
    begin(n);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "silent.n%u", i);
        start(n, &silent[i], name);
    }
    start(n, &good, "a1.test");
    UNTIL(n->io, good.done == 1);
    assert_int_equal(good.failure.error, 0);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(silent[i].done, 0);
    for (unsigned i = 0; i < 40; i++) {
        UNTIL(n->io, silent[i].done == 1);
        assert_int_equal(silent[i].failure.error, SCOUT_E_RESOLVE);
    }
}

/* ---- remembering ---- */

static void answers_are_kept_for_their_ttl(void **state)
{
    struct net *n = *state;
    begin(n);
    uint64_t before = io_now(n->io);
    ANSWERS(n, "ttl0.test", "10.0.0.1");
    ANSWERS(n, "ttl1.test", "10.0.0.1");
    ANSWERS(n, "ttl2.test", "10.0.0.1");
    ANSWERS(n, "ttl4000000.test", "10.0.0.1");
    ANSWERS(n, "missing.test", "Cannot resolve missing.test: no such name");
    unsigned sent = asked_of_server(n);
    uint64_t after = io_now(n->io);
    assert_true(after - before < NS_PER_S); /* else the following says nothing */
    ANSWERS(n, "ttl0.test", "10.0.0.1");
    ANSWERS(n, "ttl1.test", "10.0.0.1");
    ANSWERS(n, "missing.test", "Cannot resolve missing.test: no such name");
    assert_int_equal(asked_of_server(n), sent);
    assert_int_equal(resolver_stats(n->resolver)->cache_hits, 3);

    sleep_until(n, after + NS_PER_S);
    ANSWERS(n, "ttl0.test", "10.0.0.1");
    assert_int_equal(asked_of_server(n), sent + 2); /* A and AAAA */
    ANSWERS(n, "ttl1.test", "10.0.0.1");
    assert_int_equal(asked_of_server(n), sent + 4);
    sleep_until(n, after + 2 * NS_PER_S);
    ANSWERS(n, "missing.test", "Cannot resolve missing.test: no such name");
    assert_true(asked_of_server(n) > sent + 4);
    sent = asked_of_server(n);
    ANSWERS(n, "ttl4000000.test", "10.0.0.1");
    assert_int_equal(asked_of_server(n), sent);
}

static void failures_are_not_remembered(void **state)
{
    struct net *n = *state;
    char text[512];
    begin(n);
    assert_int_equal(resolve(n, "fail.test", text, sizeof text), SCOUT_E_RESOLVE);
    unsigned sent = asked_of_server(n);
    assert_int_equal(resolve(n, "fail.test", text, sizeof text), SCOUT_E_RESOLVE);
    assert_true(asked_of_server(n) > sent);
    assert_int_equal(resolver_stats(n->resolver)->cache_hits, 0);
}

static void queries_for_a_name_share_a_lookup(void **state)
{
    struct net *n = *state;
    struct ask asks[100];
    begin(n);
    for (unsigned i = 0; i < 100; i++) {
        start(n, &asks[i], "held.test");
        if (i == 50)
            UNTIL(n->io, atomic_load(&n->server.held_count) == 2); /* A and AAAA */
    }
    resolver_cancel(&asks[7].query);
    settle(n->io);
    assert_int_equal(asks[0].done, 0);
    dns_server_release(&n->server);
    UNTIL(n->io, asks[99].done == 1);
    settle(n->io);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(asks[i].done, i != 7);
        assert_int_equal(asks[i].found.count, i != 7);
    }
    assert_int_equal(resolver_stats(n->resolver)->sent, 1);
    assert_int_equal(resolver_stats(n->resolver)->shared, 99);
    assert_int_equal(asked_of_server(n), 2);
}

static void many_names_at_once(void **state)
{
    struct net *n = *state;
    struct ask *asks = calloc(500, sizeof *asks);
    char name[32], text[1024], expected[32];
    assert_non_null(asks);
    begin(n);
    for (unsigned i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "many%u.test", i + 1);
        start(n, &asks[i], name);
    }
    for (unsigned i = 0; i < 500; i++) {
        UNTIL(n->io, asks[i].done == 1);
        snprintf(expected, sizeof expected, "10.0.%u.%u", (i + 1) / 256, (i + 1) % 256);
        assert_string_equal(answer_of(&asks[i], text, sizeof text), expected);
    }
    assert_int_equal(resolver_stats(n->resolver)->sent, 500);
    assert_int_equal(resolver_stats(n->resolver)->cached, 500);
    free(asks);
}

static void a_full_cache_forgets_the_oldest(void **state)
{
    struct net *n = *state;
    struct ask a;
    char name[32];
    begin(n);
    for (unsigned i = 0; i < RESOLVER_CACHE_MAX + 10; i += 2) {
        struct ask pair[2];
        for (unsigned k = 0; k < 2; k++) {
            snprintf(name, sizeof name, "many%u.test", i + k + 1);
            start(n, &pair[k], name);
        }
        UNTIL(n->io, pair[0].done + pair[1].done == 2);
        if (i % 500 == 0) { /* keeps the first one in use */
            start(n, &a, "many1.test");
            UNTIL(n->io, a.done == 1);
        }
    }
    const struct resolver_stats *stats = resolver_stats(n->resolver);
    assert_int_equal(stats->cached, RESOLVER_CACHE_MAX);
    uint64_t sent = stats->sent;
    start(n, &a, "many1.test");
    UNTIL(n->io, a.done == 1);
    assert_int_equal(resolver_stats(n->resolver)->sent, sent);
    start(n, &a, "many2.test");
    UNTIL(n->io, a.done == 1);
    assert_int_equal(resolver_stats(n->resolver)->sent, sent + 1);
}

static void too_many_names_are_refused(void **state)
{
    struct net *n = *state;
    struct ask *asks = calloc(RESOLVER_CACHE_MAX + 1, sizeof *asks);
    char name[32];
    assert_non_null(asks);
    begin(n);
    for (unsigned i = 0; i <= RESOLVER_CACHE_MAX; i++) {
        snprintf(name, sizeof name, "many%u.test", i + 1);
        start(n, &asks[i], name);
    }
    UNTIL(n->io, asks[RESOLVER_CACHE_MAX].done == 1);
    assert_string_equal(asks[RESOLVER_CACHE_MAX].failure.text,
                        "Cannot resolve the name: too many names are being resolved");
    for (unsigned i = 0; i < RESOLVER_CACHE_MAX; i++) {
        UNTIL(n->io, asks[i].done == 1);
        assert_int_equal(asks[i].failure.error, 0);
    }
    free(asks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NET(both_families_come_ipv6_first),
        WITH_NET(addresses_and_localhost_are_not_asked_for),
        WITH_NET(a_failure_says_which),
        WITH_NET(names_of_any_length_end),
        WITH_NET(a_truncated_answer_is_asked_for_by_tcp),
        WITH_NET(junk_is_a_failure_and_harms_nobody),
        WITH_NET(silence_holds_nobody_up),
        WITH_NET(answers_are_kept_for_their_ttl),
        WITH_NET(failures_are_not_remembered),
        WITH_NET(queries_for_a_name_share_a_lookup),
        WITH_NET(many_names_at_once),
        WITH_NET(a_full_cache_forgets_the_oldest),
        WITH_NET(too_many_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
