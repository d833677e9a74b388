/* Which texts are templates that the lists have. */
#include "../../../src/resources/resource_template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define HOST TEMPLATE_BIT(TEMPLATE_HOST)

static void expect(const char *uri, const char *host, bool is_scheme, uint32_t variables)
{
    struct resource_template t;
    if (!resource_template_parse(uri, &t))
        fail_msg("%s is none", uri);
    assert_string_equal(t.host, host);
    assert_int_equal(t.is_scheme, is_scheme);
    assert_int_equal(t.variables, variables);
}

static void those_of_the_lists(void **state)
{
    (void)state;
    expect("scout://{host}/{path*}", "", false, HOST | TEMPLATE_BIT(TEMPLATE_PATH));
    expect("scout://a_b/{path*}", "a_b", false, TEMPLATE_BIT(TEMPLATE_PATH));
    expect("scout://a%20b/{path*}", "a b", false, TEMPLATE_BIT(TEMPLATE_PATH));
    expect("{host}://{path*}", "", true, HOST | TEMPLATE_BIT(TEMPLATE_PATH));
    expect("{host}://docker", "", true, HOST);
    expect("{host}://zfs/{pool}/datasets", "", true, HOST | TEMPLATE_BIT(TEMPLATE_POOL));
    expect("t1://{path*}", "t1", true, TEMPLATE_BIT(TEMPLATE_PATH));
    expect("t1://docker/{container}/logs", "t1", true, TEMPLATE_BIT(TEMPLATE_CONTAINER));
    expect("t1://compose/{project}", "t1", true, TEMPLATE_BIT(TEMPLATE_PROJECT));
}

static void others_are_none(void **state)
{
    static const char *const texts[] = {"",
                                        "scout",
                                        "://",
                                        "scout://",
                                        "scout://{path*}",
                                        "scout://{host}/{path}",
                                        "scout://{host}/x/{path*}",
                                        "scout://%/{path*}",
                                        "scout:///{path*}",
                                        "scout://{other}/{path*}",
                                        "t1://docker",
                                        "t1://docker/{x}/logs",
                                        "t1://{path}",
                                        "a_b://{path*}",
                                        "hosts://list",
                                        "hosts://{path*}",
                                        "{host}://nope",
                                        "{host}:/{path*}",
                                        "{host}{host}://{path*}",
                                        "\xFF://{path*}"};
    static char longer[2000];
    struct resource_template t;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (resource_template_parse(texts[i], &t))
            fail_msg("%s is taken", texts[i]);
    memset(longer, 'h', sizeof longer - 1);
    memcpy(longer + 1000, "://{path*}", 11);
    assert_false(resource_template_parse(longer, &t));
    memset(longer, 'h', sizeof longer - 1);
    memcpy(longer, "scout://", 8);
    memcpy(longer + 1500, "/{path*}", 9);
    assert_false(resource_template_parse(longer, &t));
}

static void names_of_variables(void **state)
{
    (void)state;
    assert_int_equal(template_variable_of("host"), TEMPLATE_HOST);
    assert_int_equal(template_variable_of("path"), TEMPLATE_PATH);
    assert_int_equal(template_variable_of("path*"), TEMPLATE_PATH);
    assert_int_equal(template_variable_of("pool"), TEMPLATE_POOL);
    assert_int_equal(template_variable_of("{host}"), -1);
    assert_int_equal(template_variable_of(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_the_lists),
        cmocka_unit_test(others_are_none),
        cmocka_unit_test(names_of_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
