/* Policy as a person writes it: which rule decides, what it covers, what gets around it and does
 * not. */
#include "policy_rig.h"

#include <stdio.h>

static void without_rules_the_role_decides(void **state)
{
    struct policy *p = policy_of(NULL, 0);
    struct failure why;
    (void)state;
    for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
        bool looks = POLICY_BIT(verb) & POLICY_LOOKS;
        assert_int_equal(ask(p, &reader, (enum policy_verb)verb, "web1", "/srv/a"),
                         looks ? 0 : SCOUT_E_POLICY);
        assert_int_equal(ask(p, &operators, (enum policy_verb)verb, "web1", "/srv/a"), 0);
    }
    assert_int_equal(policy_possible(p, &reader, UINT32_MAX), POLICY_LOOKS);
    assert_int_equal(policy_possible(p, &operators, UINT32_MAX), POLICY_LOOKS | POLICY_EFFECTS);
    const struct policy_request r = {.identity = &reader, .verb = POLICY_RUN, .host = "web1"};
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_POLICY);
    assert_non_null(strstr(why.text, "role reader may not run on web1"));
    assert_non_null(strstr(why.text, "SCOUT_ROLE"));
    assert_non_null(strstr(why.text, "verbs = {run}"));
    policy_free(p);
}

static void the_first_rule_that_matches_decides(void **state)
{
    const struct policy_rule rules[] = {
        {.name = "lab", .effect = POLICY_ALLOW, .hosts = ITEMS("prod-lab")},
        {.name = "prod", .effect = POLICY_DENY, .hosts = ITEMS("PROD*", "!prod-open")},
        {.name = "agents", .effect = POLICY_ALLOW, .identities = ITEMS("uid:1*")},
    };
    struct policy *p = policy_of(rules, 3);
    (void)state;
    assert_int_equal(ask(p, &reader, POLICY_WRITE, "prod-lab", "/x"), 0);
    assert_int_equal(ask(p, &reader, POLICY_READ, "prod1", "/x"), SCOUT_E_POLICY);
    assert_int_equal(ask(p, &operators, POLICY_READ, "Prod1", "/x"), SCOUT_E_POLICY);
    assert_int_equal(ask(p, &reader, POLICY_WRITE, "prod-open", "/x"), 0);
    assert_int_equal(ask(p, &reader, POLICY_WRITE, "web1", "/x"), 0);
    assert_int_equal(ask(p, &reader, POLICY_HOSTS, NULL, NULL), 0); /* has no host to deny */
    policy_free(p);
}

static void paths_cover_what_is_below_them(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool covered;
    } cases[] = {
        {"/srv/secret", "/srv/secret", true},
        {"/srv/secret", "/srv/secret/", true},
        {"/srv/secret", "/srv/secret/a/b", true},
        {"/srv/secret", "//srv/./secret//a", true},
        {"/srv/secret", "/srv/secrets", false},
        {"/srv/secret", "/srv/Secret", false},
        {"/srv/secret", "/x/srv/secret", false},
        {"/srv/secret/", "/srv/secret/a", true},
        {"/srv/secret/**", "/srv/secret", false},
        {"/srv/secret/**", "/srv/secret/a/b", true},
        {"/srv/*", "/srv", false},
        {"/srv/*", "/srv/a/b", true},
        {"/srv/*.d", "/srv/a.d/b", true},
        {"/srv/*.d", "/srv/a.dd/b", false},
        {"/srv/*", "/srv/.hidden", true},
        {"/srv/?", "/srv/ab", false},
        {"/srv/[a-c]x", "/srv/bx", true},
        {"/srv/[!a-c]x", "/srv/bx", false},
        {"/srv/[]x]", "/srv/]", true},
        {"/srv/\\*", "/srv/*", true},
        {"/srv/\\*", "/srv/a", false},
        {"/**/log", "/log", true},
        {"/**/log", "/var/x/log/y", true},
        {"/**/log", "/var/logs", false},
        {"**/a/**/b", "/a/x/a/y/b", true},
        {"**/a/**/b", "/a/b", true},
        {"**/a/**/b", "/b/a", false},
        {"**/a/**", "/x/a", false},
        {"/", "/", true},
        {"/**", "/etc", true},
        {"/srv/*", "/srv/\xff\xfe", true},
        {"/srv/x", "/srv/x\xff", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct policy_rule rule = {.name = "r",
                                         .effect = POLICY_ALLOW,
                                         .verbs = POLICY_BIT(POLICY_WRITE),
                                         .paths = ITEMS(cases[i].pattern)};
        struct policy *p = policy_of(&rule, 1);
        if ((ask(p, &reader, POLICY_WRITE, "h", cases[i].path) == 0) != cases[i].covered)
            fail_msg("%s and %s", cases[i].pattern, cases[i].path);
        policy_free(p);
    }
}

