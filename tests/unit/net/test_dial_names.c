/* Dialling a name, and races between its addresses: these are loopback addresses, which names of a
 * hosts file stand for. */
#include "dial_rig.h"

#include "dns_server.h"
#include <arpa/inet.h>
#include <unistd.h>

/* ---- names, and races between their addresses ---- */

struct net {
    struct io *io;
    struct dns_server server;
    struct resolver *resolver;
    struct resolver_config config;
    char hosts[48];
    bool freed;
};

static void on_freed(void *context)
{
    ((struct net *)context)->freed = true;
}

/* A resolver whose hosts file has that text. */
static void net_open(struct net *n, struct io *io, const char *hosts)
{
    *n = (struct net){.io = io};
    dns_server_open(&n->server);
    strcpy(n->hosts, "/tmp/scout-dial-XXXXXX");
    int fd = mkstemp(n->hosts);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, hosts, strlen(hosts)), strlen(hosts));
    close(fd);
    n->config = (struct resolver_config){.hosts_file = n->hosts,
                                         .resolv_conf = "/nonexistent/resolv.conf",
                                         .servers = n->server.address};
    assert_int_equal(resolver_new(&n->resolver, io, &n->config), 0);
}

static void net_close(struct net *n)
{
    resolver_free(n->resolver, on_freed, n);
    UNTIL(n->io, n->freed);
    assert_int_equal(io_files_open(n->io), 0);
    dns_server_close(&n->server);
    unlink(n->hosts);
}

/* A listening socket on one loopback address. */
static void answering_open_at(struct io *io, struct answering *a, const char *address,
                              uint16_t port)
{
    struct address at;
    struct sockaddr_storage sa;
    assert_true(address_literal(address, &at));
    socklen_t len = address_socket(&at, port, &sa);
    *a = (struct answering){.port = port};
    assert_int_equal(io_file_listen(io, &a->file, (struct sockaddr *)&sa, len, 8), 0);
    io_accept(&a->file, &a->accept, on_accept);
}

/* A listening socket that answers nobody: the place in its queue is taken, and it drops all that
 * come later. */
struct hole {
    int listener, fillers[4];
};

