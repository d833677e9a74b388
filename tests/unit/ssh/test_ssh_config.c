/* ssh_config: the grammar, Host blocks, tokens, and what refuses a host. Files are in memory.
 * test_ssh_config_openssh.c puts the same code beside the real ssh. */
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

/* The names alone are taken from there. */
#include "../../../src/ssh/ssh_config_table.h"

static void a_host_that_nothing_is_said_about_is_itself(void **state)
{
    (void)state;
    expect("", "web1", "web1 me 22 0 | |");
    expect("Host other\n Port 23\n", "web1", "web1 me 22 0 | |");
    expect("", "WEB1", "web1 me 22 0 | |");
    expect("", "2001:DB8:0::1", "2001:db8::1 me 22 0 | |");
    const char *const nothing[] = {NULL};
    struct ssh_config *config;
    struct failure why;
    assert_int_equal(load(nothing, &config, &why), 0); /* no file at all */
    ssh_config_free(config);
}

static void every_spelling_of_a_line_is_understood(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "Host web1\nPort 2200\nUser deploy\n",
        "host web1\nPORT 2200\nuser deploy",
        "Host=web1\nPort=2200\nUser=deploy\n",
        "Host = web1\r\nPort =2200\r\nUser= deploy\r\n",
        "  Host \"web1\"\n\t Port \"2200\"\n User 'deploy'\n",
        "# one\n\nHost web1 # two\nPort 2200 # three\nUser deploy # four\n",
        "Host a web1\nPort 2200   \nUser \tdeploy\t\n \f\n",
        "Host web?\nPort 2200\nUser dep\"loy\"\n",
        "Port 2200\nUser deploy\n",
        "IgnoreUnknown Unk*\nUnknown keyword here\nHost *\nPort 02200\nUser deploy\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect(lines[i], "web1", "web1 deploy 2200 0 | |");
    expect("User \"two words\"\n", "a", "a two words 22 0 | |");
    expect("User back\\\\slash\\\"\n", "a", "a back\\slash\" 22 0 | |");
    expect("User a#b\n", "a", "a a#b 22 0 | |");
}

static void the_first_value_wins_except_for_identities(void **state)
{
    (void)state;
    static const char text[] = "Host web1\n Port 1\n IdentityFile /k/1\n"
                               " UserKnownHostsFile /h/1 /h/2\n ConnectTimeout none\n"
                               "Host web*\n Port 2\n User u\n IdentityFile /k/2\n"
                               " IdentityFile /k/1\n ConnectTimeout 1m30\n"
                               "Host *\n UserKnownHostsFile /h/3\n IdentityFile /k/3\n User v\n"
                               " ConnectTimeout 5\n";
    expect(text, "web1", "web1 u 1 90 | /k/1 /k/2 /k/3 | /h/1 /h/2");
    expect(text, "web2", "web2 u 2 90 | /k/2 /k/1 /k/3 | /h/3");
    expect(text, "db", "db v 22 5 | /k/3 | /h/3");
}

static void patterns_and_negation_choose_blocks(void **state)
{
    (void)state;
    static const char text[] = "Host *.example.org !db.example.org\n Port 1\n"
                               "Host !*.example.org\n Port 2\n"
                               "Host web? *-x\n Port 3\n"
                               "Host WEB\n Port 4\n"
                               "Host\t# none\n Port 5\n";
    expect(text, "a.example.org", "a.example.org me 1 0 | |");
    expect(text, "db.example.org", "db.example.org me 22 0 | |");
    expect(text, "example.org", "example.org me 22 0 | |"); /* negation alone matches nothing */
    expect(text, "web1", "web1 me 3 0 | |");
    expect(text, "web12", "web12 me 22 0 | |");
    expect(text, "a-x", "a-x me 3 0 | |");
    expect(text, "web", "web me 22 0 | |"); /* Host compares case */
}

