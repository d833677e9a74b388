/* ssh_config: the grammar, blocks, includes, tokens, and what refuses a host. Files are in memory.
 * test_ssh_config_openssh.c puts the same code beside the real ssh. */
#include "scout/ssh/ssh_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

/* The names alone are taken from there. */
#include "../../../src/ssh/ssh_config_table.h"

/* Files of a test: path, text, and so on, ended by NULL; in lexical order. */
struct disk {
    const char *const *files;
    unsigned reads;
};

static int read_disk(void *context, const char *pattern,
                     int (*take)(void *, const char *, struct slice), void *take_context)
{
    struct disk *d = context;
    int error = SCOUT_E_NOT_FOUND;
    for (const char *const *f = d->files; *f; f += 2) {
        if (fnmatch(pattern, f[0], FNM_PATHNAME) != 0)
            continue;
        d->reads++;
        error = take(take_context, f[0], slice_str(f[1]));
        if (error)
            return error;
    }
    return error;
}

static const char *variable(const char *name)
{
    return strcmp(name, "KEYS") == 0 ? "/keys" : strcmp(name, "HOME") == 0 ? "/home/me" : NULL;
}

static int load(const char *const *files, struct ssh_config **config, struct failure *why)
{
    struct disk disk = {.files = files};
    const struct ssh_config_env env = {.home = "/home/me",
                                       .user = "me",
                                       .dir = "/home/me/.ssh",
                                       .machine = "box.example.org",
                                       .uid = 1000,
                                       .read = read_disk,
                                       .variable = variable,
                                       .context = &disk};
    return ssh_config_load(config, "/c", NULL, &env, why);
}

/* Resolves `name` with the one file `text`: "hostname user port timeout | ids | known hosts", or
 * the text of the failure. */
static const char *resolve(const char *text, const char *name)
{
    static char out[8192];
    const char *const files[] = {"/c", text, NULL};
    struct ssh_config *config;
    struct failure why = {0};
    if (load(files, &config, &why) != 0) {
        snprintf(out, sizeof out, "%s", why.text);
        return out;
    }
    struct ssh_host *h = malloc(sizeof *h);
    assert_non_null(h);
    int error = ssh_config_resolve(config, name, h, &why);
    if (error) {
        assert_int_equal(error, SCOUT_E_HOST_REFUSED);
        snprintf(out, sizeof out, "%s", why.text);
    } else {
        assert_string_equal(h->name, name);
        int len = snprintf(out, sizeof out, "%s %s %u %u |", h->hostname, h->user, h->port,
                           h->connect_timeout_s);
        for (uint32_t i = 0; i < h->identity_count; i++)
            len += snprintf(out + len, sizeof out - (size_t)len, " %s", h->identities[i]);
        len += snprintf(out + len, sizeof out - (size_t)len, " |");
        for (uint32_t i = 0; i < h->known_hosts_count; i++)
            len += snprintf(out + len, sizeof out - (size_t)len, " %s", h->known_hosts[i]);
        if (h->proxy_command)
            len += snprintf(out + len, sizeof out - (size_t)len, " by %s", h->proxy_command);
        for (const struct ssh_host *via = h->via; via; via = via->via)
            len += snprintf(out + len, sizeof out - (size_t)len, " via %s %s %u%s%s", via->hostname,
                            via->user, via->port, via->proxy_command ? " by " : "",
                            via->proxy_command ? via->proxy_command : "");
    }
    ssh_host_fini(h);
    free(h);
    ssh_config_free(config);
    return out;
}

static void expect(const char *text, const char *name, const char *expected)
{
    const char *found = resolve(text, name);
    if (strcmp(found, expected) != 0)
        fail_msg("%s for\n%s\nexpected %s\nfound    %s", name, text, expected, found);
}

static void expect_text(const char *text, const char *name, const char *part)
{
    const char *found = resolve(text, name);
    if (!strstr(found, part))
        fail_msg("%s for\n%s\nexpected %s\nfound    %s", name, text, part, found);
}

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

