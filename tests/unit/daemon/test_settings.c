/* The configuration file: every key changes its value, wrong ones are refused with file and line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../src/daemon/settings.h"

static char path[] = "/tmp/scoutd-settings-XXXXXX";

static int load(const char *text, struct settings *s, struct failure *why)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return settings_load(s, path, true, "/home/me", why);
}

static void test_defaults(void **state)
{
    struct settings s;
    struct failure why;
    (void)state;
    assert_int_equal(settings_load(&s, "/nonexistent/scoutd.conf", false, "/h", &why), 0);
    assert_int_equal(s.max_file_size, 1048576);
    assert_int_equal(s.max_connections, 100);
    assert_int_equal(s.call_timeout_ns, 30000000000);
    assert_int_equal(s.connect_timeout_ns, 10000000000);
    assert_int_equal(s.idle_timeout_ns, 60000000000);
    assert_int_equal(s.max_requests, 1024);
    assert_int_equal(s.max_queue, 4096);
    assert_int_equal(s.ping_interval_ns, 15000000000);
    assert_int_equal(s.ping_timeout_ns, 10000000000);
    assert_string_equal(s.agent, SETTINGS_AGENT_AUTO);
    assert_string_equal(s.known_hosts, "");
    assert_int_equal(s.log_level, LOG_INFO);
    assert_int_equal(s.command_timeout_ns, 30000000000);
    assert_int_equal(s.role, ROLE_READER);
    assert_true(settings_load(&s, "/nonexistent/scoutd.conf", true, "/h", &why) < 0);
    assert_non_null(strstr(why.text, "/nonexistent/scoutd.conf"));
}

static void test_every_key(void **state)
{
    struct settings s;
    struct failure why;
    (void)state;
    assert_int_equal(load("max_file_size = 10\nmax_connections = 7\ncall_timeout = 1.5\n"
                          "connect_timeout = 2\nidle_timeout = 0.5\n"
                          "max_requests = 11\nmax_queue = 12\nping_interval = 3\n"
                          "ping_timeout = 0.25\nagent = \"~/agent\"\n"
                          "known_hosts = \"~/kh\"\nlog_level = debug\n"
                          "command_timeout = 4\nrole = operator\n",
                          &s, &why),
                     0);
    assert_int_equal(s.max_file_size, 10);
    assert_int_equal(s.max_connections, 7);
    assert_int_equal(s.call_timeout_ns, 1500000000);
    assert_int_equal(s.connect_timeout_ns, 2000000000);
    assert_int_equal(s.idle_timeout_ns, 500000000);
    assert_int_equal(s.max_requests, 11);
    assert_int_equal(s.max_queue, 12);
    assert_int_equal(s.ping_interval_ns, 3000000000);
    assert_int_equal(s.ping_timeout_ns, 250000000);
    assert_string_equal(s.agent, "/home/me/agent");
    assert_string_equal(s.known_hosts, "/home/me/kh");
    assert_int_equal(s.log_level, LOG_DEBUG);
    assert_int_equal(s.command_timeout_ns, 4000000000);
    assert_int_equal(s.role, ROLE_OPERATOR);
}

static void test_agent(void **state)
{
    struct settings s;
    struct failure why;
    (void)state;
    assert_int_equal(load("agent = none\n", &s, &why), 0);
    assert_string_equal(s.agent, "");
    assert_int_equal(load("agent = auto\n", &s, &why), 0);
    assert_string_equal(s.agent, SETTINGS_AGENT_AUTO);
    assert_int_equal(load("agent = \"/run/agent\"\n", &s, &why), 0);
    assert_string_equal(s.agent, "/run/agent");
}

/* An unused connection may be closed at once, and pings switched off. */
static void test_least_values(void **state)
{
    struct settings s;
    struct failure why;
    (void)state;
    assert_int_equal(load("idle_timeout = 0\nping_interval = 0\n", &s, &why), 0);
    assert_int_equal(s.idle_timeout_ns, 0);
    assert_int_equal(s.ping_interval_ns, 0);
    assert_int_equal(load("idle_timeout = 0.001\n", &s, &why), 0);
    assert_int_equal(s.idle_timeout_ns, 1000000);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text, *line, *what;
    } cases[] = {
        {"# a comment\nmax_file_sise = 10\n", ":2:", "max_file_sise"},
        {"max_file_size = 0\n", ":1:", "max_file_size must be from 1"},
        {"\n\nmax_connections = 100001\n", ":3:", "max_connections"},
        {"call_timeout = -1\n", ":1:", "call_timeout"},
        {"idle_timeout = nan\n", ":1:", "idle_timeout"},
        {"connect_timeout = soon\n", ":1:", "connect_timeout"},
        {"log_level = loud\n", ":1:", "log_level"},
        {"role = admin\n", ":1:", "role must be reader or operator"},
        {"known_hosts = \"relative\"\n", ":1:", "known_hosts"},
        {"agent = \"relative\"\n", ":1:", "agent must be auto, none"},
        {"max_requests = 0\n", ":1:", "max_requests must be from 1"},
        {"max_queue = 100001\n", ":1:", "max_queue must be from 1"},
        {"ping_interval = -1\n", ":1:", "ping_interval must be from 0"},
        {"\nping_timeout = 0\n", ":2:", "ping_timeout must be from 0.1"},
        {"idle_timeout = -0.1\n", ":1:", "idle_timeout must be from 0"},
        {"max_file_size = \"\n", ":", "premature end of file"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings s;
        struct failure why;
        assert_int_equal(load(cases[i].text, &s, &why), SCOUT_E_INVALID_ARGUMENT);
        assert_non_null(strstr(why.text, path));
        assert_non_null(strstr(why.text, cases[i].line));
        assert_non_null(strstr(why.text, cases[i].what));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_agent),    cmocka_unit_test(test_least_values),
        cmocka_unit_test(test_refusals),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