static void a_path_that_is_not_known_yet_is_asked_about_again(void **state)
{
    const struct policy_rule rules[] = {
        {.name = "secret", .effect = POLICY_DENY, .paths = ITEMS("/srv/secret")},
        {.name = "w",
         .effect = POLICY_ALLOW,
         .verbs = POLICY_BIT(POLICY_WRITE),
         .paths = ITEMS("/srv")},
        {.name = "t", .effect = POLICY_DENY, .verbs = POLICY_BIT(POLICY_READ), .paths = ITEMS("/")},
    };
    struct policy *p = policy_of(rules, 3);
    struct failure why;
    (void)state;
    assert_int_equal(ask(p, &reader, POLICY_WRITE, "h", ""), 0);
    assert_int_equal(ask(p, &reader, POLICY_WRITE, "h", "~/x"), 0);
    assert_int_equal(ask(p, &reader, POLICY_WRITE, "h", "/srv/secret/../x"), 0);
    assert_int_equal(ask(p, &reader, POLICY_WRITE, "h", "/srv/secret/x"), SCOUT_E_POLICY);
    assert_int_equal(ask(p, &reader, POLICY_READ, "h", ""), SCOUT_E_POLICY); /* no path passes */
    /* A host that does not tell the real path: what depends on it is refused. */
    struct policy_request r = {
        .identity = &reader, .verb = POLICY_WRITE, .host = "h", .path_settled = true};
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_POLICY);
    assert_non_null(strstr(why.text, "does not tell the real path"));
    r.verb = POLICY_STAT;
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_POLICY); /* the rule "secret" */
    policy_free(p);
    p = policy_of(NULL, 0);
    assert_int_equal(policy_check(p, &r, &why), 0);
    r.verb = POLICY_READ;
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_POLICY);
    char longest[POLICY_PATH_MAX + 2];
    memset(longest, '/', sizeof longest);
    r.path = slice_of(longest, sizeof longest - 1);
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_POLICY);
    r.path.len--;
    assert_int_equal(policy_check(p, &r, &why), 0);
    policy_free(p);
}

