/* Which hosts are known: all of the configuration, or those that the patterns leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scout/fleet/fleet.h"

static const char text[] = "Host db1 hidden\nHost test1 test2\n  User me\nHost x* web\n";
static const char cases[] = "Host Web web1 WEB1 db Db\n";

static int read_text(void *context, const char *pattern,
                     int (*take)(void *, const char *path, struct slice text), void *take_context)
{
    (void)context;
    return take(take_context, pattern, slice_str(strcmp(pattern, "/c") == 0 ? text : cases));
}

static struct fleet *make_from(const char *path, const char *allow, const char *block)
{
    const struct ssh_config_env env = {
        .home = "/h", .user = "u", .dir = "/h/.ssh", .read = read_text};
    struct ssh_config *config;
    struct failure why;
    struct fleet *f;
    assert_int_equal(ssh_config_load(&config, path, NULL, &env, &why), 0);
    assert_int_equal(fleet_new(&f, NULL, NULL, NULL, config), 0);
    assert_int_equal(fleet_limit(f, allow, block), 0);
    return f;
}

static struct fleet *make(const char *allow, const char *block)
{
    return make_from("/c", allow, block);
}

/* The names that are left, with blanks between them. */
static void check(const char *allow, const char *block, const char *expected)
{
    struct fleet *f = make(allow, block);
    const char *const *names;
    char all[200] = "";
    size_t count = fleet_names(f, &names);
    for (size_t i = 0; i < count; i++) {
        strcat(all, i ? " " : "");
        strcat(all, names[i]);
    }
    assert_string_equal(all, expected);
    fleet_free(f);
}

static void test_without_limits(void **state)
{
    (void)state;
    check("", "", "db1 hidden test1 test2 web");
}

static void test_allowed(void **state)
{
    (void)state;
    check("t*", "", "test1 test2");
    check("web", "", "web");
    check(" test[12] ,\tdb?,,", "", "db1 test1 test2");
    check("nobody", "", "");
    check("T*", "", "");
}

static void test_blocked(void **state)
{
    (void)state;
    check("", "hid", "db1 hidden test1 test2 web");
    check("", "hid*", "db1 test1 test2 web");
    check("", "hidden,test2,db*", "test1 web");
    check(" , ", "web", "db1 hidden test1 test2");
    check("", "*", "");
}

static void test_allowed_wins(void **state) /* C.6-62 */
{
    (void)state;
    check("t*,hidden", "hid*,test1", "hidden test1 test2");
}

static void test_who_is_left_out_is_unknown(void **state)
{
    struct fleet *f = make("", "test1");
    const struct ssh_host *host;
    struct failure why;
    (void)state;
    assert_int_equal(fleet_host(f, "test2", &host, &why), 0);
    assert_string_equal(host->user, "me");
    assert_int_equal(fleet_host(f, "test1", &host, &why), SCOUT_E_UNKNOWN_HOST);
    assert_null(strstr(why.text + strlen("Unknown host 'test1'"), "test1"));
    fleet_free(f);
}

static void test_names_in_another_case(void **state)
{
    struct fleet *f = make_from("/cases", "", "");
    (void)state;
    assert_string_equal(fleet_name(f, "Web"), "Web");
    assert_string_equal(fleet_name(f, "web"), "Web");
    assert_string_equal(fleet_name(f, "web1"), "web1");
    assert_string_equal(fleet_name(f, "WEB1"), "WEB1");
    assert_null(fleet_name(f, "Web1")); /* one of two */
    assert_string_equal(fleet_name(f, "Db"), "Db");
    assert_null(fleet_name(f, "DB"));
    assert_null(fleet_name(f, "other"));
    assert_null(fleet_name(f, ""));
    fleet_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_limits),
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_blocked),
        cmocka_unit_test(test_allowed_wins),
        cmocka_unit_test(test_who_is_left_out_is_unknown),
        cmocka_unit_test(test_names_in_another_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
