/* Many names, summed up. */
#include "scout/fleet/host_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 64

static struct host_group groups[GROUPS_MAX];

static void expect_group(size_t i, const char *name, const char *pattern, size_t count)
{
    assert_string_equal(groups[i].name, name);
    assert_string_equal(groups[i].pattern, pattern);
    assert_int_equal(groups[i].count, count);
}

static void names_that_differ_in_a_number_are_a_group(void **state)
{
    (void)state;
    static const char *const names[] = {
        "bastion", "db-prod-1", "db-prod-12", "db-prod-2", "ip-10-0-0-1", "ip-10-0-0-2",
        "web1",    "web10",     "web2",       "web3.lan",  "web4.lan",    "webmail",
    };
    assert_int_equal(host_groups(names, sizeof names / sizeof names[0], groups, GROUPS_MAX), 6);
    expect_group(0, "db-prod-[1-12]", "db-prod-*", 3);
    expect_group(1, "web[1-10]", "web*", 3);
    expect_group(2, "ip-10-0-0-[1-2]", "ip-10-0-0-*", 2);
    expect_group(3, "web[3-4].lan", "web*.lan", 2);
    expect_group(4, "bastion", "bastion", 1);
    expect_group(5, "webmail", "webmail", 1);
}

static void names_without_a_number_are_grouped_by_their_begin(void **state)
{
    (void)state;
    static const char *const names[] = {"db", "lab-a", "lab-a1", "lab-b", "lab_c", "lab-d"};
    assert_int_equal(host_groups(names, 6, groups, GROUPS_MAX), 4);
    expect_group(0, "lab-*", "lab-*", 3);
    expect_group(1, "db", "db", 1);
    expect_group(2, "lab-a1", "lab-a1", 1);
    expect_group(3, "lab_c", "lab_c", 1);
}

static void odd_names_are_names(void **state)
{
    (void)state;
    char longest[1001];
    memset(longest, '7', sizeof longest - 1);
    longest[1000] = '\0';
    const char *const names[] = {"", "1", "2", ".", "-", "10.0.0.1", "10.0.0.2", longest};
    assert_true(host_groups(names, 8, groups, GROUPS_MAX) > 0);
    expect_group(0, "[1-2]", "*", 2);
    assert_int_equal(host_groups(names, 0, groups, GROUPS_MAX), 0);
}

static void only_the_largest_are_told(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static char text[COUNT][16];
    static const char *names[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof text[i], "%c%c%zu", (char)('a' + i % 26), (char)('a' + i % 25), i);
        names[i] = text[i];
    }
    memset(groups, 0, sizeof groups);
    assert_int_equal(host_groups(names, COUNT, groups, 3), 650);
    assert_true(groups[0].count >= groups[1].count && groups[1].count >= groups[2].count);
    assert_int_equal(groups[3].count, 0);
}

/* Whoever asks for what the summary said gets what it was said of. */
static void a_name_of_a_group_has_its_hosts(void **state)
{
    static const struct {
        const char *group, *in[3], *out[4];
    } cases[] = {
        {"web[1-40]", {"web1", "web040", "WEB40"}, {"web0", "web41", "web1x", "web1.lan"}},
        {"db-[1-12].lan", {"db-1.lan", "db-7.lan"}, {"db-1", "db-13.lan", "db1.lan", "db-.lan"}},
        {"x[1-2]n[3-4]", {"x[1-2]n3"}, {"x1n3", "x[1-2]n5"}},
        {"[1-2]", {"1", "2"}, {"3", "", "a"}},
        {"web*", {NULL}, {"web1", "web*"}},
        {"web[1-]", {NULL}, {"web1"}},
        {"web[1-40", {NULL}, {"web1"}},
        {"web[1-40]*", {NULL}, {"web1", "web1a"}},
        {"web[1111111111111111111-2222222222222222222]", {NULL}, {"web1111111111111111111"}},
        {"", {NULL}, {"", "1"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t k = 0; k < 3 && cases[i].in[k]; k++)
            if (!host_group_has(slice_str(cases[i].group), cases[i].in[k]))
                fail_msg("%s has not %s", cases[i].group, cases[i].in[k]);
        for (size_t k = 0; k < 4 && cases[i].out[k]; k++)
            if (host_group_has(slice_str(cases[i].group), cases[i].out[k]))
                fail_msg("%s has %s", cases[i].group, cases[i].out[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_differ_in_a_number_are_a_group),
        cmocka_unit_test(names_without_a_number_are_grouped_by_their_begin),
        cmocka_unit_test(odd_names_are_names),
        cmocka_unit_test(only_the_largest_are_told),
        cmocka_unit_test(a_name_of_a_group_has_its_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
