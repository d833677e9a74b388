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
    int error = settings_load(s, path, true, "/home/me", why);
    policy_free(s->policy); /* has a test of its own */
    return error;
}

static void test_defaults(void **state)
{
    struct settings s;
    struct failure why;
    (void)state;
    assert_int_equal(settings_load(&s, "/nonexistent/scoutd.conf", false, "/h", &why), 0);
    policy_free(s.policy);
    assert_int_equal(s.max_file_size, 1048576);
    assert_int_equal(s.max_connections, 100);
    assert_int_equal(s.call_timeout_ns, 30000000000);
    assert_int_equal(s.connect_timeout_ns, 10000000000);
    assert_int_equal(s.idle_timeout_ns, 60000000000);
    assert_int_equal(s.max_requests, 1024);
    assert_int_equal(s.max_queue, 4096);
    assert_int_equal(s.resource_hosts, 20);
    assert_int_equal(s.watch_interval_ns, 2000000000);
    assert_int_equal(s.ping_interval_ns, 15000000000);
    assert_int_equal(s.ping_timeout_ns, 10000000000);
    assert_string_equal(s.agent, SETTINGS_AGENT_AUTO);
    assert_string_equal(s.known_hosts, "");
    assert_int_equal(s.log_level, LOG_INFO);
    assert_int_equal(s.command_timeout_ns, 30000000000);
    assert_int_equal(s.role, ROLE_READER);
    assert_int_equal(s.slow_threshold_ns, 1000000000);
    assert_true(s.strict);
    assert_string_equal(s.allow_hosts, "");
    assert_string_equal(s.block_hosts, "");
    assert_int_equal(s.socket_count, 0);
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
                          "command_timeout = 4\nrole = operator\n"
                          "detach_after = 0.5\njob_timeout = 7\n"
                          "slow_threshold = 0.25\nstrict_host_key_checking = false\n"
                          "match_exec = yes\n"
                          "resource_hosts = 13\nwatch_interval = 0.5\n"
                          "enable_ui = yes\ntool_sets = \" Files, scout\"\n"
                          "allow_hosts = \"web*, db1\"\nblock_hosts = \"x[0-9]\"\n"
                          "socket \"a\" { role = operator }\nsocket \"b\" {}\n",
                          &s, &why),
                     0);
    assert_int_equal(s.max_file_size, 10);
    assert_int_equal(s.max_connections, 7);
    assert_int_equal(s.call_timeout_ns, 1500000000);
    assert_int_equal(s.connect_timeout_ns, 2000000000);
    assert_int_equal(s.idle_timeout_ns, 500000000);
    assert_int_equal(s.max_requests, 11);
    assert_int_equal(s.max_queue, 12);
    assert_int_equal(s.resource_hosts, 13);
    assert_int_equal(s.watch_interval_ns, 500000000);
    assert_int_equal(s.ping_interval_ns, 3000000000);
    assert_int_equal(s.ping_timeout_ns, 250000000);
    assert_string_equal(s.agent, "/home/me/agent");
    assert_string_equal(s.known_hosts, "/home/me/kh");
    assert_int_equal(s.log_level, LOG_DEBUG);
    assert_int_equal(s.command_timeout_ns, 4000000000);
    assert_int_equal(s.detach_after_ns, 500000000);
    assert_int_equal(s.job_timeout_ns, 7000000000);
    assert_int_equal(s.role, ROLE_OPERATOR);
    assert_int_equal(s.slow_threshold_ns, 250000000);
    assert_false(s.strict);
    assert_int_equal(s.match_exec, SETTINGS_YES);
    assert_true(s.enable_ui);
    assert_int_equal(s.tool_sets, 3);
    assert_string_equal(s.allow_hosts, "web*, db1");
    assert_string_equal(s.block_hosts, "x[0-9]");
    assert_int_equal(s.socket_count, 2);
    assert_string_equal(s.sockets[0].name, "a");
    assert_int_equal(s.sockets[0].role, ROLE_OPERATOR);
    assert_string_equal(s.sockets[1].name, "b");
    assert_int_equal(s.sockets[1].role, ROLE_READER);
}

