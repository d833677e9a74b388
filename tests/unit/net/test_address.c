/* Addresses: their texts, and what a list keeps. */
#include "loops.h"

#include "scout/net/address.h"
#include <arpa/inet.h>
#include <string.h>

static void texts_that_are_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *same; /* NULL: none */
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"127.1", "127.0.0.1"},
        {"0x7f.1", "127.0.0.1"},
        {"2130706433", "127.0.0.1"},
        {"fe80::1%9", "fe80::1"},
        {"fe80::1%", NULL},
        {"fe80::1%0", NULL},
        {"fe80::1%nosuchinterface", NULL},
        {"192.0.2.1%1", NULL},
        {"192.0.2.256", NULL},
        {"127.1 x", NULL},
        {"1.2.3.4.5", NULL},
        {"[::1]", NULL},
        {"::1::", NULL},
        {"dead.beef", NULL},
        {"example.org", NULL},
        {"1.example.org", NULL},
        {"", NULL},
        {".", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address a;
        char text[INET6_ADDRSTRLEN] = "none";
        if (address_literal(cases[i].text, &a))
            inet_ntop(a.family, a.bytes, text, sizeof text);
        assert_string_equal(text, cases[i].same ? cases[i].same : "none");
    }
    char longest[200];
    struct address a;
    memset(longest, '1', sizeof longest);
    assert_false(address_parse(slice_of(longest, sizeof longest), &a));
    assert_false(address_parse(slice_of("::1\0x", 5), &a));
}

static void an_address_and_a_port_are_a_socket_address(void **state)
{
    (void)state;
    struct address a;
    struct sockaddr_storage out;
    assert_true(address_literal("fe80::2%lo", &a));
    assert_int_equal(address_socket(&a, 2222, &out), sizeof(struct sockaddr_in6));
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&out;
    assert_int_equal(six->sin6_family, AF_INET6);
    assert_int_equal(ntohs(six->sin6_port), 2222);
    assert_true(six->sin6_scope_id > 0);
    assert_int_equal(six->sin6_addr.s6_addr[15], 2);
    assert_true(address_literal("192.0.2.1", &a));
    assert_int_equal(address_socket(&a, 22, &out), sizeof(struct sockaddr_in));
    const struct sockaddr_in *four = (const struct sockaddr_in *)&out;
    assert_int_equal(four->sin_family, AF_INET);
    assert_int_equal(ntohs(four->sin_port), 22);
    assert_int_equal(ntohl(four->sin_addr.s_addr), 0xc0000201);
}

static void an_address_has_one_text(void **state)
{
    (void)state;
    static const struct {
        const char *given, *text;
        bool loopback;
    } cases[] = {{"127.1", "127.0.0.1", true},
                 {"127.9.0.3", "127.9.0.3", true},
                 {"192.0.2.7", "192.0.2.7", false},
                 {"0:0::1", "::1", true},
                 {"2001:DB8::0:1", "2001:db8::1", false},
                 {"fe80::2%7", "fe80::2%7", false},
                 {"128.0.0.1", "128.0.0.1", false},
                 {"::ffff:127.0.0.1", "::ffff:127.0.0.1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address a;
        char text[ADDRESS_TEXT_MAX];
        assert_true(address_literal(cases[i].given, &a));
        address_text(&a, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(address_is_loopback(&a), cases[i].loopback);
    }
}

static void add(struct address_list *l, sa_family_t family, uint8_t number)
{
    address_list_add(l, &(struct address){.family = family, .bytes = {number}});
}

/* Places from to to-1 are of that family and numbered from `first`. */
static void holds(const struct address_list *l, sa_family_t family, uint32_t from, uint32_t to,
                  uint8_t first)
{
    for (uint32_t i = from; i < to; i++) {
        assert_int_equal(l->list[i].family, family);
        assert_int_equal(l->list[i].bytes[0], first + i - from);
    }
}

static void a_list_has_ipv6_first_and_each_once(void **state)
{
    (void)state;
    struct address_list l = {.count = 0};
    for (uint8_t again = 0; again < 2; again++)
        for (uint8_t i = 0; i < 4; i++) {
            add(&l, AF_INET, i);
            add(&l, AF_INET6, i);
        }
    assert_int_equal(l.count, 8);
    holds(&l, AF_INET6, 0, 4, 0);
    holds(&l, AF_INET, 4, 8, 0);
}

static void a_full_list_keeps_room_for_both_families(void **state)
{
    (void)state;
    for (int six_first = 0; six_first < 2; six_first++) {
        sa_family_t first = six_first ? AF_INET6 : AF_INET, second = six_first ? AF_INET : AF_INET6;
        struct address_list l = {.count = 0};
        for (uint8_t i = 0; i < 40; i++)
            add(&l, first, i);
        assert_int_equal(l.count, ADDRESS_LIST_MAX);
        add(&l, second, 0);
        assert_int_equal(l.count, ADDRESS_LIST_MAX);
        holds(&l, AF_INET6, 0, six_first ? 15 : 1, 0);
        holds(&l, AF_INET, six_first ? 15 : 1, 16, 0);
        for (uint8_t i = 0; i < 40; i++)
            add(&l, second, i);
        for (uint8_t i = 0; i < 40; i++)
            add(&l, first, i);
        assert_int_equal(l.count, ADDRESS_LIST_MAX);
        holds(&l, AF_INET6, 0, 8, 0);
        holds(&l, AF_INET, 8, 16, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_addresses),
        cmocka_unit_test(an_address_and_a_port_are_a_socket_address),
        cmocka_unit_test(an_address_has_one_text),
        cmocka_unit_test(a_list_has_ipv6_first_and_each_once),
        cmocka_unit_test(a_full_list_keeps_room_for_both_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
