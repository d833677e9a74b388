/* Our reading of ssh_config beside that of the real ssh: `ssh -G -F file host` prints what it would
 * do and contacts nobody. Hand-written configurations, then generated ones (ssh_config_writer.c,
 * seeded: SCOUT_TEST_SEED and SCOUT_TEST_COUNT), as one file and as a user's and a system's. Each
 * value of each keyword that ssh prints must be the same, also of those that are not honoured; what
 * ssh refuses must be refused. Skipped where ssh is not installed. */
#include "scout/ssh/ssh_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include "ssh_config_oracle.h"
#include "ssh_config_writer.h"
#include <cmocka.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GENERATED_COUNT 320
#define PRESETS_MAX     8
#define BOTH_MAX        (2 * WRITER_TEXT_MAX + 16)

struct bench {
    struct oracle_lines
        *presets[PRESETS_MAX]; /* what ssh says of a name without any configuration */
    const char *preset_names[PRESETS_MAX];
    char dir[64];
    struct oracle_place place;
    unsigned compared, values, refused;
};

/* ---- the environment of our reading */

static size_t read_whole(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return SIZE_MAX;
    size_t len = fread(out, 1, size, f);
    fclose(f);
    return len;
}

static int read_glob(void *context, const char *pattern,
                     int (*take)(void *, const char *, struct slice), void *take_context)
{
    (void)context;
    glob_t found;
    int error = SCOUT_E_NOT_FOUND;
    if (glob(pattern, 0, NULL, &found) != 0)
        return error;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        static char texts[SSH_CONFIG_INCLUDE_DEPTH + 1][WRITER_TEXT_MAX];
        static unsigned depth;
        size_t len = read_whole(found.gl_pathv[i], texts[depth], WRITER_TEXT_MAX);
        assert_true(len != SIZE_MAX && depth < SSH_CONFIG_INCLUDE_DEPTH);
        depth++;
        error = take(take_context, found.gl_pathv[i], slice_of(texts[depth - 1], len));
        depth--;
        if (error)
            break;
    }
    globfree(&found);
    return error;
}

static const char *variable(const char *name)
{
    return getenv(name);
}

static int run_command(void *context, const char *command)
{
    (void)context;
    return system(command) == 0;
}

/* ---- what we say */

struct ours {
    struct oracle_lines lines;
    bool set[ORACLE_KEYWORDS_MAX];
    bool unsure; /* refused for what cannot be known here */
};

static void take_row(void *context, const struct ssh_explained *row)
{
    struct ours *o = context;
    int index = oracle_index(row->keyword);
    if (row->standing == SSH_STANDING_REFUSED && !strstr(row->reason, "is not supported yet") &&
        !strstr(row->reason, "leave nothing to check"))
        o->unsure = true;
    bool always = strcmp(row->keyword, "HostName") == 0 || strcmp(row->keyword, "User") == 0 ||
                  strcmp(row->keyword, "Port") == 0;
    if (index < 0 || (!row->file && !always))
        return;
    o->set[index] = true;
    oracle_put(&o->lines, (size_t)index, row->value);
}

/* ---- side by side */

static void compare(struct bench *b, const struct ours *o, const struct oracle_lines *theirs,
                    const struct oracle_lines *preset, const char *name, const char *text)
{
    char ours[8192], expected[8192];
    const char *keyword;
    for (size_t i = 0; (keyword = oracle_keyword(i)); i++) {
        oracle_join(theirs, keyword, expected, sizeof expected);
        oracle_join(o->set[i] ? &o->lines : preset, keyword, ours, sizeof ours);
        if (strcmp(ours, expected) != 0)
            fail_msg("%s of host %s (%s) in %s with\n%s\nwe:  %s\nssh: %s", keyword, name,
                     o->set[i] ? "set" : "not set", b->dir, text, ours, expected);
        b->values += o->set[i];
    }
    b->compared++;
}