static void tokens_and_homes_are_expanded(void **state)
{
    (void)state;
    expect("Host a\n HostName %h.Example.org\n", "a", "a.example.org me 22 0 | |");
    expect("Host a\n HostName fe80::1%%eth0\n", "a", "fe80::1%eth0 me 22 0 | |");
    expect("Host a\n HostName h\n User r\n Port 7\n IdentityFile ~/%h-%n-%k-%p-%r-%u-%%\n"
           " IdentityFile %d/x\n IdentityFile ${HOME}/y\n IdentityFile ~\n IdentityFile $x~\n",
           "a", "h r 7 0 | /home/me/h-a-a-7-r-me-% /home/me/x /home/me/y /home/me $x~ |");
    expect("Host a\n UserKnownHostsFile ~/.ssh/%h \"/b c\"\n", "a",
           "a me 22 0 | | /home/me/.ssh/a /b c");
    expect_text("IdentityFile ~other/x\n", "a", "another user");
    expect("IdentityFile /%i-%l-%L\n", "a", "a me 22 0 | /1000-box.example.org-box |");
    expect("IdentityFile ${KEYS}/x\nHostKeyAlias B\nIdentityFile /%k\n", "a",
           "a me 22 0 | /keys/x /b |");
    /* sha1sum of the machine's name, host, port and user */
    expect("IdentityFile /%C\n", "a", "a me 22 0 | /aaba0abb9ec7bd189816ba1a8f5cec1a54a8a402 |");
    expect_text("IdentityFile /x%\n", "a", "% token");
    expect_text("IdentityFile /%T\n", "a", "% token");
    expect_text("IdentityFile ${MISSING}/x\n", "a", "environment");
    expect_text("IdentityFile ${KEYS/x\n", "a", "without a variable's name and a }");
    expect_text("HostName %p.example.org\n", "a", "% token");
    expect_text("User u%n\n", "a", "User");
    expect_text("HostName \"a b\"\n", "a", "characters");
}

static void what_must_not_be_ignored_refuses_the_host(void **state)
{
    (void)state;
    static const char *const keywords[] = {
        "ProxyUseFdpass yes",
        "ProxyCommand nc %T",
        "KnownHostsCommand /bin/k",
        "RevokedHostKeys /r",
        "CanonicalizeHostname yes",
        "CanonicalizeHostname always",
        "CanonicalizePermittedCNAMEs *.a:*.b",
        "BindInterface eth0",
        "SetEnv A",
        "SetEnv =1",
        "SetEnv A=%h",
        "SetEnv A=1 B=${HOME}",
        "PubkeyAuthentication no",
        "RequiredRSASize 4096",
        "RefuseConnection for ever",
    };
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        char text[128], keyword[64];
        snprintf(text, sizeof text, "Host a\n %s\nHost b\n Port 1\n", keywords[i]);
        expect(text, "b", "b me 1 0 | |");
        snprintf(keyword, sizeof keyword, "%.*s", (int)strcspn(keywords[i], " "), keywords[i]);
        expect_text(text, "a", keyword);
        expect_text(text, "a", "/c:2");
    }
    static const char *const harmless[] = {
        "ProxyJump none",
        "ProxyCommand none",
        "ProxyCommand=NONE",
        "ProxyUseFdpass no",
        "KnownHostsCommand none",
        "RevokedHostKeys none",
        "CanonicalizeHostname no",
        "AddressFamily any",
        "CanonicalizeHostname false",
        "StrictHostKeyChecking no",
        "Ciphers aes128-ctr",
        "ForwardAgent yes",
        "LocalForward 80 b:80",
        "RevokedHostKeys \"none\"",
        "PubkeyAuthentication true",
        "CheckHostIP no",
        "CheckHostIP yes",
        "CertificateFile none",
        "Protocol 2",
        "UseRoaming no",
    };
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        expect(harmless[i], "a", "a me 22 0 | |");
    /* The first value counts here too. */
    expect("ProxyJump none\nProxyJump b\n", "a", "a me 22 0 | |");
    expect("ProxyCommand none\nProxyJump b\nProxyCommand nc\n", "a", "a me 22 0 | |");
    expect("AddressFamily any\nAddressFamily inet\n", "a", "a me 22 0 | |");
    expect("IdentityFile none\n", "a", "a me 22 0 | |");
    expect("IdentityFile none\nIdentityFile /k\n", "a", "a me 22 0 | /k |");
    expect("UserKnownHostsFile none\n", "a", "a me 22 0 | |");
    expect_text("UserKnownHostsFile none\nGlobalKnownHostsFile none\n", "a", "nothing to check");
    expect_text("IdentityFile /1\nIdentityFile /2\nIdentityFile /3\nIdentityFile /4\n"
                "IdentityFile /5\nIdentityFile /6\nIdentityFile /7\nIdentityFile /8\n"
                "IdentityFile /9\n",
                "a", "more than 8");
}

