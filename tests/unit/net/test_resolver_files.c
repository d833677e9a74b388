/* The resolver's files, and its endings. */
#include "resolver_rig.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

static void the_hosts_file_comes_first(void **state)
{
    struct net *n = *state;
    begin(n);
    ANSWERS(n, "web1", "2001:db8::7 192.0.2.7"); /* waits for the first load */
    ANSWERS(n, "WEB1.EXAMPLE", "192.0.2.7");
    ANSWERS(n, "web1.example.", "192.0.2.7");
    assert_int_equal(asked_of_server(n), 0);
    assert_int_equal(resolver_stats(n->resolver)->hosts_hits, 3);
    finish(n);
    n->config.hosts_file = "/nonexistent/hosts";
    begin(n);
    ANSWERS(n, "a1.test", "10.0.0.1");
}

/* Asks until the answer is the one expected: a change is seen by the queries after a look. */
static void becomes(struct net *n, const char *name, const char *expected)
{
    char text[1024] = "";
    for (int i = 0; i < 200 && strcmp(text, expected) != 0; i++) {
        sleep_until(n, io_now(n->io) + 2 * NS_PER_MS);
        resolve(n, name, text, sizeof text);
    }
    assert_string_equal(text, expected);
}

static void a_changed_hosts_file_is_read_again(void **state)
{
    struct net *n = *state;
    n->config.check_ms = 1;
    begin(n);
    ANSWERS(n, "web1", "2001:db8::7 192.0.2.7");
    write_file(n->hosts, "192.0.2.8 web1\n192.0.2.9 a1.test\n");
    becomes(n, "web1", "192.0.2.8");
    ANSWERS(n, "a1.test", "192.0.2.9");
    assert_int_equal(unlink(n->hosts), 0);
    becomes(n, "a1.test", "10.0.0.1");
    uint64_t reads = resolver_stats(n->resolver)->hosts_reads;
    for (int i = 0; i < 20; i++) {
        sleep_until(n, io_now(n->io) + 2 * NS_PER_MS);
        ANSWERS(n, "localhost", "::1 127.0.0.1");
    }
    assert_int_equal(resolver_stats(n->resolver)->hosts_reads, reads); /* looked at, not read */
}

static void a_changed_resolv_conf_holds_for_new_questions(void **state)
{
    struct net *n = *state;
    struct ask held;
    n->config.check_ms = 1;
    begin(n);
    start(n, &held, "held.test");
    UNTIL(n->io, atomic_load(&n->server.held_count) == 2);
    ANSWERS(n, "db", "10.1.1.1"); /* search one.test */
    write_file(n->conf, "search two.test\n");
    becomes(n, "db", "10.2.2.2"); /* what was remembered is forgotten */
    assert_int_equal(held.done, 0);
    dns_server_release(&n->server);
    UNTIL(n->io, held.done == 1); /* on the channel that it was asked on */
    assert_int_equal(held.failure.error, 0);
    ANSWERS(n, "db", "10.2.2.2");
    assert_int_equal(resolver_stats(n->resolver)->conf_reads, 2);
}

