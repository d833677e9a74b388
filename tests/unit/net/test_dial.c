/* Dialing: what comes out of it, in which words, once. Races between addresses are on loopback
 * addresses, which names of a hosts file stand for. */
#include "loops.h"

#include "dns_server.h"
#include "scout/net/dial.h"
#include <arpa/inet.h>
#include <unistd.h>

struct call {
    struct resolver *resolver;
    struct dial dial;
    unsigned done, closed;
    struct failure failure;
};

struct answering {
    struct io_file file;
    struct io_op accept;
    uint16_t port;
    unsigned accepted, closed;
    struct dial *cancel; /* is cancelled when a connection comes */
};

static void on_accept(struct io_op *op, struct io_event event)
{
    struct answering *a = CONTAINER_OF(op, struct answering, accept);
    if (event.res >= 0) {
        a->accepted++;
        if (a->cancel)
            dial_cancel(a->cancel);
        io_discard(a->file.io, event.res);
    }
}

static void answering_open(struct io *io, struct answering *a)
{
    struct sockaddr_in any = loopback(0);
    struct sockaddr_storage addr;
    socklen_t len;
    *a = (struct answering){0};
    assert_int_equal(io_file_listen(io, &a->file, (struct sockaddr *)&any, sizeof any, 8), 0);
    assert_int_equal(io_file_address(&a->file, &addr, &len), 0);
    a->port = ntohs(((struct sockaddr_in *)&addr)->sin_port);
    io_accept(&a->file, &a->accept, on_accept);
}

static void on_answering_closed(struct io_file *f)
{
    CONTAINER_OF(f, struct answering, file)->closed++;
}

static void answering_close(struct answering *a)
{
    io_close(&a->file, on_answering_closed);
    UNTIL(a->file.io, a->closed == 1);
}

static void on_done(struct dial *d, const struct failure *error)
{
    struct call *c = CONTAINER_OF(d, struct call, dial);
    c->done++;
    c->failure = *error;
}

static void call_start_from(struct call *c, struct io *io, const char *from, const char *host,
                            uint16_t port, int family, uint64_t after_ms)
{
    *c = (struct call){.resolver = c->resolver};
    io_run_once(io, 0);
    const struct dial_target target = {host, from, family, port};
    dial_start(&c->dial, io, c->resolver, &target, io_now(io) + after_ms * NS_PER_MS, on_done);
    assert_int_equal(c->done, 0);
}

static void call_start_in(struct call *c, struct io *io, const char *host, uint16_t port,
                          int family, uint64_t after_ms)
{
    call_start_from(c, io, NULL, host, port, family, after_ms);
}

static void call_start(struct call *c, struct io *io, const char *host, uint16_t port,
                       uint64_t after_ms)
{
    call_start_in(c, io, host, port, AF_UNSPEC, after_ms);
}

static void on_call_closed(struct io_file *f)
{
    CONTAINER_OF(CONTAINER_OF(f, struct dial, file), struct call, dial)->closed++;
}

static void hang_up(struct call *c)
{
    io_close(&c->dial.file, on_call_closed);
    UNTIL(c->dial.io, c->closed == 1);
}

static void a_literal_address_is_connected(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c = {0};
    answering_open(io, &a);
    call_start(&c, io, "127.0.0.1", a.port, 5000);
    UNTIL(io, c.done > 0 && a.accepted > 0);
    assert_int_equal(c.failure.error, 0);
    assert_true(c.dial.file.fd >= 0);
    dial_cancel(&c.dial); /* too late */
    settle(io);
    assert_int_equal(c.done, 1);
    hang_up(&c);
    answering_close(&a);
}

static void refused_is_told_in_words(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c = {0};
    char expected[128];
    answering_open(io, &a);
    answering_close(&a);
    call_start(&c, io, "127.0.0.1", a.port, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_CONNECT);
    assert_string_equal(c.failure.stage, "connecting");
    snprintf(expected, sizeof expected, "Cannot connect to 127.0.0.1 port %u: Connection refused",
             a.port);
    assert_string_equal(c.failure.text, expected);
    settle(io);
    assert_int_equal(c.done, 1);
}

static void cancel_ends_it_once(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c = {0};
    answering_open(io, &a);
    for (int passes = 0; passes < 4; passes++) { /* wherever it is on its way */
        call_start(&c, io, "127.0.0.1", a.port, 5000);
        for (int i = 0; i < passes; i++)
            io_run_once(io, 0);
        unsigned before = c.done;
        dial_cancel(&c.dial);
        dial_cancel(&c.dial);
        assert_int_equal(c.done, before);
        UNTIL(io, c.done > 0);
        settle(io);
        assert_int_equal(c.done, 1);
        if (c.failure.error == 0)
            hang_up(&c);
        else
            assert_int_equal(c.failure.error, SCOUT_E_CANCELLED);
        if (passes == 0)
            assert_int_equal(c.failure.error, SCOUT_E_CANCELLED);
    }
    answering_close(&a);
}

static void a_cancel_after_the_connect_comes_too_late(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c = {0};
    answering_open(io, &a);
    call_start(&c, io, "127.0.0.1", a.port, 5000);
    a.cancel = &c.dial; /* in the pass in which it connected, before on_done */
    UNTIL(io, c.done > 0 && a.accepted > 0);
    settle(io);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.failure.error, 0);
    hang_up(&c);
    answering_close(&a);
}

static void a_name_too_long_is_refused(void **state)
{
    struct io *io = *state;
    struct call c = {0};
    char name[DIAL_HOST_MAX + 2];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    call_start(&c, io, name, 22, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_RESOLVE);
    assert_string_equal(c.failure.stage, "resolving");
}

