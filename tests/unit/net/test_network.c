/* Lists of networks. */
#include "loops.h"

#include "scout/net/network.h"
#include <string.h>

static bool has(const char *list, const char *text)
{
    struct network_list l;
    struct address a;
    struct slice wrong;
    assert_true(network_list_parse(slice_str(list), &l, &wrong));
    assert_true(address_parse(slice_str(text), &a));
    return network_list_has(&l, &a);
}

static void what_is_in_them(void **state)
{
    (void)state;
    assert_false(has("", "192.0.2.1"));
    assert_true(has("192.0.2.1", "192.0.2.1"));
    assert_false(has("192.0.2.1", "192.0.2.2"));
    assert_true(has("10.0.0.0/8,192.0.2.1", "10.255.0.1"));
    assert_false(has("10.0.0.0/8", "11.0.0.1"));
    assert_true(has("192.0.2.128/25", "192.0.2.200"));
    assert_false(has("192.0.2.128/25", "192.0.2.100"));
    assert_true(has("192.0.2.129/25", "192.0.2.200"));
    assert_true(has("0.0.0.0/0", "203.0.113.9"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("::/0", "2001:db8::1"));
    assert_false(has("::/0", "192.0.2.1"));
    assert_true(has(" 2001:db8::/33 , ::1\t", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    /* Both forms of IPv4, on either side. */
    assert_true(has("192.0.2.0/24", "::ffff:192.0.2.9"));
    assert_true(has("::ffff:192.0.2.0/120", "192.0.2.9"));
    assert_false(has("::ffff:192.0.2.0/120", "192.0.3.9"));
}

static void what_is_refused(void **state)
{
    static const char *const lists[] = {
        "x",           "10.0.0.0/33",       "10.0.0.0/",         "10.0.0.0/08", "10/8",
        "::/129",      "10.0.0.1,",         ",10.0.0.1",         "fe80::1%lo",  "10.0.0.0/-1",
        "10.0.0.0/1x", "::ffff:10.0.0.6/1", "::ffff:10.0.0.6/95"};
    struct network_list l;
    struct slice wrong;
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        assert_false(network_list_parse(slice_str(lists[i]), &l, &wrong));
        assert_int_equal(l.count, 0);
    }
    assert_false(network_list_parse(slice_str("10.0.0.1, nothing ,::1"), &l, &wrong));
    assert_true(slice_is(wrong, "nothing"));
    char many[NETWORK_LIST_MAX * 4 + 8] = "";
    for (size_t i = 0; i < NETWORK_LIST_MAX; i++)
        strcat(many, i ? ",::1" : "::1");
    assert_true(network_list_parse(slice_str(many), &l, &wrong));
    strcat(many, ",::1");
    assert_false(network_list_parse(slice_str(many), &l, &wrong));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_them),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
