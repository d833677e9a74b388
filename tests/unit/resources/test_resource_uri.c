/* What URIs name, and what is refused. */
#include "scout/resources/resource_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

static void expect_path(const char *uri, const char *host, const char *path)
{
    struct resource_uri u;
    struct failure why;
    if (resource_uri_parse(slice_str(uri), &u, &why) != 0)
        fail_msg("%s: %s", uri, why.text);
    assert_int_equal(u.kind, RESOURCE_PATH);
    assert_string_equal(u.target.host, host);
    assert_string_equal(u.target.path, path);
    assert_string_equal(u.name, "");
}

static void expect_kind(const char *uri, enum resource_kind kind, const char *name)
{
    struct resource_uri u;
    struct failure why;
    if (resource_uri_parse(slice_str(uri), &u, &why) != 0)
        fail_msg("%s: %s", uri, why.text);
    assert_int_equal(u.kind, kind);
    assert_string_equal(u.target.host, "nas");
    assert_string_equal(u.name, name);
}

static void expect_refused(const char *uri, int error, const char *text)
{
    struct resource_uri u;
    struct failure why;
    if (resource_uri_parse(slice_str(uri), &u, &why) != error)
        fail_msg("%s is taken", uri);
    assert_int_equal(why.error, error);
    if (!strstr(why.text, text))
        fail_msg("%s: %s", uri, why.text);
}

static void expect_invalid(const char *uri, const char *text)
{
    expect_refused(uri, SCOUT_E_INVALID_ARGUMENT, text);
}

static void both_forms_name_a_path(void **state)
{
    (void)state;
    expect_path("scout://t1/etc/hostname", "t1", "/etc/hostname");
    expect_path("t1://etc/hostname", "t1", "/etc/hostname");
    expect_path("T1://etc", "T1", "/etc");
    expect_path("SCOUT://Web.example.org/a", "Web.example.org", "/a");
    expect_path("a+b-c.d://x", "a+b-c.d", "/x");
    expect_path("scout://t1//etc//hosts/", "t1", "/etc/hosts");
    expect_path("t1:///etc/hosts", "t1", "/etc/hosts");
    expect_path("t1://./a/./b", "t1", "/a/b");
    expect_path("t1://a:b", "t1", "/a:b");
    for (int i = 0; i < 4; i++) {
        static const char *const roots[] = {"scout://t1", "scout://t1/", "t1://", "t1:///"};
        expect_path(roots[i], "t1", "/");
    }
    expect_path("scout://t1/~/x", "t1", "/~/x"); /* always from the root */
}

static void encoding_is_decoded_once(void **state)
{
    (void)state;
    expect_path("scout://my%5Fhost/a", "my_host", "/a");
    expect_path("scout://h%3Ax/a", "h:x", "/a");
    expect_path("t1://etc%2Fhostname", "t1", "/etc/hostname");
    expect_path("t1://%2Fetc", "t1", "/etc");
    expect_path("t1://a%20b%3f%23%25%7Bx%7D", "t1", "/a b?#%{x}");
    expect_path("t1://a%252Fb", "t1", "/a%2Fb");
    expect_path("t1://%252e%252e/b", "t1", "/%2e%2e/b");
    expect_path("t1://gr%C3%BCn/\xC3\xBC", "t1", "/gr\xC3\xBCn/\xC3\xBC");
    expect_path("t1://a%0Ab%20", "t1", "/a\nb ");
}

static void other_things_of_a_host(void **state)
{
    (void)state;
    expect_kind("nas://docker", RESOURCE_DOCKER, "");
    expect_kind("nas://docker/plex.1_a-B/logs", RESOURCE_DOCKER_LOGS, "plex.1_a-B");
    expect_kind("nas://docker/plex%2E1/logs", RESOURCE_DOCKER_LOGS, "plex.1");
    expect_kind("nas://compose", RESOURCE_COMPOSE, "");
    expect_kind("nas://compose/media", RESOURCE_COMPOSE_FILE, "media");
    expect_kind("nas://compose/_x/logs", RESOURCE_COMPOSE_LOGS, "_x");
    expect_kind("nas://zfs", RESOURCE_ZFS, "");
    expect_kind("nas://zfs/tank", RESOURCE_ZFS_POOL, "tank");
    expect_kind("nas://zfs/t:a.n_k-1/datasets", RESOURCE_ZFS_DATASETS, "t:a.n_k-1");
    expect_kind("nas://zfs/snapshots", RESOURCE_ZFS_SNAPSHOTS, "");
    expect_kind("nas://zfs/snapshots/datasets", RESOURCE_ZFS_DATASETS, "snapshots");
    expect_kind("nas://syslog", RESOURCE_SYSLOG, "");
}