static void write_file(const struct bench *b, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static const struct oracle_lines *preset_of(struct bench *b, const char *name)
{
    unsigned i = 0;
    while (i < PRESETS_MAX && b->presets[i] && strcmp(b->preset_names[i], name) != 0)
        i++;
    assert_true(i < PRESETS_MAX);
    if (b->presets[i])
        return b->presets[i];
    b->presets[i] = calloc(1, sizeof(struct oracle_lines));
    b->preset_names[i] = name;
    assert_non_null(b->presets[i]);
    assert_true(oracle_ask("/dev/null", name, b->presets[i]));
    oracle_expand(&b->place, name, b->presets[i]);
    return b->presets[i];
}

/* Compares one host. `text` is what the file DIR/config has; we read it as that, or, with `split`,
 * from DIR/user and DIR/system. */
static void check(struct bench *b, const char *text, const char *name, bool split)
{
    char path[128], user[128], system_path[128];
    struct ssh_config *config;
    struct failure why;
    struct oracle_lines *theirs = calloc(1, sizeof *theirs);
    struct ours *o = calloc(1, sizeof *o);
    const struct ssh_config_env env = {.home = b->place.home,
                                       .user = b->place.user,
                                       .dir = b->dir,
                                       .machine = b->place.machine,
                                       .uid = getuid(),
                                       .read = read_glob,
                                       .variable = variable,
                                       .exec = run_command};
    assert_true(theirs && o);
    snprintf(path, sizeof path, "%s/config", b->dir);
    snprintf(user, sizeof user, "%s/user", b->dir);
    snprintf(system_path, sizeof system_path, "%s/system", b->dir);
    bool accepted = oracle_ask(path, name, theirs);
    int error = split ? ssh_config_load(&config, user, system_path, &env, &why)
                      : ssh_config_load(&config, path, NULL, &env, &why);
    if (error) {
        b->refused++;
        if (accepted)
            fail_msg("ssh accepts what we do not (%s):\n%s", why.text, text);
    } else {
        error = ssh_config_explain(config, name, take_row, o, &why);
        if (!error && !accepted)
            fail_msg("ssh refuses, for %s:\n%s", name, text);
        if (o->unsure || !accepted) {
            b->refused++;
            assert_int_equal(error, SCOUT_E_HOST_REFUSED);
        } else {
            oracle_expand(&b->place, name, theirs);
            compare(b, o, theirs, preset_of(b, name), name, text);
        }
        ssh_config_free(config);
    }
    free(theirs);
    free(o);
}

static void start(struct bench *b)
{
    *b = (struct bench){0};
    struct passwd *me = getpwuid(getuid());
    if (access("/usr/bin/ssh", X_OK) != 0 || !me) {
        print_message("skipped: ssh is not installed\n");
        skip();
    }
    snprintf(b->place.home, sizeof b->place.home, "%s", me->pw_dir);
    snprintf(b->place.user, sizeof b->place.user, "%s", me->pw_name);
    assert_int_equal(gethostname(b->place.machine, sizeof b->place.machine), 0);
    assert_int_equal(setenv("HOME", b->place.home, 1), 0);
    snprintf(b->dir, sizeof b->dir, "/tmp/scout-ssh-config-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
}

static void stop(const struct bench *b)
{
    char command[96];
    for (unsigned i = 0; i < PRESETS_MAX; i++)
        free(b->presets[i]);
    snprintf(command, sizeof command, "rm -rf %s", b->dir);
    assert_int_equal(system(command), 0);
}

static const char *const hand_written[] = {
    "",
    "Host a\n HostName a.example\n User u\n Port 23\n",
    "HOST a\nhostname=A.Example\nUSER = u\n\tport\t=\t23\n",
    "Host b\n Port 1\nHost a b\n Port 2\nHost *\n Port 3\n",
    "Host *.example !db.example\n User x\nHost db.example\n User y\n",
    "Host !a\n User x\n",
    "Host ?\n User one\nHost a*\n User two\n",
    "Host A\n Port 5\nHost a\n Port 6\n",
    "Host \"a\" 'b'\n User \"x y\"\n",
    "User a\\ b\n",
    "User \"a\\\"b\"\n",
    "User 'a\"b'\n",
    "User a\"b c\"d\n",
    "Port 22 # comment\nUser u#v\n",
    "  # comment\n\n\t\nHost a # b\n Port 7\n",
    "Host a\r\n Port 8\r\n User u\r\n",
    "Host a\n HostName %h.example.org\n",
    "Host a\n HostName 127.1\n",
    "Host a\n HostName 2001:DB8::0:1\n",
    "Host a\n HostName x%%y\n",
    "IdentityFile ~/.ssh/%h_%n_%r_%u_%p_%%\nIdentityFile %d/k\n",
    "IdentityFile /k/1\nHost a\n IdentityFile /k/2\n IdentityFile none\nIdentityFile /k/1\n",
    "UserKnownHostsFile /k/a /k/b\nUserKnownHostsFile /k/c\n",
    "UserKnownHostsFile ~/kh_%h %d/kh\n",
    "ConnectTimeout none\nConnectTimeout 2h3\n",
    "ConnectTimeout 1w2d3h4m5s\n",
    "Match all\n Port 9\n",
    "Match host a,b user root,me,u\n Port 9\n",
    "Host a\n HostName b\nMatch host b\n Port 9\nMatch originalhost a\n User z\n",
    "Match host *.example,!db.example\n Port 9\nMatch !host a\n User w\n",
    "Host a\n HostName b.example\nHost b.example\n User second\nMatch final\n Port 10\n",
    "Match final host b.example\n Port 10\nHost a\n HostName b.example\nMatch canonical\n Port 1\n",
    "User first\nMatch user first\n Port 11\nMatch user root\n Port 12\n",
    "Match localuser root\n Port 13\nMatch all\n Port 14\n",
    "Match canonical all\n Port 15\nMatch !canonical\n Port 16\n",
    "Match host=\"a\"\n Port 17\nMatch host \"b,c\" # x\n Port 18\n",
    "ProxyJump none\nProxyCommand nc %h %p\n",
    "ProxyCommand none\nProxyJump b\n",
    "ProxyCommand=none\n",
    "Host a\n ProxyJump b\n",
    "Host a\n ProxyJump none # x\n",
    "AddressFamily any\nAddressFamily inet\nCanonicalizeHostname no\n",
    "StrictHostKeyChecking no\nForwardAgent yes\nCompression yes\nHost a\n Port 3\n",
    "Host a\n Port 022\n",
    "Host\n Port 1\n",
    "Port\n",
    "Port x\n",
    "User\n",
    "User a b\n",
    "User \"a\n",
    "Match\n",
    "Match nonsense\n",
    "Match all host a\n",
    "Match host\n",
    "UserKnownHostsFile none /x\n",
    "ConnectTimeout 5x\n",
    "Port \\22\n",
    "User \"a b\"c\\ d\n",
    "User\t=\t\"=\"\n",
    "User == u\n",
    "Host a\n  User\tu  # not the user\n",
    "IdentityFile \"~/a b\"\nIdentityFile '~/c'\n",
    "IdentityFile ~/${HOME}/%%h\n",
    "UserKnownHostsFile ~/%i-%l-%L-%k-%C\nHostKeyAlias Q\n",
    "HostName %h.example\nHostKeyAlias %h\n",
    "Host a\n ProxyCommand = nc -x \"a b\" %h # all of it\n",
    "ProxyJump none\nProxyCommand nc\n",
    "ProxyJump b\nProxyCommand nc\n",
    "ProxyCommand nc\nProxyJump b\n",
    "ProxyJump u@[::1]:22,v@k:1\n",
    "ProxyJump b:x\n",
    "ProxyJump b,,c\n",
    "ProxyJump ,b\n",
    "IdentityAgent $HOME\n",
    "IdentityAgent $\n",
    "IdentityAgent ${HOME}x\n",
    "IdentityAgent \"none\"\n",
    "ServerAliveInterval none\nServerAliveInterval 7\n",
    "ServerAliveCountMax 0\nConnectionAttempts 2147483647\n",
    "ServerAliveCountMax -1\n",
    "ConnectionAttempts x\n",
    "AddressFamily INET6\nStrictHostKeyChecking ASK\n",
    "StrictHostKeyChecking sure\n",
    "IdentitiesOnly TRUE\n",
    "IdentitiesOnly maybe\n",
    "IdentitiesOnly\n",
    "IgnoreUnknown Nonsense*,other\nNonsensical x y\nOther \"z\"\n",
    "SendEnv A B\nSendEnv C\nHost b\n SendEnv D\n",
    "SendEnv A BB\nSendEnv -B* C\nHost b\n SendEnv -A D\n",
    "SendEnv LC_* -LC_A\nSendEnv -? A -* B\n",
    "SendEnv A=1\n",
    "SendEnv\n",
    "GlobalKnownHostsFile ~/x %h\n",
    "CertificateFile /c/1\nCertificateFile /c/2\nCertificateFile /c/1\n",
    "Host a\n HostName b\nMatch final host b\n HostName c\n Port 4\nMatch !final\n Port 5\n",
    "Match final all\n Port 6\nMatch all # x\n Port 7\n",
    "Match exec true\n Port 6\nMatch !exec \"false\" user root\n User z\nHost a b db.example A\n",
    "HostName x.org\nMatch exec \"test %h-%n-%p-%r = x.org-a-22-root\"\n Port 6\nHost a b "
    "db.example A\n",
    "Match exec \"exit 3\"\n Port 6\nHost a b db.example A\n",
    "UsePrivilegedPort yes\nKeepAlive no\nDSAAuthentication yes\nPubkeyAcceptedKeyTypes "
    "ssh-ed25519\n",
    "Host *\n\nUser\tq\n\n\n#\n #\nHost a#b\n Port 2\n",
    "Host a'b'\n Port 2\nHost \"a\"b\n Port 3\n",
    "HostName \"\"\n",
    "Host \"\"\n Port 4\n",
    "Include /nonexistent/x* /nonexistent\nPort 5\n",
};

static void hand_written_configurations_mean_the_same(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "db.example", "A"};
    struct bench b;
    start(&b);
    for (size_t i = 0; i < sizeof hand_written / sizeof hand_written[0]; i++) {
        write_file(&b, "config", hand_written[i]);
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
            check(&b, hand_written[i], names[n], false);
    }
    print_message("%u hosts, %u values compared, %u refused\n", b.compared, b.values, b.refused);
    assert_true(b.compared > 250);
    stop(&b);
}

static void generated_configurations_mean_the_same(void **state)
{
    (void)state;
    const char *seed_given = getenv("SCOUT_TEST_SEED"), *count_given = getenv("SCOUT_TEST_COUNT");
    uint64_t first = seed_given ? strtoull(seed_given, NULL, 10) : 1;
    uint64_t count = count_given ? strtoull(count_given, NULL, 10) : GENERATED_COUNT;
    struct bench b;
    struct ssh_config_writer *w = calloc(1, sizeof *w), *system_file = calloc(1, sizeof *w);
    char *both = malloc(BOTH_MAX);
    assert_true(w && system_file && both);
    start(&b);
    for (uint64_t seed = first; seed < first + count; seed++) {
        writer_file(w, seed, 2, b.dir);
        write_file(&b, "two", w->text);
        writer_file(w, seed, 1, b.dir);
        write_file(&b, "one", w->text);
        writer_file(w, seed, 0, b.dir);
        write_file(&b, "config", w->text);
        check(&b, w->text, writer_hosts[seed % 5], false);
        /* The second file begins outside of all blocks, as behind a Match all. */
        writer_file(system_file, seed + 1000000, 0, b.dir);
        write_file(&b, "user", w->text);
        write_file(&b, "system", system_file->text);
        snprintf(both, BOTH_MAX, "%sMatch all\n%s", w->text, system_file->text);
        write_file(&b, "config", both);
        check(&b, both, writer_hosts[(seed + 1) % 5], true);
    }
    print_message("%u hosts, %u values compared, %u refused\n", b.compared, b.values, b.refused);
    assert_true(b.compared > count);
    free(w);
    free(system_file);
    free(both);
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hand_written_configurations_mean_the_same),
        cmocka_unit_test(generated_configurations_mean_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
