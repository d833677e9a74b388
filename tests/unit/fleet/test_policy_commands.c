/* What policy says of commands: of lines for a shell, and of words. */
#include "policy_rig.h"

static struct policy *commands(enum policy_effect effect, const char *pattern)
{
    const struct policy_rule rule = {.name = "c", .effect = effect, .commands = ITEMS(pattern)};
    return policy_of(&rule, 1);
}

static void what_denies_commands_is_not_gone_around_by_writing(void **state)
{
    static const char *const denied[] = {
        "systemctl restart nginx", "systemctl restart", "/usr/bin/systemctl restart x",
        "./systemctl restart x", "systemctl\trestart x", " systemctl  restart x",
        "sys'temctl' restart x", "\"systemctl\" restart x", "system\\ctl restart x",
        "systemctl re\"sta\"rt x", "true; systemctl restart x", "true&&systemctl restart x",
        "ls|systemctl restart x", "(systemctl restart x)", "ls\nsystemctl restart x",
        "systemctl \\\nrestart x", "! systemctl restart x", "if systemctl restart x; then :; fi",
        "A=1 systemctl restart x", "A=1 B=2 sudo -u root systemctl restart x",
        "sudo systemctl restart x", "env -i A=b systemctl restart x", "nohup systemctl restart x &",
        "timeout 5 systemctl restart x", "echo x | xargs systemctl restart",
        "find / -name x -exec systemctl restart {} ;", "time systemctl restart x",
        ">/tmp/x systemctl restart x", "systemctl >/tmp/x restart x", "systemctl 2>&1 restart x",
        "systemctl &>/tmp/x restart x", "systemctl 2>/tmp/x restart y",
        "systemctl --no-block restart x", "systemctl -H h restart x", "systemctl -q --user restart",
        "sudo systemctl --no-block restart x", "systemctl -a -b c -d restart x",
        /* cannot be told */
        "$X restart x", "systemctl $X x", "`echo systemctl restart`", "$(echo systemctl restart)",
        "echo \"$(systemctl restart x)\"", "sh -c 'systemctl restart x'", "bash x.sh", ". x",
        "eval x", "s?stemctl restart x", "{systemctl,restart,x}", "sh <<X", "cat <(x)",
        "echo ${X:-`x`}", "echo '", "# '\nsystemctl restart x # '", "sudo bash", "ssh h x",
        "systemctl rest* x", "=systemctl restart x", "function f { systemctl restart x; }; f",
        "- systemctl restart x", "env -S 'systemctl restart x'", "env '-Ssystemctl\\_restart\\_x'",
        "watch 'systemctl restart x'", "flock /x -c 'systemctl restart x'", "sudo $X"};
    static const char *const open[] = {"systemctl status nginx",
                                       "systemctl",
                                       "echo systemctl restart x",
                                       "ls *.log",
                                       "echo $HOME",
                                       "grep -r 'systemctl restart' /etc",
                                       "cat systemctl",
                                       "ls; df -h | sort",
                                       "journalctl -u x 2>&1",
                                       "sudo systemctl status x",
                                       "find / -name 'systemctl' ; ls",
                                       "systemctl --user status restart.service",
                                       "systemctl status -l restart",
                                       "mysystemctl restart x"};
    struct policy *p = commands(POLICY_DENY, "systemctl restart *");
    struct policy *full = commands(POLICY_DENY, "/usr/bin/systemctl restart *");
    (void)state;
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++)
        if (ask_line(p, &operators, denied[i]) == 0 || ask_line(full, &operators, denied[i]) == 0)
            fail_msg("%s", denied[i]);
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        if (ask_line(p, &operators, open[i]) != 0)
            fail_msg("%s", open[i]);
    policy_free(p);
    policy_free(full);
}

/* The argv of a query has `--` before its operands; who writes the rule need not know. */
static void what_denies_a_query_sees_it_behind_its_dashes(void **state)
{
    struct policy *p = commands(POLICY_DENY, "cat /srv/notes");
    (void)state;
    assert_int_equal(ask_words(p, &operators, POLICY_QUERY, "cat -- /srv/notes"), SCOUT_E_POLICY);
    assert_int_equal(ask_words(p, &operators, POLICY_QUERY, "cat -n -- /srv/notes"),
                     SCOUT_E_POLICY);
    assert_int_equal(ask_words(p, &operators, POLICY_QUERY, "cat -- /srv/other"), 0);
    policy_free(p);
}