static void included_files_stand_where_they_are_included(void **state)
{
    (void)state;
    const char *const files[] = {
        "/c",
        "Include conf.d/*.conf ~/more\n"
        "Host web1\n Include /abs\n Port 9\n"
        "Host other\n Include /abs\n Include /missing/*\n"
        "Host *\n User last\n",
        "/home/me/.ssh/conf.d/a.conf",
        "IdentityFile /from-a\nHost web1\n IdentityFile /from-a-web1\n",
        "/home/me/.ssh/conf.d/b.conf",
        "IdentityFile /from-b\n", /* not in the block that a.conf ended with */
        "/home/me/more",
        "Include=deep\n",
        "/home/me/.ssh/deep",
        "Host db\n IdentityFile /deep\n",
        "/abs",
        "IdentityFile /abs-top\nHost *\n IdentityFile /abs-star\nHost web2\n Port 1\n",
        NULL};
    static const char *const expected[][2] = {
        {"web1", "/from-a /from-a-web1 /from-b /abs-top /abs-star"},
        {"web2", "/from-a /from-b"}, /* the blocks of /abs apply inside web1 only */
        {"db", "/from-a /from-b /deep"},
    };
    struct ssh_config *config;
    struct failure why;
    struct ssh_host *h = malloc(sizeof *h);
    assert_non_null(h);
    assert_int_equal(load(files, &config, &why), 0);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char text[1024] = "";
        assert_int_equal(ssh_config_resolve(config, expected[i][0], h, &why), 0);
        for (uint32_t n = 0; n < h->identity_count; n++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", n ? " " : "",
                     h->identities[n]);
        assert_string_equal(text, expected[i][1]);
        assert_string_equal(h->user, "last");
        assert_int_equal(h->port, strcmp(expected[i][0], "web1") == 0 ? 9 : 22);
        ssh_host_fini(h);
    }
    free(h);
    ssh_config_free(config);
}

static void an_error_in_an_included_file_is_found_wherever_it_is(void **state)
{
    (void)state;
    const char *const files[] = {"/c", "Host never\n Include /x\n", "/x", "\nPort x\n", NULL};
    struct ssh_config *config;
    struct failure why;
    assert_int_equal(load(files, &config, &why), SCOUT_E_PARSE);
    assert_string_equal(why.text, "/x:2: bad port 'x'");
}

static void includes_that_never_end_are_refused(void **state)
{
    (void)state;
    const char *const self[] = {"/c", "Include /c\n", NULL};
    const char *const doubled[] = {"/c", "Include /c /c\n", NULL};
    struct ssh_config *config;
    struct failure why;
    assert_int_equal(load(self, &config, &why), SCOUT_E_PARSE);
    assert_non_null(strstr(why.text, "deeper than 16"));
    assert_int_equal(load(doubled, &config, &why), SCOUT_E_PARSE);
}

static void sixteen_files_deep_is_allowed_and_many_files_are_not(void **state)
{
    (void)state;
    static char paths[18][16], texts[18][64];
    const char *files[40] = {"/c", "Include /f1\n"};
    for (int i = 1; i <= 16; i++) {
        snprintf(paths[i], sizeof paths[i], "/f%d", i);
        snprintf(texts[i], sizeof texts[i], i < 16 ? "Include /f%d\n" : "Port 5\n", i + 1);
        files[2 * i] = paths[i];
        files[2 * i + 1] = texts[i];
    }
    struct ssh_config *config;
    struct failure why;
    struct ssh_host *h = malloc(sizeof *h);
    assert_non_null(h);
    assert_int_equal(load(files, &config, &why), 0);
    assert_int_equal(ssh_config_resolve(config, "a", h, &why), 0);
    assert_int_equal(h->port, 5);
    ssh_host_fini(h);
    ssh_config_free(config);
    free(h);
    for (int i = 1; i < 16; i++)
        snprintf(texts[i], sizeof texts[i], "Include /f%d /f%d\n", i + 1, i + 1);
    assert_int_equal(load(files, &config, &why), SCOUT_E_LIMIT); /* 2^15 reads otherwise */
}

static void an_include_that_cannot_be_followed_refuses_who_it_may_be_for(void **state)
{
    (void)state;
    expect_text("Host a\n Include ${MISSING}/x\n", "a", "Include");
    expect("Host a\n Include ${MISSING}/x\n", "b", "b me 22 0 | |");
    expect_text("Include ~other/x\n", "a", "Include");
    expect_text("Include /x-%h\n", "a", "Include");
}