static void what_is_not_quite_one_of_them_is_a_path(void **state)
{
    (void)state;
    expect_path("nas://docker/", "nas", "/docker");
    expect_path("nas://docker/plex", "nas", "/docker/plex");
    expect_path("nas://docker/a/b/logs", "nas", "/docker/a/b/logs");
    expect_path("nas://docker/a/logs/", "nas", "/docker/a/logs");
    expect_path("nas://Docker", "nas", "/Docker");
    expect_path("nas://zfs%2Ftank", "nas", "/zfs/tank");
    expect_path("nas:///zfs/tank", "nas", "/zfs/tank");
    expect_path("nas://syslog/x", "nas", "/syslog/x");
    expect_path("scout://nas/docker", "nas", "/docker");
    expect_path("scout://nas/zfs/tank", "nas", "/zfs/tank");
}

static void names_are_checked(void **state)
{
    (void)state;
    expect_invalid("nas://docker//logs", "Container name cannot be empty");
    expect_invalid("nas://docker/a%20b/logs", "Invalid container name: 'a b'");
    expect_invalid("nas://docker/a;id/logs", "Invalid container name: 'a;id'");
    expect_invalid("nas://docker/-f/logs", "Invalid container name: '-f'");
    expect_invalid("nas://docker/../logs", "Invalid container name: '..'");
    expect_invalid("nas://docker/a%2Fb/logs", "Invalid container name: 'a/b'");
    expect_invalid("nas://docker/a%00/logs", "Invalid container name: 'a\\x00'");
    expect_invalid("nas://compose/a.b", "Invalid project name: 'a.b'");
    expect_invalid("nas://compose/", "Project name cannot be empty");
    expect_invalid("nas://compose//logs", "Project name cannot be empty");
    expect_invalid("nas://compose/$(id)/logs", "Invalid project name: '$(id)'");
    expect_invalid("nas://zfs/1tank", "Invalid pool name: '1tank'");
    expect_invalid("nas://zfs/-v", "Invalid pool name: '-v'");
    expect_invalid("nas://zfs/a%0Ab/datasets", "Invalid pool name: 'a\\nb'");
    expect_invalid("nas://zfs/", "Pool name cannot be empty");
}

static void hostile_uris_are_refused(void **state)
{
    (void)state;
    expect_invalid("", "Invalid URI, expected");
    expect_invalid("etc/hostname", "Invalid URI, expected");
    expect_invalid("t1:/etc", "Invalid URI, expected");
    expect_invalid("t1:", "Invalid URI, expected");
    expect_invalid("://etc", "Invalid URI, expected");
    expect_invalid("1t://etc", "Invalid URI, expected");
    expect_invalid("a_b://etc", "Invalid URI, expected");
    expect_invalid("a%41://etc", "Invalid URI, expected");
    expect_invalid("scout:///etc", "Host cannot be empty");
    expect_invalid("scout://h%2Fx/etc", "Host contains invalid characters");
    expect_invalid("scout://h%0A/etc", "Host contains invalid characters");
    expect_invalid("scout://h;id/etc", "Host contains invalid characters");
    expect_invalid("t1://../etc", "Path traversal not allowed: /../etc");
    expect_invalid("t1://a/%2e%2e/b", "Path traversal not allowed: /a/../b");
    expect_invalid("t1://a%2F..%2Fb", "Path traversal not allowed: /a/../b");
    expect_invalid("scout://t1/..", "Path traversal not allowed");
    expect_invalid("scout://t1/a%00b", "Path contains null byte");
    expect_invalid("t1://a%", "'%' needs two hexadecimal digits");
    expect_invalid("t1://a%4", "'%' needs two hexadecimal digits");
    expect_invalid("t1://a%g0", "'%' needs two hexadecimal digits");
    expect_invalid("t1://a?b", "have to be percent-encoded");
    expect_invalid("t1://a#b", "have to be percent-encoded");
    expect_invalid("t1://{path*}", "have to be percent-encoded");
    expect_invalid("scout://{host}/x", "have to be percent-encoded");
    expect_invalid("t1://docker/{container}/logs", "have to be percent-encoded");
    expect_invalid("t1://a b", "have to be percent-encoded");
    expect_invalid("t1://a\nb", "have to be percent-encoded");
    expect_invalid("t1://a%FFb", "not UTF-8");
    expect_invalid("t1://a%C0%AE%C0%AE/b", "not UTF-8"); /* an overlong `..` */
    expect_refused("hosts://other", SCOUT_E_NOT_FOUND, "Unknown resource: 'hosts://other'");
    expect_refused("ui://scout/x", SCOUT_E_NOT_FOUND, "Unknown resource");
    expect_refused("hosts://list/", SCOUT_E_NOT_FOUND, "Unknown resource");
}

