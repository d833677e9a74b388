/* ssh_config: all that is filled in for a host, the way to it, and what explain tells of it. */
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

static void jump_hosts_are_resolved_by_their_names(void **state)
{
    (void)state;
    static const char text[] = "Host b\n HostName B.example\n User bu\n Port 2022\n"
                               "Host c\n ProxyJump never\n User cu\n"
                               "Host own\n ProxyJump b\n"
                               "Host cmd\n ProxyCommand nc -x s %h %p %r %n %%\n"
                               "Host b1\n ProxyJump b\nHost b2\n ProxyJump u@b:7\n"
                               "Host uri\n ProxyJump ssh://u@b:7\nHost six\n ProxyJump u@[::1]:7\n"
                               "Host two\n ProxyJump b,c\nHost three\n ProxyJump own,b,c\n"
                               "Host at\n ProxyJump cmd\nHost tok\n ProxyJump gw-%h\n"
                               "Host none\n ProxyJump none\n ProxyCommand x %h\n";
    expect(text, "b1", "b1 me 22 0 | | via b.example bu 2022");
    expect(text, "b2", "b2 me 22 0 | | via b.example u 7");
    expect(text, "uri", "uri me 22 0 | | via b.example u 7");
    expect(text, "six", "six me 22 0 | | via ::1 u 7");
    expect(text, "cmd", "cmd me 22 0 | | by nc -x s cmd 22 me cmd %");
    expect(text, "at", "at me 22 0 | | via cmd me 22 by nc -x s cmd 22 me cmd %");
    expect(text, "tok", "tok me 22 0 | | via gw-tok me 22");
    expect(text, "none", "none me 22 0 | | by x none");
    /* The last one is next to the host; what another than the first says of its way is nothing. */
    expect(text, "two", "two me 22 0 | | via c cu 22 via b.example bu 2022");
    expect(text, "three",
           "three me 22 0 | | via c cu 22 via b.example bu 2022 via own me 22 via b.example bu "
           "2022");
}

static void a_way_that_leads_round_is_refused(void **state)
{
    (void)state;
    expect_text("Host *\n ProxyJump b\n", "a", "in a circle: a -> b -> b");
    expect_text("Host a\n ProxyJump b\nHost b\n ProxyJump c\nHost c\n ProxyJump a\n", "a",
                "in a circle: a -> b -> c -> a");
    expect("Host *\n ProxyJump b\n Match host b\n", "c",
           "Host c is refused: its ProxyJump leads in a circle: c -> b -> b");
    expect(
        "Host a\n ProxyJump h1,h2,h3,h4,h5,h6,h7,h8\n", "a",
        "a me 22 0 | | via h8 me 22 via h7 me 22 via h6 me 22 via h5 me 22 via h4 me 22 via h3 me "
        "22 via h2 me 22 via h1 me 22");
    expect_text("Host a\n ProxyJump 1,2,3,4,5,6,7,8,9\n", "a", "more than 8 hosts");
    /* What refuses a host on the way refuses the host. */
    expect_text("Host a\n ProxyJump b\nHost b\n KnownHostsCommand k\n", "a",
                "Host b is refused: KnownHostsCommand");
}

static void take_row(void *context, const struct ssh_explained *row)
{
    static const char *const standings[] = {"honoured", "ignored", "refused"};
    char *out = context;
    size_t len = strlen(out);
    if (row->file || strcmp(row->keyword, "Port") == 0)
        snprintf(out + len, 1024 - len, "%s=%s %s:%u %s%s\n", row->keyword, row->value,
                 row->file ? row->file : "default", row->line, standings[row->standing],
                 row->reason ? " *" : "");
}

static void each_value_is_told_with_its_line(void **state)
{
    (void)state;
    const char *const files[] = {
        "/c",
        "Host a\n IdentityFile ~/%h\n ForwardAgent yes\n ProxyJump j\n StrictHostKeyChecking no\n"
        "Include /i\nMatch exec x\n Ciphers y\nMatch all\n SendEnv A\n Weird z\n",
        "/i", "HostName b\nIdentityFile /k\n", NULL};
    struct ssh_config *config;
    struct failure why;
    char out[1024] = "";
    assert_int_equal(load(files, &config, &why), 0);
    assert_int_equal(ssh_config_explain(config, "a", take_row, out, &why), SCOUT_E_HOST_REFUSED);
    assert_string_equal(out, "Ciphers= /c:7 refused *\n"
                             "ForwardAgent=yes /c:3 ignored\n"
                             "HostName=b /i:1 honoured\n"
                             "IdentityFile=/home/me/b /c:2 honoured\n"
                             "IdentityFile=/k /i:2 honoured\n"
                             "Port=22 default:0 honoured\n"
                             "ProxyJump=j /c:4 honoured\n"
                             "SendEnv=A /c:10 honoured *\n"
                             "StrictHostKeyChecking=no /c:5 honoured *\n"
                             "Weird= /c:11 refused *\n");
    assert_non_null(strstr(why.text, "Host a is refused: this Match may set Ciphers"));
    ssh_config_free(config);
}

/* Every field that the pool goes by. */
static void the_rest_of_a_host_is_filled(void **state)
{
    (void)state;
    const char *const files[] = {
        "/c",
        "IdentitiesOnly yes\nIdentityAgent $KEYS\nHostKeyAlias ABC\nGlobalKnownHostsFile /g /%h\n"
        "AddressFamily inet6\nConnectionAttempts 4\nServerAliveInterval 1m\n"
        "ServerAliveCountMax 2\nStrictHostKeyChecking accept-new\nKexAlgorithms +x\nCiphers a,b\n"
        "MACs -c\nHostKeyAlgorithms ^d\nPubkeyAcceptedAlgorithms e\nBindAddress 10.0.0.1\n"
        "SetEnv A=1 \"B=x y=z\" C=\nSetEnv D=not-the-first\nCheckHostIP true\n",
        NULL};
    struct ssh_config *config;
    struct ssh_host h = {0};
    struct failure why;
    assert_int_equal(load(files, &config, &why), 0);
    assert_int_equal(ssh_config_resolve(config, "a", &h, &why), 0);
    ssh_config_free(config); /* the host does not need it */
    assert_true(h.identities_only && h.alive_set && h.check_host_ip);
    assert_string_equal(h.identity_agent, "/keys");
    assert_string_equal(h.host_key_alias, "abc");
    assert_string_equal(ssh_host_key_name(&h), "abc");
    assert_int_equal(h.known_hosts_global_count, 2);
    assert_string_equal(h.known_hosts_global[1], "/%h");
    assert_int_equal(h.family, SSH_FAMILY_INET6);
    assert_int_equal(h.connection_attempts, 4);
    assert_int_equal(h.alive_interval_s, 60);
    assert_int_equal(h.alive_count_max, 2);
    assert_int_equal(h.strict, SSH_STRICT_ACCEPT_NEW);
    assert_string_equal(h.kex_algorithms, "+x");
    assert_string_equal(h.ciphers, "a,b");
    assert_string_equal(h.macs, "-c");
    assert_string_equal(h.host_key_algorithms, "^d");
    assert_string_equal(h.pubkey_accepted_algorithms, "e");
    assert_string_equal(h.bind_address, "10.0.0.1");
    assert_string_equal(h.environment, "A=1\nB=x y=z\nC=");
    ssh_host_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jump_hosts_are_resolved_by_their_names),
        cmocka_unit_test(a_way_that_leads_round_is_refused),
        cmocka_unit_test(each_value_is_told_with_its_line),
        cmocka_unit_test(the_rest_of_a_host_is_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
