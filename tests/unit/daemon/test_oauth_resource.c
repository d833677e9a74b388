/* Which URLs may name this server and who gives tokens for it, and where that is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/daemon/oauth_resource.h"

static bool is_good(const char *resource, const char *servers)
{
    struct failure why;
    return oauth_resource_check(resource, servers, &why) == 0;
}

static void which_urls(void **state)
{
    static const char server[] = "https://a.example.org";
    static const char *const good[] = {
        "https://s.example.org",     "https://s.example.org/",    "https://s.example.org:8443/mcp",
        "https://[2001:db8::1]/mcp", "http://localhost:8000/mcp", "http://127.0.0.1/mcp",
        "http://[::1]:8000/mcp"};
    static const char *const wrong[] = {"",
                                        "s",
                                        "https://",
                                        "https:///mcp",
                                        "https://:80/",
                                        "http://s.example.org/mcp",
                                        "http://localhost.example.org",
                                        "http://127.0.0.10/",
                                        "http://localhost@example.org/",
                                        "https://u@s.example.org/",
                                        "https://s/?q",
                                        "https://s/#f",
                                        "https://s/ x",
                                        "https://s/\"",
                                        "https://s/\r\nX: y",
                                        "https://s/a,b",
                                        "ftp://s/",
                                        "HTTPS://s/"};
    char longest[OAUTH_RESOURCE_MAX + 2] = "https://s/";
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(is_good(good[i], server));
        assert_true(is_good("https://s/mcp", good[i]));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(is_good(wrong[i], server));
    for (size_t i = 1; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(is_good("https://s/mcp", wrong[i]));
    assert_true(is_good("https://s/mcp", "https://a, https://b,https://c/d"));
    assert_false(is_good("https://s/mcp", "https://a, b"));
    memset(longest + 10, 'x', sizeof longest - 11);
    assert_false(is_good(longest, server));
    longest[OAUTH_RESOURCE_MAX] = '\0';
    assert_true(is_good(longest, server));
    char url[OAUTH_URL_MAX];
    oauth_resource_url(longest, url);
    assert_int_equal(strlen(url), OAUTH_RESOURCE_MAX + strlen(OAUTH_RESOURCE_PATH));
}

static void where_it_is_told(void **state)
{
    static const char *const pairs[][2] = {
        {"https://s.example.org", "https://s.example.org" OAUTH_RESOURCE_PATH},
        {"https://s.example.org/", "https://s.example.org" OAUTH_RESOURCE_PATH},
        {"https://s.example.org:1/mcp", "https://s.example.org:1" OAUTH_RESOURCE_PATH "/mcp"},
        {"http://[::1]:8000/a/mcp", "http://[::1]:8000" OAUTH_RESOURCE_PATH "/a/mcp"},
    };
    char url[OAUTH_URL_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        oauth_resource_url(pairs[i][0], url);
        assert_string_equal(url, pairs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_urls),
        cmocka_unit_test(where_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
