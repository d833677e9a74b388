/* Policy in the configuration file: every key changes what is decided, wrong ones are refused with
 * file and line. */
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

static char path[] = "/tmp/scoutd-settings-policy-XXXXXX";

static int load(const char *text, struct settings *s, struct failure *why)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return settings_load(s, path, true, "/home/me", why);
}

/* What a configuration says of the request. */
static int ask(const char *text, struct policy_request request)
{
    static const struct identity reader = {.name = "uid:7"};
    struct settings s;
    struct failure why = {0};
    if (load(text, &s, &why) != 0)
        fail_msg("%s", why.text);
    request.identity = &reader;
    int error = policy_check(s.policy, &request, &why);
    policy_free(s.policy);
    return error;
}

static void every_key_changes_the_decision(void **state)
{
    const struct policy_request write = {
        .verb = POLICY_WRITE, .host = "web1", .path = slice_str("/srv/a")};
    const struct policy_request shadow = {
        .verb = POLICY_READ, .host = "web1", .path = slice_str("/etc/shadow")};
    const struct policy_request run = {
        .verb = POLICY_RUN, .host = "web1", .line = slice_str("uptime -p")};
    const struct policy_request read = {
        .verb = POLICY_READ, .host = "web1", .path = slice_str("/srv/a")};
    (void)state;
    assert_int_equal(ask("", write), SCOUT_E_POLICY);
    assert_int_equal(ask("", read), 0);
    assert_int_equal(ask("rule \"a\" { effect = allow }", write), 0);
    assert_int_equal(ask("rule \"a\" { effect = deny }", read), SCOUT_E_POLICY);
    assert_int_equal(ask("rule \"a\" { effect = confirm }", write), SCOUT_E_CONFIRMATION);
    assert_int_equal(ask("rule a { effect = allow verbs = {write, run} }", write), 0);
    assert_int_equal(ask("rule a { effect = allow verbs = {run} }", write), SCOUT_E_POLICY);
    assert_int_equal(ask("rule a { effect = allow hosts = {\"web*\"} }", write), 0);
    assert_int_equal(ask("rule a { effect = allow hosts = {\"*\", \"!web*\"} }", write),
                     SCOUT_E_POLICY);
    assert_int_equal(ask("rule a { effect = allow paths = {\"/srv/**\"} }", write), 0);
    assert_int_equal(ask("rule a { effect = allow paths = {\"/etc\"} }", write), SCOUT_E_POLICY);
    assert_int_equal(ask("rule a { effect = allow commands = {\"uptime *\"} }", run), 0);
    assert_int_equal(ask("rule a { effect = allow commands = {uptime} }", run), SCOUT_E_POLICY);
    assert_int_equal(ask("rule a { effect = allow identities = {\"uid:7\"} }", write), 0);
    assert_int_equal(ask("rule a { effect = allow identities = {\"uid:8\"} }", write),
                     SCOUT_E_POLICY);
    /* in their order */
    assert_int_equal(ask("rule a { effect = deny }\nrule b { effect = allow }", write),
                     SCOUT_E_POLICY);
    assert_int_equal(ask("rule b { effect = allow }\nrule a { effect = deny }", write), 0);

    assert_int_equal(ask("", shadow), SCOUT_E_POLICY);
    assert_int_equal(ask("read_deny = {}", shadow), 0);
    assert_int_equal(ask("read_deny = {\"/srv\"}", shadow), 0);
    assert_int_equal(ask("read_deny = {\"/srv\"}", read), SCOUT_E_POLICY);
    assert_int_equal(ask("read_deny = {default, \"/srv\"}", read), SCOUT_E_POLICY);
    assert_int_equal(ask("read_deny = {default, \"/srv\"}", shadow), SCOUT_E_POLICY);
    assert_int_equal(ask("read_deny = {\"/srv\", \"!/srv/a\"}", read), 0);
}