/* A network in which nothing arrives within a minute. */
static void no_answer_meets_the_deadline(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c = {0};
    static const struct io_sim_faults slow = {.delay_min_ns = 60 * NS_PER_S,
                                              .delay_max_ns = 60 * NS_PER_S};
    answering_open(io, &a);
    io_sim_set_faults(io, &slow);
    call_start(&c, io, "127.0.0.1", a.port, 1500);
    uint64_t start = io_now(io);
    UNTIL(io, c.done > 0);
    assert_int_equal(io_now(io), start + 1500 * NS_PER_MS);
    assert_int_equal(c.failure.error, SCOUT_E_DEADLINE);
    assert_string_equal(c.failure.stage, "connecting");
    assert_non_null(strstr(c.failure.text, "did not answer in time"));
    settle(io);
    assert_int_equal(c.done, 1);
    answering_close(&a);
}

static void a_cancel_while_nobody_answers_ends_at_once(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c = {0};
    static const struct io_sim_faults slow = {.delay_min_ns = 60 * NS_PER_S};
    answering_open(io, &a);
    io_sim_set_faults(io, &slow);
    call_start(&c, io, "127.0.0.1", a.port, 30000);
    settle(io);
    assert_int_equal(c.done, 0);
    uint64_t start = io_now(io);
    dial_cancel(&c.dial);
    UNTIL(io, c.done > 0);
    assert_int_equal(io_now(io), start);
    assert_int_equal(c.failure.error, SCOUT_E_CANCELLED);
    answering_close(&a);
}

static void an_address_of_the_other_family_is_not_dialled(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c = {0};
    answering_open(io, &a);
    call_start_in(&c, io, "127.0.0.1", a.port, AF_INET6, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_RESOLVE);
    assert_string_equal(c.failure.text,
                        "127.0.0.1 has no IPv6 address, and AddressFamily allows no other");
    call_start_in(&c, io, "127.0.0.1", a.port, AF_INET, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, 0);
    hang_up(&c);
    answering_close(&a);
}

static void it_comes_from_the_address_that_is_wanted(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c = {0};
    struct sockaddr_storage own;
    socklen_t len;
    answering_open(io, &a);
    call_start_from(&c, io, "127.0.0.9", "127.0.0.1", a.port, AF_UNSPEC, 5000);
    UNTIL(io, c.done > 0 && a.accepted > 0);
    assert_int_equal(c.failure.error, 0);
    assert_int_equal(io_file_address(&c.dial.file, &own, &len), 0);
    assert_int_equal(((struct sockaddr_in *)&own)->sin_addr.s_addr, htonl(0x7f000009));
    hang_up(&c);
    call_start_from(&c, io, "::1", "127.0.0.1", a.port, AF_UNSPEC, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_RESOLVE);
    assert_string_equal(c.failure.text,
                        "127.0.0.1 has no IPv6 address, and BindAddress allows no other");
    call_start_from(&c, io, "eth0", "127.0.0.1", a.port, AF_UNSPEC, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_CONNECT);
    assert_string_equal(c.failure.stage, "connecting");
    assert_string_equal(c.failure.text,
                        "Cannot connect to 127.0.0.1: BindAddress 'eth0' is not an IP address");
    answering_close(&a);
}

/* 192.0.2.0/24 is for documentation: no machine has an address of it. */
static void an_address_that_is_not_here_is_told_in_words(void **state)
{
    struct io *io = *state;
    struct answering a;
    struct call c = {0};
    char expected[160];
    answering_open(io, &a);
    call_start_from(&c, io, "192.0.2.1", "127.0.0.1", a.port, AF_UNSPEC, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_CONNECT);
    snprintf(expected, sizeof expected,
             "Cannot connect to 127.0.0.1 port %u from 192.0.2.1 (BindAddress): Cannot assign "
             "requested address",
             a.port);
    assert_string_equal(c.failure.text, expected);
    settle(io);
    assert_int_equal(c.done, 1);
    answering_close(&a);
}

static void without_a_resolver_only_addresses_are_dialled(void **state)
{
    struct io *io = *state;
    struct call c = {0};
    call_start(&c, io, "localhost", 22, 5000);
    UNTIL(io, c.done > 0);
    assert_int_equal(c.failure.error, SCOUT_E_RESOLVE);
    assert_string_equal(c.failure.stage, "resolving");
    assert_string_equal(c.failure.text,
                        "Cannot resolve localhost: only literal addresses can be used here");
    settle(io);
    assert_int_equal(c.done, 1);
}

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
        ON_RING(a_literal_address_is_connected),
        ON_SIM(a_literal_address_is_connected),
        ON_RING(refused_is_told_in_words),
        ON_SIM(refused_is_told_in_words),
        ON_RING(cancel_ends_it_once),
        ON_SIM(cancel_ends_it_once),
        ON_SIM(a_cancel_after_the_connect_comes_too_late),
        ON_RING(a_name_too_long_is_refused),
        ON_SIM(a_name_too_long_is_refused),
        ON_SIM(no_answer_meets_the_deadline),
        ON_SIM(a_cancel_while_nobody_answers_ends_at_once),
        ON_RING(an_address_of_the_other_family_is_not_dialled),
        ON_SIM(an_address_of_the_other_family_is_not_dialled),
        ON_RING(it_comes_from_the_address_that_is_wanted),
        ON_SIM(it_comes_from_the_address_that_is_wanted),
        ON_RING(an_address_that_is_not_here_is_told_in_words),
        ON_RING(without_a_resolver_only_addresses_are_dialled),
        ON_SIM(without_a_resolver_only_addresses_are_dialled),
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