static void secrets_are_not_read(void **state)
{
    static const char *const denied[] = {
        "/etc/shadow",
        "/etc/shadow-",
        "/etc//shadow",
        "/etc/gshadow",
        "/home/u/.ssh/id_rsa",
        "/home/u/.ssh/work",
        "/home/u/keys/id_ed25519",
        "/home/u/.ssh/old/x.pub",
        "/root/.netrc",
        "/etc/ssh/ssh_host_rsa_key",
        "/srv/app/.env",
        "/srv/app/.env.production",
        "/srv/prod.env",
        "/proc/1/environ",
        "/proc/12/task/12/mem",
        "/proc/kcore",
        "/dev/sda",
        "/dev/mem",
        "/home/u/.aws/credentials",
        "/home/u/.kube/config",
        "/home/u/.docker/config.json",
        "/home/u/.pgpass",
        "/home/u/.git-credentials",
        "/home/u/.gnupg/a/b",
        "/srv/tls/site.key",
        "/srv/tls/site.pem",
        "/etc/ssl/private/x",
        "/home/u/.bash_history",
        "/srv/.env/secret",
        "/run/secrets/db",
        "/etc/pki/tls/private/a.key",
        "/root/.config/gcloud/credentials.db",
        "/root/.config/gcloud/access_tokens.db",
        "/root/.config/gcloud/application_default_credentials.json",
        "/home/u/.config/gh/hosts.yml",
        "/etc/mysql/debian.cnf",
        "/etc/postfix/sasl_passwd",
        "/etc/postfix/sasl_passwd.db",
        "/home/u/.npmrc",
        "/home/u/.pypirc",
        "/home/u/.my.cnf",
        "/home/u/.vault-token",
        "/home/u/passwords.kdbx",
        "/etc/NetworkManager/system-connections/home.nmconnection",
        "/etc/wireguard/wg0.conf",
        "/etc/krb5.keytab",
        "/tmp/krb5cc_1000",
        "/run/user/1000/containers/auth.json",
        "/var/lib/docker/containers/0a1b/config.v2.json",
        "/var/lib/docker/swarm/certificates/x",
        "/etc/kubernetes/kubelet.conf",
        "/var/lib/rancher/k3s/server/cred/passwd",
        "/home/u/.cargo/credentials.toml",
        "/home/u/.m2/settings.xml",
        "/home/u/.local/share/keyrings/login.keyring",
        "/etc/ceph/ceph.client.admin.keyring",
        "/srv/vpn/office.ovpn",
        "/srv/infra/terraform.tfstate",
        "/var/lib/cloud/instances/i-1/user-data.txt",
        "/var/lib/tailscale/tailscaled.state",
        "/home/u/.mozilla/firefox/x.default/logins.json",
        "/home/u/.config/google-chrome/Default/Login Data",
        "/home/u/.local/share/fish/fish_history",
        "/home/u/.claude/.credentials.json",
        "/home/u/.cache/huggingface/token",
        "/etc/ssl/certs/a.key"};
    static const char *const open[] = {"/etc/passwd",
                                       "/home/u/.ssh/id_rsa.pub",
                                       "/home/u/.ssh/config",
                                       "/etc/ssh/sshd_config",
                                       "/etc/ssh/ssh_host_rsa_key.pub",
                                       "/srv/app/.env.example",

                                       "/etc/ssl/certs/ca.pem",
                                       "/proc/1/status",
                                       "/proc/meminfo",
                                       "/home/u/environ",
                                       "/srv/key/a",
                                       "/dev/null",
                                       "/home/u/.ssh/authorized_keys",
                                       "/srv/app/config.json",
                                       "/usr/share/doc/id_map",
                                       "/etc/ansible/hosts.yml",
                                       "/etc/mysql/my.cnf",
                                       "/etc/postfix/main.cf",
                                       "/srv/app/credentials.db",
                                       "/srv/app/auth.json",
                                       "/srv/app/settings.xml",
                                       "/srv/app/token",
                                       "/srv/app/logins.json",
                                       "/srv/infra/main.tf",
                                       "/srv/infra/keyring.py",
                                       "/home/u/.config/gh/config.yml",
                                       "/home/u/.cargo/config.toml",
                                       "/home/u/.config/gcloud/configurations/config_default",
                                       "/home/u/.mozilla/firefox/profiles.ini",
                                       "/var/lib/docker/containers/0a1b/hosts",
                                       "/var/log/cloud-init.log",
                                       "/etc/wpa_supplicant/action_wpa.sh",
                                       "/etc/openvpn/server.log",
                                       "/home/u/credentials"};
    struct policy *p = policy_of(NULL, 0);
    struct failure why = {0};
    (void)state;
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++) {
        struct policy_request r = {.identity = &operators,
                                   .verb = POLICY_QUERY,
                                   .host = "h",
                                   .path = slice_str(denied[i])};
        if (policy_check(p, &r, &why) != SCOUT_E_POLICY ||
            !strstr(why.text, "default read deny-list") || !strstr(why.text, "pattern \""))
            fail_msg("%s: %s", denied[i], why.text);
        r.names_only = true;
        assert_int_equal(policy_check(p, &r, &why), 0);
        assert_int_equal(ask(p, &operators, POLICY_READ, "h", denied[i]), SCOUT_E_POLICY);
        assert_int_equal(ask(p, &operators, POLICY_WRITE, "h", denied[i]), SCOUT_E_POLICY);
        assert_int_equal(ask(p, &operators, POLICY_TRANSFER, "h", denied[i]), SCOUT_E_POLICY);
        assert_int_equal(ask(p, &operators, POLICY_LIST, "h", denied[i]), 0); /* names only */
        assert_int_equal(ask(p, &operators, POLICY_STAT, "h", denied[i]), 0);
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        if (ask(p, &reader, POLICY_READ, "h", open[i]) != 0)
            fail_msg("%s", open[i]);
    /* A rule comes after the list; another list takes its place. */
    const struct policy_rule all = {.name = "all", .effect = POLICY_ALLOW};
    assert_int_equal(policy_add(p, &all, &why), 0);
    assert_int_equal(ask(p, &reader, POLICY_READ, "h", "/etc/shadow"), SCOUT_E_POLICY);
    assert_int_equal(policy_set_read_deny(p, &ITEMS("/srv/x", "!/srv/x/y/a*"), false, &why), 0);
    assert_int_equal(ask(p, &reader, POLICY_READ, "h", "/etc/shadow"), 0);
    assert_int_equal(ask(p, &reader, POLICY_READ, "h", "/srv/x/y"), SCOUT_E_POLICY);
    assert_int_equal(ask(p, &reader, POLICY_READ, "h", "/srv/x/y/ab"), 0);
    assert_int_equal(ask(p, &reader, POLICY_READ, "h", "/srv/x/y/ab/c"), SCOUT_E_POLICY);
    assert_int_equal(policy_set_read_deny(p, &ITEMS("/srv/x"), true, &why), 0);
    assert_int_equal(ask(p, &reader, POLICY_READ, "h", "/etc/shadow"), SCOUT_E_POLICY);
    assert_int_equal(ask(p, &reader, POLICY_READ, "h", "/srv/x"), SCOUT_E_POLICY);
    policy_free(p);
}