static void lengths_are_bounded(void **state)
{
    struct resource_uri u;
    struct failure why;
    static char text[RESOURCE_URI_MAX + 16];
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "t1://", 5);
    assert_int_equal(resource_uri_parse(slice_of(text, 5 + TARGET_PATH_MAX - 1), &u, &why), 0);
    assert_int_equal(strlen(u.target.path), TARGET_PATH_MAX);
    assert_int_equal(resource_uri_parse(slice_of(text, 5 + TARGET_PATH_MAX), &u, &why),
                     SCOUT_E_INVALID_ARGUMENT);
    assert_int_equal(resource_uri_parse(slice_of(text, RESOURCE_URI_MAX + 1), &u, &why),
                     SCOUT_E_INVALID_ARGUMENT);
    memcpy(text, "t1://docker/", 12);
    memcpy(text + 12 + RESOURCE_NAME_MAX, "/logs", 5);
    assert_int_equal(resource_uri_parse(slice_of(text, 17 + RESOURCE_NAME_MAX), &u, &why), 0);
    assert_int_equal(strlen(u.name), RESOURCE_NAME_MAX);
    memcpy(text + 12 + RESOURCE_NAME_MAX, "x/logs", 6);
    assert_int_equal(resource_uri_parse(slice_of(text, 18 + RESOURCE_NAME_MAX), &u, &why),
                     SCOUT_E_INVALID_ARGUMENT);
}

static void hosts_list(void **state)
{
    struct resource_uri u;
    struct failure why;
    (void)state;
    assert_int_equal(resource_uri_parse(slice_str("hosts://list"), &u, &why), 0);
    assert_int_equal(u.kind, RESOURCE_HOSTS);
    assert_int_equal(resource_uri_parse(slice_str("Hosts://list"), &u, &why), 0);
    assert_int_equal(u.kind, RESOURCE_HOSTS);
}

static void which_names_are_schemes(void **state)
{
    static const char *const are[] = {"t1", "Web", "a+b-c.d", "scouts"};
    static const char *const are_not[] = {"", "1a", "a_b", "a:b", "scout", "Hosts", "ui", "a b"};
    (void)state;
    for (size_t i = 0; i < sizeof are / sizeof are[0]; i++)
        assert_true(resource_uri_is_scheme(slice_str(are[i])));
    for (size_t i = 0; i < sizeof are_not / sizeof are_not[0]; i++)
        assert_false(resource_uri_is_scheme(slice_str(are_not[i])));
}

/* Whatever a path is: encoded, then parsed, it is itself. */
static void what_is_encoded_is_decoded(void **state)
{
    char path[256], uri[1024] = "scout://t1";
    size_t n = 0;
    (void)state;
    path[n++] = '/';
    for (int c = 1; c < 0x80; c++)
        if (c != '/')
            path[n++] = (char)c;
    memcpy(path + n, "/\xC3\xBC\xE2\x82\xAC", 7);
    assert_true(resource_uri_encode(slice_str(path), true, uri + 10, sizeof uri - 10));
    expect_path(uri, "t1", path);
    assert_false(resource_uri_encode(slice_str(path), true, uri, 100));
    assert_true(resource_uri_encode(slice_str("a/b c"), false, uri, sizeof uri));
    assert_string_equal(uri, "a%2Fb%20c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_name_a_path),
        cmocka_unit_test(encoding_is_decoded_once),
        cmocka_unit_test(other_things_of_a_host),
        cmocka_unit_test(what_is_not_quite_one_of_them_is_a_path),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(hostile_uris_are_refused),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(hosts_list),
        cmocka_unit_test(which_names_are_schemes),
        cmocka_unit_test(what_is_encoded_is_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
