/* What commands of a host get of an environment: SendEnv's patterns, SetEnv, and what is never
 * sent. That the patterns are those of the real ssh is in test_ssh_config_openssh.c. */
#include "scout/ssh/ssh_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const usual[] = {"LANG=de_DE.UTF-8", "LC_ALL=C", "TERM=dumb", "lang=x",
                                    "LC_TIME=a=b c",    "EMPTY=",   NULL};

static int read_text(void *context, const char *pattern,
                     int (*take)(void *, const char *, struct slice), void *take_context)
{
    return strcmp(pattern, "/c") == 0 ? take(take_context, "/c", slice_str(context))
                                      : SCOUT_E_NOT_FOUND;
}

static struct ssh_config *load(const char *text, const char *const *environment)
{
    struct ssh_config *config;
    struct failure why;
    const struct ssh_config_env env = {.home = "/home/me",
                                       .user = "me",
                                       .dir = "/home/me/.ssh",
                                       .read = read_text,
                                       .environment = environment,
                                       .context = (void *)(uintptr_t)text};
    if (ssh_config_load(&config, "/c", NULL, &env, &why) != 0)
        fail_msg("%s for\n%s", why.text, text);
    return config;
}

/* What host a gets; "": nothing. A failure's text, when it is refused. */
static const char *sent(const char *text, const char *const *environment)
{
    static char out[32768];
    struct ssh_host host = {0};
    struct failure why;
    struct ssh_config *config = load(text, environment);
    int error = ssh_config_resolve(config, "a", &host, &why);
    snprintf(out, sizeof out, "%s", error ? why.text : host.environment ? host.environment : "");
    ssh_host_fini(&host);
    ssh_config_free(config);
    return out;
}

static void patterns_choose_from_the_environment(void **state)
{
    (void)state;
    assert_string_equal(sent("", usual), "");
    assert_string_equal(sent("SendEnv LANG LC_*", usual),
                        "LANG=de_DE.UTF-8\nLC_ALL=C\nLC_TIME=a=b c");
    assert_string_equal(sent("SendEnv *", usual), "LANG=de_DE.UTF-8\nLC_ALL=C\nTERM=dumb\nlang=x\n"
                                                  "LC_TIME=a=b c\nEMPTY=");
    assert_string_equal(sent("SendEnv L?NG", usual), "LANG=de_DE.UTF-8");
    assert_string_equal(sent("SendEnv NOT_SET", usual), "");
    assert_string_equal(sent("SendEnv *", NULL), "");
}

static void lines_add_up_and_take_away(void **state)
{
    (void)state;
    assert_string_equal(sent("SendEnv TERM\nSendEnv EMPTY\nHost b\n SendEnv LANG", usual),
                        "TERM=dumb\nEMPTY=");
    /* What stands before goes, as it is written; what comes behind counts. */
    assert_string_equal(sent("SendEnv LC_ALL LC_TIME TERM\nSendEnv -LC_*", usual), "TERM=dumb");
    assert_string_equal(sent("SendEnv TERM -T* TERM", usual), "TERM=dumb");
    assert_string_equal(sent("SendEnv LC_*\nSendEnv -LC_TIME", usual), "LC_ALL=C\nLC_TIME=a=b c");
    assert_string_equal(sent("SendEnv LANG\nHost b\n SendEnv -LANG", usual), "LANG=de_DE.UTF-8");
    assert_string_equal(sent("SendEnv LANG\nHost a\n SendEnv -*", usual), "");
}

static void set_env_wins(void **state)
{
    (void)state;
    assert_string_equal(sent("SetEnv LANG=C NEW=1\nSendEnv LANG TERM", usual),
                        "TERM=dumb\nLANG=C\nNEW=1");
    assert_string_equal(sent("SetEnv LAN=C\nSendEnv LANG", usual), "LANG=de_DE.UTF-8\nLAN=C");
}

static void what_is_the_daemons_own_stays_here(void **state)
{
    (void)state;
    static const char *const own[] = {"SCOUT_TOKEN=1",
                                      "SCOUT_=1",
                                      "MCP_CAT_X=1",
                                      "LISTEN_FDS=1",
                                      "LISTEN_PID=1",
                                      "NOTIFY_SOCKET=/n",
                                      "CREDENTIALS_DIRECTORY=/c",
                                      "SSH_AUTH_SOCK=/s",
                                      "TWO=line\nfeed",
                                      "=C:",
                                      "NOTHING",
                                      "SSH_AUTH_SOCKET=sent",
                                      "scout_x=sent",
                                      NULL};
    assert_string_equal(sent("SendEnv * SCOUT_* SSH_AUTH_SOCK TWO", own),
                        "SSH_AUTH_SOCKET=sent\nscout_x=sent");
}

static void what_is_too_much_refuses_the_host(void **state)
{
    (void)state;
    static char huge[20000];
    const char *const one[] = {huge, NULL};
    memset(huge, 'x', sizeof huge - 1);
    memcpy(huge, "BIG=", 4);
    assert_non_null(strstr(sent("SendEnv BIG", one), "Host a is refused: SendEnv"));
    assert_non_null(strstr(sent("SendEnv BIG", one), "/c:1"));
    assert_string_equal(sent("SendEnv OTHER", one), "");
    char many[4096] = "SendEnv";
    for (int i = 0; i < 300; i++)
        strcat(many, " A");
    assert_non_null(strstr(sent(many, usual), "Host a is refused: more than 256 patterns"));
    /* A block that cannot be judged might send what is not to be sent, or take it away. */
    assert_non_null(strstr(sent("Match exec x\n SendEnv LANG", usual), "may set SendEnv"));
}

static void wrong_names_are_no_configuration(void **state)
{
    (void)state;
    static const char *const wrong[] = {"SendEnv A=1", "SendEnv",
                                        "Host b\nSendEnv A B=", "SendEnv \"\""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct ssh_config *config;
        struct failure why;
        const struct ssh_config_env env = {.home = "/",
                                           .user = "me",
                                           .dir = "/",
                                           .read = read_text,
                                           .context = (void *)(uintptr_t)wrong[i]};
        assert_int_equal(ssh_config_load(&config, "/c", NULL, &env, &why), SCOUT_E_PARSE);
        assert_non_null(strstr(why.text, "/c:"));
    }
}

static void take_row(void *context, const struct ssh_explained *row)
{
    char *out = context;
    size_t len = strlen(out);
    if (strcmp(row->keyword, "SendEnv") == 0)
        snprintf(out + len, 2048 - len, "%u %s: %s\n", row->line, row->value, row->reason);
}

static void each_line_tells_what_it_sends(void **state)
{
    (void)state;
    char out[2048] = "";
    struct failure why;
    struct ssh_config *config =
        load("SendEnv LC_* TERM\nSendEnv -TERM LANG L*\nSendEnv NOT_SET\n", usual);
    assert_int_equal(ssh_config_explain(config, "a", take_row, out, &why), 0);
    assert_string_equal(out, "1 LC_*: sends LC_ALL LC_TIME\n"
                             "2 LANG L*: sends LANG\n"
                             "3 NOT_SET: sends nothing\n");
    ssh_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_choose_from_the_environment),
        cmocka_unit_test(lines_add_up_and_take_away),
        cmocka_unit_test(set_env_wins),
        cmocka_unit_test(what_is_the_daemons_own_stays_here),
        cmocka_unit_test(what_is_too_much_refuses_the_host),
        cmocka_unit_test(wrong_names_are_no_configuration),
        cmocka_unit_test(each_line_tells_what_it_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