/* A file stands where the configuration's folder should be. */
static void a_resolv_conf_that_cannot_be_read_is_looked_at_again(void **state)
{
    struct net *n = *state;
    char folder[80], conf[96];
    n->config.check_ms = 1;
    snprintf(folder, sizeof folder, "%s/folder", n->dir);
    snprintf(conf, sizeof conf, "%s/resolv.conf", folder);
    write_file(folder, "");
    n->config.resolv_conf = conf;
    begin(n);
    ANSWERS(n, "a1.test", "10.0.0.1"); /* as if it were empty */
    assert_int_equal(unlink(folder), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    write_file(conf, "search two.test\n");
    becomes(n, "db", "10.2.2.2");
    finish(n);
    assert_int_equal(unlink(conf), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void servers_that_are_none_are_told(void **state)
{
    struct net *n = *state;
    n->config.servers = "nonsense";
    begin(n);
    ANSWERS(n, "a1.test",
            "Cannot resolve a1.test: the configuration of the name servers cannot be read");
    ANSWERS(n, "web1", "2001:db8::7 192.0.2.7"); /* the hosts file needs none */
    assert_string_equal(resolver_servers(n->resolver), "");
}

/* ---- endings ---- */

static void a_cancelled_query_is_not_told_in_any_phase(void **state)
{
    struct net *n = *state;
    struct ask unrouted, queued, asked, answered, home, refused, never = {0};
    begin(n);
    start(n, &unrouted, "held.one");
    resolver_cancel(&unrouted.query);
    ANSWERS(n, "a1.test", "10.0.0.1");
    start(n, &queued, "held.two");
    resolver_cancel(&queued.query);
    settle(n->io);
    assert_int_equal(asked_of_server(n), 2); /* neither was asked for */
    start(n, &asked, "held.three");
    UNTIL(n->io, atomic_load(&n->server.held_count) == 2);
    resolver_cancel(&asked.query);
    start(n, &answered, "a1.test");
    resolver_cancel(&answered.query);
    start(n, &home, "web1");
    resolver_cancel(&home.query);
    start(n, &refused, "");
    resolver_cancel(&refused.query);
    resolver_cancel(&refused.query);
    resolver_cancel(&never.query);
    dns_server_release(&n->server);
    UNTIL(n->io, resolver_stats(n->resolver)->asked == 0);
    settle(n->io);
    assert_int_equal(unrouted.done + queued.done + asked.done + answered.done + home.done +
                         refused.done + never.done,
                     0);
    /* The look-up that was under way went on, and its answer is kept. */
    unsigned sent = asked_of_server(n);
    ANSWERS(n, "held.three", "10.0.0.1");
    assert_int_equal(asked_of_server(n), sent);
}

static void one_waiter_may_cancel_another(void **state)
{
    struct net *n = *state;
    struct ask first, second, third;
    begin(n);
    start(n, &first, "a1.test");
    start(n, &second, "a1.test");
    start(n, &third, "a1.test");
    first.cancel = &third;
    UNTIL(n->io, second.done == 1);
    settle(n->io);
    assert_int_equal(first.done, 1);
    assert_int_equal(third.done, 0);
}

static void freeing_ends_what_is_under_way(void **state)
{
    struct net *n = *state;
    struct ask silent[70], held, queued[70], kept;
    char name[32];
    begin(n);
    ANSWERS(n, "a1.test", "10.0.0.1");
    for (unsigned i = 0; i < 70; i++) {
        snprintf(name, sizeof name, "silent.n%u", i);
        start(n, &silent[i], name);
    }
    start(n, &held, "held.test");
    UNTIL(n->io, atomic_load(&n->server.held_count) == 2);
    for (unsigned i = 0; i < 70; i++) {
        snprintf(name, sizeof name, "many%u.test", i);
        start(n, &queued[i], name);
    }
    start(n, &kept, "a1.test");
    resolver_free(n->resolver, on_freed, n);
    assert_int_equal(silent[0].done + held.done + kept.done + queued[0].done, 0);
    struct ask late;
    start(n, &late, "a2.test");
    UNTIL(n->io, n->freed == 1);
    n->resolver = NULL;
    for (unsigned i = 0; i < 70; i++) {
        assert_int_equal(silent[i].done, 1);
        assert_int_equal(silent[i].failure.error, SCOUT_E_CANCELLED);
        assert_int_equal(queued[i].done, 1);
        assert_int_equal(queued[i].failure.error, SCOUT_E_CANCELLED);
    }
    assert_int_equal(held.failure.error, SCOUT_E_CANCELLED);
    assert_int_equal(kept.failure.error, 0); /* the answer was there */
    assert_int_equal(late.failure.error, SCOUT_E_CANCELLED);
    assert_int_equal(io_files_open(n->io), 0);
}

static void freeing_before_the_first_pass(void **state)
{
    struct net *n = *state;
    struct ask a;
    begin(n);
    start(n, &a, "a1.test"); /* the hosts file is being read */
    finish(n);
    assert_int_equal(a.done, 1);
    assert_int_equal(a.failure.error, SCOUT_E_CANCELLED);
    begin(n);
    finish(n);
}

static void a_callback_may_free_the_resolver(void **state)
{
    struct net *n = *state;
    struct ask a, b;
    begin(n);
    start(n, &a, "a1.test");
    start(n, &b, "silent.test");
    a.free_it = n;
    UNTIL(n->io, n->freed == 1);
    n->resolver = NULL;
    assert_int_equal(a.failure.error, 0);
    assert_int_equal(b.done, 1);
    assert_int_equal(b.failure.error, SCOUT_E_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NET(the_hosts_file_comes_first),
        WITH_NET(a_changed_hosts_file_is_read_again),
        WITH_NET(a_changed_resolv_conf_holds_for_new_questions),
        WITH_NET(a_resolv_conf_that_cannot_be_read_is_looked_at_again),
        WITH_NET(servers_that_are_none_are_told),
        WITH_NET(a_cancelled_query_is_not_told_in_any_phase),
        WITH_NET(one_waiter_may_cancel_another),
        WITH_NET(freeing_ends_what_is_under_way),
        WITH_NET(freeing_before_the_first_pass),
        WITH_NET(a_callback_may_free_the_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
