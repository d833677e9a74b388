/* ssh_config: Match blocks, those of a tag, and what the commands of Match exec say. */
#include "ssh_config_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void match_blocks_are_judged_where_they_can_be(void **state)
{
    (void)state;
    expect("Match all\n Port 1\n", "a", "a me 1 0 | |");
    expect("Match host a,b\n Port 1\n", "b", "b me 1 0 | |");
    expect("Match host a,b\n Port 1\n", "c", "c me 22 0 | |");
    expect("Match !host a\n Port 1\n", "b", "b me 1 0 | |");
    expect("Match host=\"*.org,!x.org\" user me # c\n Port 1\n", "y.org", "y.org me 1 0 | |");
    expect("Match host *.org,!x.org\n Port 1\n", "x.org", "x.org me 22 0 | |");
    /* host: the name after HostName so far; originalhost: as asked for. */
    expect("Host a\n HostName real\nMatch host real\n Port 1\n", "a", "real me 1 0 | |");
    expect("Host a\n HostName real\nMatch originalhost a\n Port 1\n", "a", "real me 1 0 | |");
    expect("Match host real\n Port 1\nHost a\n HostName real\n", "a", "real me 22 0 | |");
    expect("User x\nMatch user x localuser me\n Port 1\n", "a", "a x 1 0 | |");
    expect("User x\nMatch user me\n Port 1\n", "a", "a x 22 0 | |");
    expect("Match HOST A\n Port 1\n", "a", "a me 1 0 | |"); /* unlike Host */
    expect("Match canonical\n Port 1\n", "a", "a me 22 0 | |");
    expect("Match !canonical host a\n Port 1\n", "a", "a me 1 0 | |");
}

static void match_final_reads_everything_a_second_time(void **state)
{
    (void)state;
    static const char text[] = "Host a\n HostName Real.example\n User u\n"
                               "Host real.example\n Port 7\n User late\n"
                               "Match final\n ConnectTimeout 9\n";
    expect(text, "a", "real.example u 7 9 | |");
    expect("Host a\n HostName b\nHost b\n ProxyJump j\nMatch final host b\n Port 1\n", "a",
           "b me 1 0 | | via j me 22");
}

static void a_match_that_cannot_be_judged_refuses_only_who_it_may_be_for(void **state)
{
    (void)state;
    static const char text[] = "Port 1\n"
                               "Match host a exec \"test -f /x\"\n User u\n"
                               "Match exec \"true\" host b\n Port 2\n ForwardAgent yes\n"
                               "Match host c localnetwork 10.0.0.0/8\n ProxyJump j\n";
    expect_text(text, "a", "Match");
    expect_text(text, "a", "/c:2");
    expect(text, "b", "b me 1 0 | |"); /* its port was set before: nothing that counts */
    expect_text(text, "c", "ProxyJump");
    expect(text, "d", "d me 1 0 | |");
}

static void a_tag_chooses_blocks(void **state)
{
    (void)state;
    static const char text[] = "Host a\n Tag lab\nMatch tagged lab,x\n Port 1\n"
                               "Match !tagged lab\n Port 2\n";
    expect(text, "a", "a me 1 0 | |");
    expect(text, "b", "b me 2 0 | |");
}

/* Between versions a Match line with other quotes than " means different things. */
static void a_match_that_versions_read_differently_is_not_judged(void **state)
{
    (void)state;
    expect_text("Match host 'a'\n Port 1\n", "a", "OpenSSH 10 reads differently");
    expect_text("Match host \"a\\\\\"\n Port 1\n", "a", "OpenSSH 10 reads differently");
    expect("Match host \"a\" exec \"test 'x'\" host b\n Port 1\n", "a", "a me 22 0 | |");
}

struct shell {
    struct disk disk;
    char commands[512]; /* what was run, each with a | behind it */
};

static int run(void *context, const char *command)
{
    struct shell *s = context;
    size_t len = strlen(s->commands);
    snprintf(s->commands + len, sizeof s->commands - len, "%s|", command);
    return strstr(command, "broken") ? SCOUT_E_INTERNAL : strncmp(command, "yes", 3) == 0;
}

static int read_shell(void *context, const char *pattern,
                      int (*take)(void *, const char *, struct slice), void *take_context)
{
    return read_disk(&((struct shell *)context)->disk, pattern, take, take_context);
}

static void commands_are_run_while_loading_and_for_known_hosts(void **state)
{
    (void)state;
    const char *const files[] = {"/c",
                                 "Host a b c\n HostName %h.org\n"
                                 "Match host a.org exec \"yes %h %n %p ${X}\"\n User one\n"
                                 "Match exec \"no %%\" user me\n User two\n"
                                 "Match !exec no%% originalhost b\n Port 3\n"
                                 "Match originalhost c exec broken\n Port 4\n",
                                 NULL};
    struct shell shell = {.disk = {.files = files}};
    const struct ssh_config_env env = {.home = "/h",
                                       .user = "me",
                                       .dir = "/d",
                                       .read = read_shell,
                                       .exec = run,
                                       .context = &shell};
    struct ssh_config *config;
    struct ssh_host h = {0};
    struct failure why;
    assert_int_equal(ssh_config_load(&config, "/c", NULL, &env, &why), 0);
    assert_string_equal(shell.commands, "yes a.org a 22 ${X}|no %|no%|broken|");
    assert_int_equal(ssh_config_resolve(config, "a", &h, &why), 0);
    assert_string_equal(h.user, "one");
    ssh_host_fini(&h);
    assert_int_equal(ssh_config_resolve(config, "b", &h, &why), 0);
    assert_string_equal(h.user, "me");
    assert_int_equal(h.port, 3);
    ssh_host_fini(&h);
    assert_int_equal(ssh_config_resolve(config, "c", &h, &why), SCOUT_E_HOST_REFUSED);
    assert_non_null(strstr(why.text, "/c:9"));
    ssh_host_fini(&h);
    /* A host that is not known, for which nothing was run: */
    assert_int_equal(ssh_config_resolve(config, "x", &h, &why), 0);
    ssh_host_fini(&h);
    assert_string_equal(shell.commands, "yes a.org a 22 ${X}|no %|no%|broken|");
    ssh_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_blocks_are_judged_where_they_can_be),
        cmocka_unit_test(match_final_reads_everything_a_second_time),
        cmocka_unit_test(a_match_that_cannot_be_judged_refuses_only_who_it_may_be_for),
        cmocka_unit_test(a_tag_chooses_blocks),
        cmocka_unit_test(a_match_that_versions_read_differently_is_not_judged),
        cmocka_unit_test(commands_are_run_while_loading_and_for_known_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