static void hole_open(struct hole *h, const char *address, uint16_t *port)
{
    struct sockaddr_in at = loopback(*port);
    socklen_t len = sizeof at;
    const int one = 1;
    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(h->listener >= 0);
    assert_int_equal(setsockopt(h->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(bind(h->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(h->listener, 0), 0);
    assert_int_equal(getsockname(h->listener, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    for (int i = 0; i < 4; i++) {
        h->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(h->fillers[i] >= 0);
        (void)connect(h->fillers[i], (struct sockaddr *)&at, sizeof at);
    }
}

static void hole_close(struct hole *h)
{
    for (int i = 0; i < 4; i++)
        close(h->fillers[i]);
    close(h->listener);
}

static uint64_t race_of(struct net *n, struct call *c, const char *name, uint16_t port,
                        uint64_t after_ms)
{
    c->resolver = n->resolver;
    call_start(c, n->io, name, port, after_ms);
    uint64_t start = io_now(n->io);
    UNTIL(n->io, c->done > 0);
    return io_now(n->io) - start;
}

static void a_name_is_resolved_and_connected(void **state)
{
    struct net n;
    struct answering a;
    struct call c = {0};
    net_open(&n, *state, "127.0.0.1 web1\n");
    answering_open(n.io, &a);
    race_of(&n, &c, "web1", a.port, 10000);
    assert_int_equal(c.failure.error, 0);
    UNTIL(n.io, a.accepted == 1);
    hang_up(&c);
    answering_close(&a);
    net_close(&n);
}

/* Seven are refused: by the delay alone, the eighth would have its turn after 1.75 s. */
static void a_refused_address_gives_way_at_once(void **state)
{
    struct net n;
    struct answering a;
    struct call c = {0};
    net_open(&n, *state,
             "127.0.0.2 all\n127.0.0.3 all\n127.0.0.4 all\n127.0.0.5 all\n127.0.0.6 all\n"
             "127.0.0.7 all\n127.0.0.8 all\n127.0.0.1 all\n");
    answering_open(n.io, &a);
    uint64_t took = race_of(&n, &c, "all", a.port, 10000);
    assert_int_equal(c.failure.error, 0);
    assert_true(took < 7 * DIAL_ATTEMPT_DELAY_MS * NS_PER_MS);
    hang_up(&c);
    answering_close(&a);
    net_close(&n);
}

static void a_silent_address_is_overtaken(void **state)
{
    struct net n;
    struct answering a;
    struct hole hole;
    struct call c = {0};
    net_open(&n, *state, "127.0.0.2 two\n127.0.0.1 two\n");
    answering_open(n.io, &a);
    hole_open(&hole, "127.0.0.2", &a.port);
    uint32_t files = io_files_open(n.io);
    uint64_t took = race_of(&n, &c, "two", a.port, 10000);
    assert_int_equal(c.failure.error, 0);
    assert_in_range(took / NS_PER_MS, DIAL_ATTEMPT_DELAY_MS, 5000);
    assert_int_equal(io_files_open(n.io), files + 1); /* the one that lost is closed */
    UNTIL(n.io, a.accepted == 1);
    settle(n.io);
    assert_int_equal(c.done, 1);
    hang_up(&c);
    hole_close(&hole);
    answering_close(&a);
    net_close(&n);
}

/* Six are silent, and only four may be in flight. */
static void the_last_of_many_addresses_has_its_turn(void **state)
{
    struct net n;
    struct answering a;
    struct hole holes[6];
    struct call c = {0};
    net_open(&n, *state,
             "127.0.0.2 all\n127.0.0.3 all\n127.0.0.4 all\n127.0.0.5 all\n127.0.0.6 all\n"
             "127.0.0.7 all\n127.0.0.1 all\n");
    answering_open(n.io, &a);
    for (int i = 0; i < 6; i++) {
        char address[32];
        snprintf(address, sizeof address, "127.0.0.%d", 2 + i);
        hole_open(&holes[i], address, &a.port);
    }
    uint32_t files = io_files_open(n.io);
    race_of(&n, &c, "all", a.port, 3000);
    assert_int_equal(c.failure.error, 0);
    assert_int_equal(io_files_open(n.io), files + 1);
    UNTIL(n.io, a.accepted == 1);
    hang_up(&c);
    for (int i = 0; i < 6; i++)
        hole_close(&holes[i]);
    answering_close(&a);
    net_close(&n);
}

static void when_all_fail_it_is_said(void **state)
{
    struct net n;
    struct answering a;
    struct call c = {0};
    char expected[128];
    net_open(&n, *state, "127.0.0.2 two\n127.0.0.1 two\n");
    answering_open(n.io, &a);
    answering_close(&a);
    race_of(&n, &c, "two", a.port, 10000);
    snprintf(expected, sizeof expected,
             "Cannot connect to two port %u at any of its 2 addresses: Connection refused", a.port);
    assert_int_equal(c.failure.error, SCOUT_E_CONNECT);
    assert_string_equal(c.failure.text, expected);
    assert_string_equal(c.failure.stage, "connecting");
    net_close(&n);
}

static void the_deadline_holds_for_all_attempts(void **state)
{
    struct net n;
    struct hole holes[2];
    struct call c = {0};
    uint16_t port = 0;
    net_open(&n, *state, "127.0.0.2 two\n127.0.0.3 two\n");
    hole_open(&holes[0], "127.0.0.2", &port);
    hole_open(&holes[1], "127.0.0.3", &port);
    uint64_t took = race_of(&n, &c, "two", port, 400);
    assert_in_range(took / NS_PER_MS, 400, 3000);
    assert_int_equal(c.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(c.failure.stage, "connecting");
    settle(n.io);
    assert_int_equal(c.done, 1);

    for (unsigned ms = 0; ms < 600; ms += 290) { /* with one or two in flight */
        c.resolver = n.resolver;
        call_start(&c, n.io, "two", port, 5000);
        uint64_t until = io_now(n.io) + ms * NS_PER_MS;
        while (io_now(n.io) < until)
            io_run_once(n.io, until - io_now(n.io));
        dial_cancel(&c.dial);
        assert_int_equal(c.done, 0);
        UNTIL(n.io, c.done > 0);
        settle(n.io);
        assert_int_equal(c.done, 1);
        assert_int_equal(c.failure.error, SCOUT_E_CANCELLED);
    }
    hole_close(&holes[0]);
    hole_close(&holes[1]);
    net_close(&n);
}

static bool have_ipv6(void)
{
    struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool have = fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0;
    if (fd >= 0)
        close(fd);
    if (!have)
        print_message("skipped: there is no ::1 here\n");
    return have;
}

static void of_a_name_only_the_family_that_is_wanted(void **state)
{
    struct net n;
    struct answering four;
    struct call c = {0};
    net_open(&n, *state, "127.0.0.1 both\n::1 both\n");
    answering_open(n.io, &four);
    c.resolver = n.resolver;
    call_start_in(&c, n.io, "both", four.port, AF_INET, 5000);
    UNTIL(n.io, c.done > 0);
    assert_int_equal(c.failure.error, 0);
    assert_int_equal(c.dial.address_count, 1);
    hang_up(&c);
    answering_close(&four);
    net_close(&n);
}

static void ipv6_is_tried_first(void **state)
{
    struct net n;
    struct answering four, six;
    struct call c = {0};
    if (!have_ipv6())
        skip();
    net_open(&n, *state, "127.0.0.1 both\n::1 both\n");
    answering_open(n.io, &four);
    answering_open_at(n.io, &six, "::1", four.port);
    race_of(&n, &c, "both", four.port, 10000);
    assert_int_equal(c.failure.error, 0);
    UNTIL(n.io, six.accepted == 1);
    settle(n.io);
    assert_int_equal(four.accepted, 0);
    hang_up(&c);
    answering_close(&six);
    race_of(&n, &c, "both", four.port, 10000); /* refused there now */
    assert_int_equal(c.failure.error, 0);
    UNTIL(n.io, four.accepted == 1);
    hang_up(&c);
    answering_close(&four);
    net_close(&n);
}

static void a_deadline_while_resolving_names_the_servers(void **state)
{
    struct net n;
    struct call c = {0};
    char expected[128];
    net_open(&n, *state, "");
    race_of(&n, &c, "silent.test", 22, 200);
    snprintf(expected, sizeof expected,
             "The name silent.test was not resolved in time (name servers: %s)", n.server.address);
    assert_int_equal(c.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(c.failure.text, expected);
    assert_string_equal(c.failure.stage, "resolving");
    settle(n.io);
    assert_int_equal(c.done, 1);
    net_close(&n);
}

static void an_unknown_name_is_told_in_words(void **state)
{
    struct net n;
    struct call c = {0};
    net_open(&n, *state, "");
    race_of(&n, &c, "missing.test", 22, 10000);
    assert_int_equal(c.failure.error, SCOUT_E_RESOLVE);
    assert_string_equal(c.failure.text, "Cannot resolve missing.test: no such name");
    assert_string_equal(c.failure.stage, "resolving");
    net_close(&n);
}

static void a_cancel_while_resolving_ends_it_once(void **state)
{
    struct net n;
    struct call c = {0};
    net_open(&n, *state, "");
    c.resolver = n.resolver;
    for (int asked = 0; asked < 2; asked++) { /* while the hosts file is read; while asked */
        call_start(&c, n.io, "held.test", 1, 10000);
        if (asked)
            UNTIL(n.io, atomic_load(&n.server.held_count) == 2);
        dial_cancel(&c.dial);
        assert_int_equal(c.done, 0);
        UNTIL(n.io, c.done > 0);
        assert_int_equal(c.failure.error, SCOUT_E_CANCELLED);
        assert_string_equal(c.failure.stage, "resolving");
        settle(n.io);
        assert_int_equal(c.done, 1);
    }
    dns_server_release(&n.server); /* the answer belongs to nobody */
    settle(n.io);
    assert_int_equal(c.done, 1);
    net_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_RING(a_name_is_resolved_and_connected),
        ON_RING(a_refused_address_gives_way_at_once),
        ON_RING(a_silent_address_is_overtaken),
        ON_RING(the_last_of_many_addresses_has_its_turn),
        ON_RING(when_all_fail_it_is_said),
        ON_RING(the_deadline_holds_for_all_attempts),
        ON_RING(ipv6_is_tried_first),
        ON_RING(of_a_name_only_the_family_that_is_wanted),
        ON_RING(a_deadline_while_resolving_names_the_servers),
        ON_RING(an_unknown_name_is_told_in_words),
        ON_RING(a_cancel_while_resolving_ends_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