static void wrong_rules_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *text, *line, *what;
    } cases[] = {
        {"rule a { effect = maybe }", ":1:", "effect must be allow, deny or confirm"},
        {"rule a { effect = deny\n effect = allow }", ":2:", "effect is given twice"},
        {"# c\nrule a {\n  hosts = {x}\n}", ":4:", "effect is missing"},
        {"rule a { effect = deny\n verbs = {run,\n fly} }", ":3:", "not fly"},
        {"rule a { effect = allow\n paths = {} }", ":2:", "paths is empty"},
        {"rule a { effect = allow verbs = {} }", ":1:", "verbs is empty"},
        {"rule a { effect = deny\n paths = {\"srv\"}\n}", ":2:", "must begin with /"},
        {"rule a { effect = deny\n hosts = {\"!x\"}\n}", ":3:", "match nothing"},
        {"rule a { effect = deny\n commands = {\"\"}\n}", ":2:", "is empty"},
        {"rule a { effect = deny\n identities = {\"a b\"}\n}", ":2:", "blank"},
        {"rule a { effect = deny\n host = {x}\n}", ":2:", "no such option 'host'"},
        {"rule a { effect = deny verbs = {run}\n paths = {\"/x\"}\n}",
         ":3:", "rule \"a\": `paths`"},
        {"rule { effect = deny }", ":1:", "title"},
        {"rule \"\" { effect = deny }", ":1:", "name"},
        {"rule a { effect = deny }\nrule a { effect = allow }", ":2:", "duplicate title"},
        {"role = reader\nread_deny = {\"x\"}", ":2:", "must begin with /"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct settings s;
        struct failure why;
        if (load(cases[i].text, &s, &why) != SCOUT_E_INVALID_ARGUMENT || s.policy)
            fail_msg("%s", cases[i].text);
        if (!strstr(why.text, path) || !strstr(why.text, cases[i].line) ||
            !strstr(why.text, cases[i].what))
            fail_msg("%s: %s", cases[i].text, why.text);
    }
}

static void limits_are_kept(void **state)
{
    static char text[SETTINGS_FILE_MAX];
    struct settings s;
    struct failure why;
    size_t len = 0;
    (void)state;
    for (int i = 0; i <= POLICY_RULES_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "rule r%d { effect = deny }\n", i);
    assert_int_equal(load(text, &s, &why), SCOUT_E_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, ":257:"));
    assert_non_null(strstr(why.text, "more than 256 rules"));
    len = (size_t)snprintf(text, sizeof text, "rule a { effect = deny hosts = {a");
    for (int i = 0; i < POLICY_LIST_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, ", h%d", i);
    snprintf(text + len, sizeof text - len, "} }");
    assert_int_equal(load(text, &s, &why), SCOUT_E_INVALID_ARGUMENT);
    assert_non_null(strstr(why.text, "more than 64 patterns"));
}

static void describe(const char *text, char out[16384])
{
    struct settings s;
    struct failure why;
    struct buf described;
    if (load(text, &s, &why) != 0)
        fail_msg("%s: %s", text, why.text);
    buf_init(&described, 16383);
    assert_int_equal(policy_describe(s.policy, &described), 0);
    snprintf(out, 16384, "%.*s", (int)buf_len(&described), (const char *)buf_peek(&described).data);
    buf_fini(&described);
    policy_free(s.policy);
}

/* What is shown is a file that means the same. */
static void what_was_read_can_be_shown(void **state)
{
    static const char text[] =
        "rule 'a b' {\n    effect = deny\n    verbs = {read, run}\n    hosts = {'x*', '!xy'}\n"
        "    identities = {'uid:1'}\n}\n"
        "rule 'c' {\n    effect = confirm\n    paths = {'/srv/\\\\*', '/it\\'s/${HOME}'}\n}\n"
        "rule 'd' {\n    effect = allow\n    verbs = {run}\n    commands = {'a *', '\"b\"'}\n}\n";
    char first[16384], again[16384], expected[2048];
    (void)state;
    snprintf(expected, sizeof expected, "%sread_deny = {default}\n", text);
    describe(text, first);
    assert_string_equal(first, expected);
    snprintf(expected, sizeof expected, "%sread_deny = {'/a', '!/a/b'}\n", text);
    describe(expected, first);
    assert_string_equal(first, expected);
    describe("read_deny = {default, '/srv/x'}", first);
    assert_non_null(strstr(first, "'/etc/shadow*'"));
    assert_non_null(strstr(first, "'/srv/x'"));
    describe(first, again);
    assert_string_equal(first, again);
    describe("read_deny = {}", first);
    assert_string_equal(first, "read_deny = {}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_changes_the_decision),
        cmocka_unit_test(wrong_rules_are_refused_with_their_line),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(what_was_read_can_be_shown),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