static void syntax_errors_name_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"Host a\nPort\n", "/c:2: no argument"},
        {"User # x\n", "/c:1: missing argument"},
        {"User \"\"\n", "/c:1: missing argument"},
        {"\n\nPort 0\n", "/c:3: bad port '0'"},
        {"Port 65536\n", "bad port '65536'"},
        {"Port 99999999999999999999\n", "bad port"},
        {"Port ssh\n", "bad port 'ssh'"},
        {"Port -1\n", "bad port '-1'"},
        {"Port \"\xff\n\"\n", "quote"},
        {"Port \xff\n", "bad port '?'"},
        {"Host \"a\n", "a quote is not closed"},
        {"Whatever 'a\n", "a quote is not closed"},
        {"User a b\n", "extra arguments"},
        {"Host a \"\"\n", "empty argument"},
        {"ConnectTimeout x\n", "bad time 'x'"},
        {"ConnectTimeout 5y\n", "bad time '5y'"},
        {"ConnectTimeout 99999999999\n", "bad time"},
        {"Match\n", "no argument"},
        {"Match # x\n", "without a criterion"},
        {"Match host\n", "host needs an argument"},
        {"Match nonsense x\n", "nonsense is no criterion"},
        {"Match all host a\n", "cannot be combined"},
        {"Match host a user b all\n", "cannot be combined"},
        {"UserKnownHostsFile none /x\n", "none must stand alone"},
        {"\"Host\" a\n", "keyword"},
        {"= a\n", "keyword"},
        {"\xEF\xBB\xBFHost a\n", "byte order mark"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_text(cases[i].text, "zzz", cases[i].part);
}

static int read_nul(void *context, const char *pattern,
                    int (*take)(void *, const char *, struct slice), void *take_context)
{
    static const char text[] = "Host a\nPort 1\0 2\n";
    (void)context;
    return take(take_context, pattern, slice_of(text, sizeof text - 1));
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    const struct ssh_config_env env = {.home = "/h", .user = "u", .dir = "/d", .read = read_nul};
    struct ssh_config *config;
    struct failure why;
    assert_int_equal(ssh_config_load(&config, "/c", NULL, &env, &why), SCOUT_E_PARSE);
    assert_string_equal(why.text, "/c:2: a NUL byte");
}

static void a_name_that_is_no_name_is_refused(void **state)
{
    (void)state;
    char name[SSH_CONFIG_NAME_MAX + 2];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    expect_text("", name, "Host names have");
    expect_text("", "", "Host names have");
    name[SSH_CONFIG_NAME_MAX] = '\0';
    expect_text("HostName %h.org\n", name, "too long");
}

static void every_keyword_of_the_table_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {
#define X(slot, name, kind, take, care, value, tokens, preset) name,
        CONFIG_KEYWORDS(X)
#undef X
#define X(name, slot) name,
            CONFIG_ALIASES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "%s 1\n", names[i]);
        if (strstr(resolve(text, "a"), "no keyword that is known"))
            fail_msg("%s is not found: the table is not in order", names[i]);
    }
}

static void an_unknown_keyword_refuses_only_whom_it_is_for(void **state)
{
    (void)state;
    static const char text[] = "Host a\n Frobnicate yes\nHost b\n Port 1\n"
                               "Host c\n IgnoreUnknown frob*\n Frobnicate no\n";
    expect_text(text, "a", "Frobnicate is no keyword that is known");
    expect_text(text, "a", "/c:2");
    expect(text, "b", "b me 1 0 | |");
    expect(text, "c", "c me 22 0 | |");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_nothing_is_said_about_is_itself),
        cmocka_unit_test(every_spelling_of_a_line_is_understood),
        cmocka_unit_test(the_first_value_wins_except_for_identities),
        cmocka_unit_test(patterns_and_negation_choose_blocks),
        cmocka_unit_test(tokens_and_homes_are_expanded),
        cmocka_unit_test(what_must_not_be_ignored_refuses_the_host),
        cmocka_unit_test(syntax_errors_name_file_and_line),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(a_name_that_is_no_name_is_refused),
        cmocka_unit_test(every_keyword_of_the_table_is_found),
        cmocka_unit_test(an_unknown_keyword_refuses_only_whom_it_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