/* Who may not read a path may not have it queried or copied either. */
static void what_refuses_holds_for_its_kin(void **state)
{
    const struct policy_rule rules[] = {
        {.name = "r",
         .effect = POLICY_DENY,
         .verbs = POLICY_BIT(POLICY_READ),
         .paths = ITEMS("/r")},
        {.name = "w",
         .effect = POLICY_DENY,
         .verbs = POLICY_BIT(POLICY_WRITE),
         .paths = ITEMS("/w")},
        {.name = "a",
         .effect = POLICY_ALLOW,
         .verbs = POLICY_BIT(POLICY_READ),
         .paths = ITEMS("/a")},
        {.name = "q", .effect = POLICY_DENY, .verbs = POLICY_BIT(POLICY_QUERY)},
    };
    struct policy *p = policy_of(rules, 4);
    (void)state;
    assert_int_equal(ask(p, &operators, POLICY_QUERY, "h", "/r/x"), SCOUT_E_POLICY);
    assert_int_equal(ask(p, &operators, POLICY_TRANSFER, "h", "/r/x"), SCOUT_E_POLICY);
    assert_int_equal(ask(p, &operators, POLICY_LIST, "h", "/r/x"), 0);
    assert_int_equal(ask(p, &operators, POLICY_WRITE, "h", "/r/x"), 0);
    assert_int_equal(ask(p, &operators, POLICY_TRANSFER, "h", "/w/x"), SCOUT_E_POLICY);
    assert_int_equal(ask(p, &operators, POLICY_QUERY, "h", "/a/x"), SCOUT_E_POLICY);
    /* Of a transfer each way goes with its own. */
    assert_int_equal(ask_way(p, POLICY_FROM_HOST, "/r/x"), SCOUT_E_POLICY);
    assert_int_equal(ask_way(p, POLICY_TO_HOST, "/r/x"), 0);
    assert_int_equal(ask_way(p, POLICY_FROM_HOST, "/w/x"), 0);
    assert_int_equal(ask_way(p, POLICY_TO_HOST, "/w/x"), SCOUT_E_POLICY);
    policy_free(p);
}