static void the_hosts_are_the_literal_names_once_and_in_order(void **state)
{
    (void)state;
    const char *const files[] = {"/c",
                                 "Host web2 web1 *.org !no w?b\nHost db web1\nInclude /i\n"
                                 "Match host m\nHost \"a b\" -x\nHost B\n"
                                 "Host unix/* vsock/* .host machine/.host\n",
                                 "/i", "Host inc\n", NULL};
    static const char *const expected[] = {"-x", "B", "db", "inc", "web1", "web2"};
    struct ssh_config *config;
    struct failure why;
    const char *const *names;
    assert_int_equal(load(files, &config, &why), 0);
    assert_int_equal(ssh_config_hosts(config, &names), 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(names[i], expected[i]);
    assert_true(ssh_config_has_host(config, "web2"));
    assert_true(ssh_config_has_host(config, "inc"));
    assert_false(ssh_config_has_host(config, "no"));
    assert_false(ssh_config_has_host(config, "x.org"));
    assert_false(ssh_config_has_host(config, "WEB1"));
    ssh_config_free(config);
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

/* ---- what is beyond one file */

static void the_system_s_file_comes_second_and_outside_of_all_blocks(void **state)
{
    (void)state;
    const char *files[] = {"/c",
                           "Host a\n User mine\nHost last\n",
                           "/etc/ssh/more",
                           "Port 7\n",
                           "/s",
                           "User theirs\nInclude more\nHost b\n ConnectTimeout 3\n",
                           NULL};
    struct disk disk = {.files = files};
    struct ssh_config_env env = {.home = "/h", .user = "me", .dir = "/d", .read = read_disk};
    struct ssh_config *config;
    struct ssh_host h = {0};
    struct failure why;
    env.context = &disk;
    assert_int_equal(ssh_config_load(&config, "/c", "/s", &env, &why), 0);
    assert_int_equal(ssh_config_resolve(config, "a", &h, &why), 0);
    assert_string_equal(h.user, "mine");
    assert_int_equal(h.port, 7);
    ssh_host_fini(&h);
    assert_int_equal(ssh_config_resolve(config, "b", &h, &why), 0);
    assert_string_equal(h.user, "theirs");
    assert_int_equal(h.connect_timeout_s, 3);
    ssh_host_fini(&h);
    assert_true(ssh_config_has_host(config, "b"));
    ssh_config_free(config);
    files[3] = "Include ~/x\n";
    assert_int_equal(ssh_config_load(&config, "/c", "/s", &env, &why), SCOUT_E_PARSE);
    assert_non_null(strstr(why.text, "/etc/ssh/more:1"));
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

/* ---- Match exec */

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

/* ---- explain */

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
        cmocka_unit_test(a_host_that_nothing_is_said_about_is_itself),
        cmocka_unit_test(every_spelling_of_a_line_is_understood),
        cmocka_unit_test(the_first_value_wins_except_for_identities),
        cmocka_unit_test(patterns_and_negation_choose_blocks),
        cmocka_unit_test(tokens_and_homes_are_expanded),
        cmocka_unit_test(what_must_not_be_ignored_refuses_the_host),
        cmocka_unit_test(match_blocks_are_judged_where_they_can_be),
        cmocka_unit_test(match_final_reads_everything_a_second_time),
        cmocka_unit_test(a_match_that_cannot_be_judged_refuses_only_who_it_may_be_for),
        cmocka_unit_test(jump_hosts_are_resolved_by_their_names),
        cmocka_unit_test(a_way_that_leads_round_is_refused),
        cmocka_unit_test(syntax_errors_name_file_and_line),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(included_files_stand_where_they_are_included),
        cmocka_unit_test(an_error_in_an_included_file_is_found_wherever_it_is),
        cmocka_unit_test(includes_that_never_end_are_refused),
        cmocka_unit_test(sixteen_files_deep_is_allowed_and_many_files_are_not),
        cmocka_unit_test(an_include_that_cannot_be_followed_refuses_who_it_may_be_for),
        cmocka_unit_test(the_hosts_are_the_literal_names_once_and_in_order),
        cmocka_unit_test(a_name_that_is_no_name_is_refused),
        cmocka_unit_test(every_keyword_of_the_table_is_found),
        cmocka_unit_test(the_system_s_file_comes_second_and_outside_of_all_blocks),
        cmocka_unit_test(an_unknown_keyword_refuses_only_whom_it_is_for),
        cmocka_unit_test(a_tag_chooses_blocks),
        cmocka_unit_test(a_match_that_versions_read_differently_is_not_judged),
        cmocka_unit_test(commands_are_run_while_loading_and_for_known_hosts),
        cmocka_unit_test(each_value_is_told_with_its_line),
        cmocka_unit_test(the_rest_of_a_host_is_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
