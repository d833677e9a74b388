/* Whom a request is from that came through proxies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scout/http/forwarded.h"

#define PROXIES "10.0.0.0/8, 2001:db8:1::/48"

/* `lists` are the headers, one a line. */
static void assert_from(const char *peer, const char *lists, const char *expected)
{
    struct http_request q = {.header_count = 0};
    struct network_list proxies;
    struct slice wrong;
    struct address from, address;
    char copy[512], text[ADDRESS_TEXT_MAX], *rest;
    snprintf(copy, sizeof copy, "%s", lists);
    q.headers[q.header_count++] = (struct http_header){slice_str("Host"), slice_str("localhost")};
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        q.headers[q.header_count++] =
            (struct http_header){slice_str("X-FORWARDED-For"), slice_str(line)};
    assert_true(network_list_parse(slice_str(PROXIES), &proxies, &wrong));
    assert_true(address_parse(slice_str(peer), &address));
    http_forwarded(&q, &proxies, &address, &from);
    address_text(&from, text);
    assert_string_equal(text, expected);
}

static void who_it_is_from(void **state)
{
    (void)state;
    assert_from("10.0.0.1", "", "10.0.0.1");
    assert_from("10.0.0.1", "192.0.2.7", "192.0.2.7");
    assert_from("10.0.0.1", "192.0.2.7, 10.9.9.9", "192.0.2.7");
    /* What a client writes itself is on the left, and does not count. */
    assert_from("10.0.0.1", "203.0.113.1, 192.0.2.7", "192.0.2.7");
    assert_from("10.0.0.1", "203.0.113.1\n192.0.2.7", "192.0.2.7");
    assert_from("10.0.0.1", "203.0.113.1\n10.1.1.1", "203.0.113.1");
    assert_from("192.0.2.9", "203.0.113.1", "192.0.2.9");
    /* All of them are ours. */
    assert_from("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3");
    assert_from("2001:db8:1::5", " 2001:db8:2::1 ,\t10.0.0.2", "2001:db8:2::1");
    assert_from("10.0.0.1", "::ffff:192.0.2.7", "192.0.2.7");
    assert_from("10.0.0.1", "192.0.2.7, ::ffff:10.1.1.1", "192.0.2.7");
}

static void forms_with_ports(void **state)
{
    (void)state;
    assert_from("10.0.0.1", "192.0.2.7:8080", "192.0.2.7");
    assert_from("10.0.0.1", "[2001:db8::7]:8080", "2001:db8::7");
    assert_from("10.0.0.1", "[2001:db8::7]", "2001:db8::7");
}

/* Where the list stops making sense, the last that did counts. */
static void what_is_no_address(void **state)
{
    static const char *const lists[] = {"unknown",    ",",       "192.0.2.7,", "192.0.2.7, ",
                                        "[",          "[]",      "]",          ":",
                                        "fe80::1%lo", "_hidden", "192.0.2",    "[::1"};
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        assert_from("10.0.0.1", lists[i], "10.0.0.1");
    assert_from("10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2");
}

static void whether_it_was_forwarded(void **state)
{
    static const char *const names[] = {"X-Forwarded-For", "forwarded", "X-Real-IP", "VIA"};
    struct http_request q = {.header_count = 1};
    (void)state;
    q.headers[0] = (struct http_header){slice_str("host"), slice_str("x")};
    assert_false(http_was_forwarded(&q));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        q.headers[0].name = slice_str(names[i]);
        assert_true(http_was_forwarded(&q));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_it_is_from),
        cmocka_unit_test(forms_with_ports),
        cmocka_unit_test(what_is_no_address),
        cmocka_unit_test(whether_it_was_forwarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
