/* Dialling an address: what comes out of it, in which words, once. */
#include "dial_rig.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