static void test_agent(void **state)
{
    struct settings s;
    struct failure why;
    (void)state;
    assert_int_equal(load("agent = none\n", &s, &why), 0);
    assert_string_equal(s.agent, SETTINGS_NONE);
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
        {"tool_sets = \"scout, all\"\n", ":1:", "some of scout, files"},
        {"tool_sets = \"\"\n", ":1:", "tool_sets"},
        {"tool_sets = \"files,\"\n", ":1:", "tool_sets"},
        {"enable_ui = maybe\n", ":1:", "enable_ui must be true or false, not 'maybe'"},
        {"strict_host_key_checking = no\n", ":1:", "must be true or false, not 'no'"},
        {"role = admin\n", ":1:", "role must be one of reader, operator"},
        {"known_hosts = \"relative\"\n", ":1:", "known_hosts"},
        {"agent = \"relative\"\n", ":1:", "agent must be auto, none"},
        {"max_requests = 0\n", ":1:", "max_requests must be from 1"},
        {"max_queue = 100001\n", ":1:", "max_queue must be from 1"},
        {"ping_interval = -1\n", ":1:", "ping_interval must be from 0"},
        {"\nping_timeout = 0\n", ":2:", "ping_timeout must be from 0.1"},
        {"idle_timeout = -0.1\n", ":1:", "idle_timeout must be from 0"},
        {"max_file_size = 1.5\n", ":1:", "not '1.5'"},
        {"max_file_size = 0x10\n", ":1:", "not '0x10'"},
        {"\nslow_threshold = 90000\n", ":2:", "slow_threshold must be from 0 to 86400 seconds"},
        {"strict_host_key_checking = maybe\n", ":1:", "must be true or false"},
        {"socket \"a b\" {}\n", ":1:", "name of a socket"},
        {"socket \"a\" {\nrole = root\n}\n", ":2:", "role must be one of reader, operator"},
        {"socket \"a\" {\n\ncolour = red }\n", ":3:", "colour"},
        {"socket \"a\" {}\nsocket \"a\" {}\n", ":2:", "duplicate title"},
        {"max_file_size = 7\n\nmax_file_size = 7\n", ":3:", "max_file_size is given twice"},
        {"role = reader\nsocket \"a\" {}\nrole = operator\n", ":3:", "role is given twice"},
        {"socket \"a\" {\nrole = reader\nrole = operator\n}\n", ":3:", "role is given twice"},
        {"client_certificate \"a\" {\nrole = reader\nmatch = {\"dns:x\"}\nrole = reader }\n",
         ":4:", "role is given twice"},
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

/* ---- variables ---- */

static const char *const *variables; /* name, value, ..., NULL */

static const char *variable(const char *name, void *context)
{
    (void)context;
    for (const char *const *v = variables; *v; v += 2)
        if (strcmp(*v, name) == 0)
            return v[1];
    return NULL;
}

static void take(const char *const *pairs, const char *file, struct settings *s,
                 struct settings_warnings *warnings)
{
    struct failure why;
    variables = pairs;
    assert_int_equal(load(file, s, &why), 0);
    settings_environment(s, variable, NULL, "/home/me", warnings);
}

static void test_every_variable(void **state)
{
    static const char *const pairs[] = {"SCOUT_MAX_FILE_SIZE",
                                        "10",
                                        "SCOUT_MAX_POOL_SIZE",
                                        "7",
                                        "SCOUT_COMMAND_TIMEOUT",
                                        "4",
                                        "SCOUT_IDLE_TIMEOUT",
                                        "0.5",
                                        "SCOUT_SLOW_THRESHOLD_MS",
                                        "250.5",
                                        "SCOUT_KNOWN_HOSTS",
                                        "~/kh",
                                        "SCOUT_STRICT_HOST_KEY_CHECKING",
                                        "False",
                                        "SCOUT_ALLOWLIST",
                                        "web*, db1",
                                        "SCOUT_BLOCKLIST",
                                        "x*",
                                        "SCOUT_ROLE",
                                        "operator",
                                        "SCOUT_LOG_LEVEL",
                                        "WARNING",
                                        NULL};
    struct settings s;
    struct settings_warnings w;
    (void)state;
    take(pairs, "max_file_size = 5\nrole = reader\n", &s, &w);
    assert_int_equal(w.count, 0);
    assert_int_equal(s.max_file_size, 10);
    assert_int_equal(s.max_connections, 7);
    assert_int_equal(s.command_timeout_ns, 4000000000);
    assert_int_equal(s.idle_timeout_ns, 500000000);
    assert_int_equal(s.slow_threshold_ns, 250500000);
    assert_string_equal(s.known_hosts, "/home/me/kh");
    assert_false(s.strict);
    assert_string_equal(s.allow_hosts, "web*, db1");
    assert_string_equal(s.block_hosts, "x*");
    assert_int_equal(s.role, ROLE_OPERATOR);
    assert_int_equal(s.log_level, LOG_WARN);
}

/* C.6-63: the legacy names, and who wins. */
static void test_legacy_variables(void **state)
{
    static const char *const old[] = {"MCP_CAT_MAX_FILE_SIZE",
                                      "11",
                                      "MCP_CAT_COMMAND_TIMEOUT",
                                      "5",
                                      "MCP_CAT_IDLE_TIMEOUT",
                                      "6",
                                      NULL};
    static const char *const both[] = {"MCP_CAT_MAX_FILE_SIZE",
                                       "11",
                                       "SCOUT_MAX_FILE_SIZE",
                                       "12",
                                       "SCOUT_IDLE_TIMEOUT",
                                       "",
                                       "MCP_CAT_IDLE_TIMEOUT",
                                       "6",
                                       NULL};
    struct settings s;
    struct settings_warnings w;
    (void)state;
    take(old, "", &s, &w);
    assert_int_equal(s.max_file_size, 11);
    assert_int_equal(s.command_timeout_ns, 5000000000);
    assert_int_equal(s.idle_timeout_ns, 6000000000);
    take(both, "", &s, &w);
    assert_int_equal(s.max_file_size, 12);
    assert_int_equal(s.idle_timeout_ns, 6000000000); /* an empty one counts as not set */
    assert_int_equal(w.count, 0);
}

static void test_wrong_variables(void **state)
{
    static const char *const pairs[] = {"SCOUT_MAX_FILE_SIZE",
                                        "many",
                                        "MCP_CAT_MAX_FILE_SIZE",
                                        "11",
                                        "SCOUT_MAX_POOL_SIZE",
                                        "0",
                                        "SCOUT_IDLE_TIMEOUT",
                                        "-1",
                                        "SCOUT_SLOW_THRESHOLD_MS",
                                        "1s",
                                        "SCOUT_ROLE",
                                        "root",
                                        "SCOUT_STRICT_HOST_KEY_CHECKING",
                                        "no",
                                        "SCOUT_KNOWN_HOSTS",
                                        "relative",
                                        NULL};
    struct settings s;
    struct settings_warnings w;
    (void)state;
    take(pairs, "idle_timeout = 9\n", &s, &w);
    assert_int_equal(w.count, 7);
    assert_string_equal(w.text[0], "SCOUT_MAX_FILE_SIZE must be from 1 to 16777216, not 'many': it "
                                   "is passed over");
    assert_int_equal(s.max_file_size, 1048576);
    assert_int_equal(s.max_connections, 100);
    assert_int_equal(s.idle_timeout_ns, 9000000000);
    assert_int_equal(s.slow_threshold_ns, 1000000000);
    assert_int_equal(s.role, ROLE_READER);
    assert_true(s.strict);
    assert_string_equal(s.known_hosts, "");
}

static void test_known_hosts_none(void **state)
{
    static const char *const pairs[] = {"SCOUT_KNOWN_HOSTS", "NONE", NULL};
    struct settings s;
    struct settings_warnings w;
    struct failure why;
    (void)state;
    take(pairs, "", &s, &w);
    assert_string_equal(s.known_hosts, SETTINGS_NONE);
    assert_int_equal(load("known_hosts = None\n", &s, &why), 0);
    assert_string_equal(s.known_hosts, SETTINGS_NONE);
}

static void test_description(void **state)
{
    static const char *const pairs[] = {"SCOUT_SLOW_THRESHOLD_MS", "1500", NULL};
    static const char *const lines[] = {
        "max_file_size = 10 # /f:2",
        "call_timeout = 30 # default",
        "slow_threshold = 1.5 # SCOUT_SLOW_THRESHOLD_MS",
        "agent = \"auto\" # default",
        "strict_host_key_checking = true # default",
        "role = operator # /f:1",
    };
    struct settings s;
    struct settings_warnings w;
    (void)state;
    take(pairs, "role = operator\nmax_file_size = 10\n", &s, &w);
    size_t found = 0;
    for (size_t i = 0; i < SETTINGS_KEY_COUNT; i++) {
        char line[SETTINGS_HOSTS_MAX * 2];
        settings_describe(&s, i, "/f", line, sizeof line);
        for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++)
            found += strcmp(line, lines[k]) == 0;
    }
    assert_int_equal(found, sizeof lines / sizeof lines[0]);
}

static void test_fixed(void **state)
{
    struct settings a, b;
    struct failure why;
    (void)state;
    assert_int_equal(load("max_queue = 5\n", &a, &why), 0);
    assert_int_equal(load("max_queue = 5\nrole = operator\nmax_file_size = 3\n", &b, &why), 0);
    assert_null(settings_fixed_difference(&a, &b));
    assert_int_equal(load("max_queue = 6\n", &b, &why), 0);
    assert_string_equal(settings_fixed_difference(&a, &b), "max_queue");
    assert_int_equal(load("max_queue = 5\nknown_hosts = \"/k\"\n", &b, &why), 0);
    assert_string_equal(settings_fixed_difference(&a, &b), "known_hosts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_least_values),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_every_variable),
        cmocka_unit_test(test_legacy_variables),
        cmocka_unit_test(test_wrong_variables),
        cmocka_unit_test(test_known_hosts_none),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_fixed),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
