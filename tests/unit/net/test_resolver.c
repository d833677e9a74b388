/* Names, asked of a server of the test's own: what is answered, what is remembered, who waits. */
#include "loops.h"

#include "dns_server.h"
#include "scout/net/resolver.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct net {
    struct io *io;
    struct dns_server server;
    struct resolver *resolver;
    struct resolver_config config;
    char dir[32], hosts[64], conf[64];
    unsigned freed;
};

struct ask {
    struct resolver_query query;
    unsigned done;
    struct failure failure;
    struct address_list found;
    struct net *free_it; /* frees the resolver when it is done */
    struct ask *cancel;  /* cancels this one when it is done */
};

/* ---- the stage ---- */

static void write_file(const char *path, const char *text)
{
    char other[80];
    snprintf(other, sizeof other, "%s.new", path);
    FILE *f = fopen(other, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(other, path), 0);
}

static int net_setup(void **state)
{
    struct net *n = calloc(1, sizeof *n);
    void *io;
    assert_non_null(n);
    if (ring_setup(&io) != 0) {
        free(n);
        return -1;
    }
    n->io = io;
    dns_server_open(&n->server);
    strcpy(n->dir, "/tmp/scout-resolver-XXXXXX");
    assert_non_null(mkdtemp(n->dir));
    snprintf(n->hosts, sizeof n->hosts, "%s/hosts", n->dir);
    snprintf(n->conf, sizeof n->conf, "%s/resolv.conf", n->dir);
    write_file(n->hosts, "192.0.2.7 web1 Web1.example\n2001:db8::7 web1\n");
    write_file(n->conf, "search one.test\n");
    n->config = (struct resolver_config){.hosts_file = n->hosts,
                                         .resolv_conf = n->conf,
                                         .servers = n->server.address,
                                         .timeout_ms = 2000,
                                         .tries = 2};
    *state = n;
    return 0;
}

static void begin(struct net *n)
{
    assert_int_equal(resolver_new(&n->resolver, n->io, &n->config), 0);
    io_run_once(n->io, 0);
}

static void on_freed(void *context)
{
    ((struct net *)context)->freed++;
}

static void finish(struct net *n)
{
    resolver_free(n->resolver, on_freed, n);
    assert_int_equal(n->freed, 0);
    UNTIL(n->io, n->freed == 1);
    assert_int_equal(io_files_open(n->io), 0);
    n->freed = 0;
    n->resolver = NULL;
}

static int net_teardown(void **state)
{
    struct net *n = *state;
    if (n->resolver)
        finish(n);
    dns_server_close(&n->server);
    unlink(n->hosts);
    unlink(n->conf);
    rmdir(n->dir);
    io_free(n->io);
    free(n);
    return 0;
}

/* ---- asking ---- */

static void on_done(struct resolver_query *q, const struct address_list *addresses,
                    const struct failure *failure)
{
    struct ask *a = CONTAINER_OF(q, struct ask, query);
    a->done++;
    a->found = *addresses;
    a->failure = *failure;
    if (a->cancel)
        resolver_cancel(&a->cancel->query);
    if (a->free_it)
        resolver_free(a->free_it->resolver, on_freed, a->free_it);
}

static void start(struct net *n, struct ask *a, const char *name)
{
    *a = (struct ask){0};
    resolver_start(n->resolver, &a->query, name, on_done);
    assert_int_equal(a->done, 0);
}

/* The answer as a text: addresses separated by blanks, or the failure's text. */
static const char *answer_of(const struct ask *a, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    if (a->failure.error)
        snprintf(out, size, "%s", a->failure.text);
    for (uint32_t i = 0; i < a->found.count; i++) {
        char text[INET6_ADDRSTRLEN];
        inet_ntop(a->found.list[i].family, a->found.list[i].bytes, text, sizeof text);
        len += (size_t)snprintf(out + len, size - len, "%s%s", i ? " " : "", text);
    }
    return out;
}

static int resolve(struct net *n, const char *name, char *out, size_t size)
{
    struct ask a;
    start(n, &a, name);
    UNTIL(n->io, a.done > 0);
    settle(n->io);
    assert_int_equal(a.done, 1);
    answer_of(&a, out, size);
    return a.failure.error;
}

#define ANSWERS(n, name, expected)                                                                 \
    do {                                                                                           \
        char text_[1024];                                                                          \
        resolve(n, name, text_, sizeof text_);                                                     \
        assert_string_equal(text_, expected);                                                      \
    } while (0)

static unsigned asked_of_server(struct net *n)
{
    return atomic_load(&n->server.udp_queries) + atomic_load(&n->server.tcp_queries);
}

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

static void sleep_until(struct net *n, uint64_t when_ns)
{
    while (io_now(n->io) < when_ns)
        io_run_once(n->io, when_ns - io_now(n->io));
}

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

#define WITH_NET(name) cmocka_unit_test_setup_teardown(name, net_setup, net_teardown)

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