/* `1>x` is a redirection, `"1">x` is a word and a redirection. */
static void a_number_before_a_redirection_is_no_word_unless_quoted(void **state)
{
    struct policy *p = commands(POLICY_DENY, "kill 1");
    (void)state;
    assert_int_equal(ask_line(p, &operators, "kill \"1\">x"), SCOUT_E_POLICY);
    assert_int_equal(ask_line(p, &operators, "kill \\1>x"), SCOUT_E_POLICY);
    assert_int_equal(ask_line(p, &operators, "kill 1 >x"), SCOUT_E_POLICY);
    assert_int_equal(ask_line(p, &operators, "kill 1>x"), 0);
    policy_free(p);
}

static void words_are_taken_as_they_are(void **state)
{
    struct policy *p = commands(POLICY_DENY, "reboot *");
    (void)state;
    assert_int_equal(ask_words(p, &operators, POLICY_RUN, "reboot"), SCOUT_E_POLICY);
    assert_int_equal(ask_words(p, &operators, POLICY_RUN, "/sbin/reboot -f"), SCOUT_E_POLICY);
    assert_int_equal(ask_words(p, &operators, POLICY_RUN, "sudo -n reboot"), SCOUT_E_POLICY);
    assert_int_equal(ask_words(p, &operators, POLICY_RUN, "sh -c x"), SCOUT_E_POLICY);
    assert_int_equal(ask_words(p, &operators, POLICY_RUN, "echo reboot"), 0);
    assert_int_equal(ask_words(p, &operators, POLICY_RUN, "echo $x `x`"), 0); /* no shell sees it */
    assert_int_equal(ask_words(p, &operators, POLICY_RUN, "find / -name reboot"), 0);
    assert_int_equal(ask_words(p, &reader, POLICY_QUERY, "grep -r reboot /etc"), 0);
    assert_int_equal(ask_words(p, &reader, POLICY_QUERY, "find / -name reboot"), 0);
    policy_free(p);
}

static void what_allows_commands_allows_nothing_else(void **state)
{
    static const char *const denied[] = {"systemctl status x; id",
                                         "systemctl status $x",
                                         "systemctl status `id`",
                                         "systemctl status x > /etc/y",
                                         "systemctl status x &",
                                         "systemctl status x\nid",
                                         "systemctl status 'x'",
                                         "systemctl status x*",
                                         "systemctl status ~",
                                         "A=1 systemctl status x",
                                         "/tmp/systemctl status x",
                                         "./systemctl status x",
                                         "sudo systemctl status x",
                                         "systemctl statusx",
                                         "systemctl",
                                         "time systemctl status x",
                                         "systemctl status =x",
                                         "",
                                         "  ",
                                         "systemctl status {a,b}",
                                         "systemctl status x\r"};
    struct policy *p = commands(POLICY_ALLOW, "systemctl status *");
    (void)state;
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++)
        if (denied[i][0] && ask_line(p, &reader, denied[i]) == 0)
            fail_msg("%s", denied[i]);
    assert_int_equal(ask_line(p, &reader, "systemctl status nginx"), 0);
    assert_int_equal(ask_line(p, &reader, " systemctl\t status  -n5 a.service"), 0);
    assert_int_equal(ask_line(p, &reader, "systemctl status"), 0);
    assert_int_equal(ask_words(p, &reader, POLICY_RUN, "systemctl status a;b $c"), 0);
    assert_int_equal(ask_words(p, &reader, POLICY_RUN, "/bin/systemctl status"), SCOUT_E_POLICY);
    policy_free(p);
    p = commands(POLICY_ALLOW, "/opt/bin/* /srv/*");
    assert_int_equal(ask_line(p, &reader, "/opt/bin/a /srv/x/y"), 0);
    assert_int_equal(ask_line(p, &reader, "/opt/bin/../../tmp/a /srv/x"), SCOUT_E_POLICY);
    assert_int_equal(ask_line(p, &reader, "/opt/bin/a /srv/../etc"), SCOUT_E_POLICY);
    assert_int_equal(ask_line(p, &reader, "/opt/bin/a"), SCOUT_E_POLICY);
    policy_free(p);
    p = commands(POLICY_ALLOW, "*");
    assert_int_equal(ask_line(p, &reader, "any words"), 0);
    assert_int_equal(ask_line(p, &reader, "any; words"), SCOUT_E_POLICY);
    policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_denies_commands_is_not_gone_around_by_writing),
        cmocka_unit_test(what_denies_a_query_sees_it_behind_its_dashes),
        cmocka_unit_test(a_number_before_a_redirection_is_no_word_unless_quoted),
        cmocka_unit_test(words_are_taken_as_they_are),
        cmocka_unit_test(what_allows_commands_allows_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
