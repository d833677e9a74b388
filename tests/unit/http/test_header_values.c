/* What Host, Origin and Last-Event-ID say, and what says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scout/http/header_values.h"

static void assert_name(const char *host, const char *name)
{
    struct slice found = http_host_name(slice_str(host));
    if (found.len != strlen(name) || (found.len && memcmp(found.data, name, found.len) != 0))
        fail_msg("%s: %.*s instead of %s", host, (int)found.len, (const char *)found.data, name);
}

static void the_name_of_a_host(void **state)
{
    (void)state;
    assert_name("localhost", "localhost");
    assert_name("localhost:8000", "localhost");
    assert_name("localhost:", "localhost");
    assert_name("127.0.0.1:1", "127.0.0.1");
    assert_name("[::1]", "::1");
    assert_name("[::1]:8000", "::1");
}

/* Whatever follows a name that is ours would otherwise be overlooked. */
static void what_is_no_host_has_no_name(void **state)
{
    static const char *const wrong[] = {
        "",          "[",         "[::1",           "[]",
        "[::1]evil", "[::1]]",    "localhost:evil", "localhost:80:80",
        "::1",       "[::1].com", "localhost:80/",  ":80"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_name(wrong[i], "");
}

static void the_origin_of_this_server(void **state)
{
    const struct slice host = slice_str("localhost:8000");
    (void)state;
    assert_true(http_origin_is(slice_str("http://localhost:8000"), host));
    assert_true(http_origin_is(slice_str("https://localhost:8000"), host));
    assert_true(http_origin_is(slice_str("http://LocalHost:8000"), host));
    assert_false(http_origin_is(slice_str("http://localhost"), host));
    assert_false(http_origin_is(slice_str("http://localhost:800"), host));
    assert_false(http_origin_is(slice_str("http://localhost:8000.evil.example"), host));
    assert_false(http_origin_is(slice_str("http://evil.example@localhost:8000"), host));
    assert_false(http_origin_is(slice_str("ftp://localhost:8000"), host));
    assert_false(http_origin_is(slice_str("null"), host));
    assert_false(http_origin_is(slice_str("http://"), slice_str("")));
}

static void ids_of_events(void **state)
{
    static const char *const wrong[] = {"",    "-",     "1",    "1-",
                                        "-1",  "1-2-3", "a-1",  "1-a",
                                        "1 -", "+1-2",  "1--2", "12345678901234567890-1"};
    uint64_t stream = 7, number = 8;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(http_event_id_parse(slice_str(wrong[i]), &stream, &number));
    assert_int_equal(stream, 7);
    assert_int_equal(number, 8);
    assert_true(http_event_id_parse(slice_str("12-0"), &stream, &number));
    assert_int_equal(stream, 12);
    assert_int_equal(number, 0);
    assert_true(http_event_id_parse(slice_str("9999999999999999999-9999999999999999999"), &stream,
                                    &number));
    assert_true(stream == 9999999999999999999u && number == stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_of_a_host),
        cmocka_unit_test(what_is_no_host_has_no_name),
        cmocka_unit_test(the_origin_of_this_server),
        cmocka_unit_test(ids_of_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