static void a_refusal_names_the_rule(void **state)
{
    const struct policy_rule rule = {.name = "no-prod-restarts",
                                     .effect = POLICY_DENY,
                                     .verbs = POLICY_BIT(POLICY_RUN),
                                     .hosts = ITEMS("web*"),
                                     .commands = ITEMS("reboot *")};
    struct policy *p = policy_of(&rule, 1);
    struct failure why;
    struct policy_request r = {
        .identity = &operators, .verb = POLICY_RUN, .host = "web1", .line = slice_str("reboot")};
    (void)state;
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_POLICY);
    assert_non_null(strstr(why.text, "the rule \"no-prod-restarts\" denies run on web1"));
    assert_non_null(strstr(why.text, "It is for certain hosts and commands; "));
    r.line = slice_str("$X");
    assert_int_equal(policy_check(p, &r, &why), SCOUT_E_POLICY);
    assert_non_null(strstr(why.text, "cannot be told"));
    policy_free(p);
}

static void rules_that_mean_nothing_are_refused(void **state)
{
    const struct {
        struct policy_rule rule;
        const char *what;
    } cases[] = {
        {{.name = ""}, "name"},
        {{.name = "a\"b"}, "printable"},
        {{.name = "x", .hosts = {(const char *const[]){"!a"}, 1}}, "match nothing"},
        {{.name = "x", .hosts = {(const char *const[]){"a,b"}, 1}}, "comma"},
        {{.name = "x", .hosts = {(const char *const[]){""}, 1}}, "empty"},
        {{.name = "x", .paths = {(const char *const[]){"relative"}, 1}}, "begin with /"},
        {{.name = "x", .paths = {(const char *const[]){"!/x"}, 1}}, "no `!`"},
        {{.name = "x", .paths = {(const char *const[]){"/a/../b"}, 1}}, "no real path"},
        {{.name = "x", .paths = {(const char *const[]){"/a[b"}, 1}}, "no `]`"},
        {{.name = "x", .paths = {(const char *const[]){"/a[b/c]"}, 1}}, "no `]`"},
        {{.name = "x", .paths = {(const char *const[]){"/a[z-a]"}, 1}}, "ends before"},
        {{.name = "x", .paths = {(const char *const[]){"/a\\"}, 1}}, "backslash"},
        {{.name = "x", .commands = {(const char *const[]){"  "}, 1}}, "empty"},
        {{.name = "x", .verbs = POLICY_BIT(POLICY_RUN), .paths = {(const char *const[]){"/x"}, 1}},
         "cannot be decided for run"},
        {{.name = "x",
          .verbs = POLICY_BIT(POLICY_READ),
          .commands = {(const char *const[]){"x"}, 1}},
         "run and query alone"},
        {{.name = "x", .verbs = POLICY_BIT(POLICY_HOSTS), .hosts = {(const char *const[]){"x"}, 1}},
         "about all"},
    };
    struct policy *p = policy_of(NULL, 0);
    struct failure why;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(policy_add(p, &cases[i].rule, &why), SCOUT_E_INVALID_ARGUMENT);
        if (!strstr(why.text, cases[i].what))
            fail_msg("%zu: %s", i, why.text);
    }
    for (int i = 0; i <= POLICY_RULES_MAX; i++) {
        char name[16];
        const struct policy_rule rule = {.name = name};
        snprintf(name, sizeof name, "r%d", i);
        assert_int_equal(policy_add(p, &rule, &why), i < POLICY_RULES_MAX ? 0 : SCOUT_E_LIMIT);
    }
    const struct policy_rule again = {.name = "r1"};
    assert_int_equal(policy_add(p, &again, &why), SCOUT_E_INVALID_ARGUMENT);
    policy_free(p);
}

/* What an earlier rule takes away whole is not listed. */
static void what_is_taken_away_again_is_not_possible(void **state)
{
    const struct policy_rule rules[] = {
        {.name = "no", .effect = POLICY_DENY, .hosts = ITEMS("a"), .paths = ITEMS("/srv", "/opt")},
        {.name = "yes",
         .effect = POLICY_ALLOW,
         .verbs = POLICY_BIT(POLICY_WRITE),
         .hosts = ITEMS("a"),
         .paths = ITEMS("/opt")},
        {.name = "more",
         .effect = POLICY_ALLOW,
         .verbs = POLICY_BIT(POLICY_TRANSFER),
         .hosts = ITEMS("a"),
         .paths = ITEMS("/opt", "/var")},
    };
    struct policy *p = policy_of(rules, 3);
    (void)state;
    assert_int_equal(policy_possible(p, &reader, POLICY_EFFECTS), POLICY_BIT(POLICY_TRANSFER));
    policy_free(p);
}

/* Patterns that make a naive matcher take exponential time. */
static void matching_takes_bounded_time(void **state)
{
    const struct policy_rule rule = {
        .name = "r",
        .effect = POLICY_ALLOW,
        .verbs = POLICY_BIT(POLICY_WRITE),
        .paths = ITEMS("/**/a*a*a*a*a*a*a*a*a*a*a*a/**/b*b*b*b*b*b*b*b/**/a/**/a/**/a/**/a/**/c")};
    struct policy *p = policy_of(&rule, 1);
    char path[POLICY_PATH_MAX + 1];
    (void)state;
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = '\0';
    for (size_t i = 0; i < sizeof path - 1; i += 2)
        path[i] = '/';
    assert_int_equal(ask(p, &reader, POLICY_WRITE, "h", path), SCOUT_E_POLICY);
    for (size_t i = 2; i < sizeof path - 1; i += 2)
        path[i] = i % 512 ? 'a' : '/';
    path[sizeof path - 1] = '\0';
    assert_int_equal(ask(p, &reader, POLICY_WRITE, "h", path), SCOUT_E_POLICY);
    policy_free(p);
}

static int ask_below(const struct policy *p, bool names_only, const char *path, size_t *count)
{
    const char *globs[POLICY_BELOW_MAX];
    struct failure why = {0};
    const struct policy_request r = {.identity = &reader,
                                     .verb = POLICY_QUERY,
                                     .host = "h",
                                     .path = slice_str(path),
                                     .names_only = names_only};
    *count = 0;
    return policy_below(p, &r, globs, count, &why);
}

/* It cannot leave anything out; but names of secrets are no secrets. */
static void a_lister_is_refused_what_a_rule_refuses_below(void **state)
{
    const struct policy_rule rules[] = {
        {.name = "n", .effect = POLICY_DENY, .paths = ITEMS("**/hidden")},
        {.name = "d", .effect = POLICY_DENY, .paths = ITEMS("/srv/closed")},
    };
    struct policy *none = policy_new(), *first = policy_of(rules, 1);
    struct policy *second = policy_of(rules + 1, 1);
    size_t count;
    (void)state;
    assert_int_equal(ask_below(none, true, "/", &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(ask_below(none, false, "/", &count), 0);
    assert_true(count > 10);
    assert_int_equal(ask_below(first, true, "/var", &count), SCOUT_E_POLICY);
    assert_int_equal(ask_below(first, false, "/var", &count), 0);
    assert_int_equal(ask_below(second, true, "/srv", &count), SCOUT_E_POLICY);
    assert_int_equal(ask_below(second, true, "/srv/open", &count), 0);
    policy_free(none);
    policy_free(first);
    policy_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_the_role_decides),
        cmocka_unit_test(the_first_rule_that_matches_decides),
        cmocka_unit_test(paths_cover_what_is_below_them),
        cmocka_unit_test(a_path_that_is_not_known_yet_is_asked_about_again),
        cmocka_unit_test(secrets_are_not_read),
        cmocka_unit_test(what_refuses_holds_for_its_kin),
        cmocka_unit_test(a_refusal_names_the_rule),
        cmocka_unit_test(rules_that_mean_nothing_are_refused),
        cmocka_unit_test(a_lister_is_refused_what_a_rule_refuses_below),
        cmocka_unit_test(what_is_taken_away_again_is_not_possible),
        cmocka_unit_test(matching_takes_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
