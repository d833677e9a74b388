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
#include "ssh_config_writer.h"
#include <cmocka.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define GENERATED_COUNT 320
#define PRESETS_MAX     8
#define LINES_MAX       256
#define LINE_SIZE       512
#define BOTH_MAX        (2 * WRITER_TEXT_MAX + 16)

struct lines {
    char list[LINES_MAX][LINE_SIZE];
    unsigned count;
};

struct bench {
    struct lines *presets[PRESETS_MAX]; /* what ssh says of a name without any configuration */
    const char *preset_names[PRESETS_MAX];
    char dir[64];
    char home[256], user[64], machine[256];
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

/* ---- values, as lines "keyword value" that can be compared */

static void add_line(struct lines *l, const char *keyword, const char *value)
{
    assert_true(l->count < LINES_MAX);
    snprintf(l->list[l->count++], LINE_SIZE, "%s %s", keyword, value);
}

static bool has_line(const struct lines *l, const char *keyword, const char *value)
{
    char line[LINE_SIZE];
    snprintf(line, sizeof line, "%s %s", keyword, value);
    for (unsigned i = 0; i < l->count; i++)
        if (strcmp(l->list[i], line) == 0)
            return true;
    return false;
}

enum form {
    FORM_TEXT,
    FORM_CASELESS, /* compared in lower case, true and false as yes and no */
    FORM_TIME,
    FORM_NUMBER,
    FORM_WORDS, /* each word is a line of its own, once */
    FORM_RAW,   /* ssh does not expand it: we do it here for both */
};

static const struct {
    const char *keyword;
    enum form form;
} compared[] = {
    {"addressfamily", FORM_CASELESS},
    {"batchmode", FORM_CASELESS},
    {"bindaddress", FORM_TEXT},
    {"bindinterface", FORM_TEXT},
    {"canonicalizehostname", FORM_CASELESS},
    {"certificatefile", FORM_RAW},
    {"checkhostip", FORM_CASELESS},
    {"ciphers", FORM_TEXT},
    {"compression", FORM_CASELESS},
    {"connectionattempts", FORM_NUMBER},
    {"connecttimeout", FORM_TIME},
    {"forwardagent", FORM_CASELESS},
    {"globalknownhostsfile", FORM_TEXT},
    {"hashknownhosts", FORM_CASELESS},
    {"hostkeyalgorithms", FORM_TEXT},
    {"hostkeyalias", FORM_CASELESS},
    {"hostname", FORM_TEXT},
    {"identitiesonly", FORM_CASELESS},
    {"identityagent", FORM_TEXT},
    {"identityfile", FORM_RAW},
    {"kexalgorithms", FORM_TEXT},
    {"loglevel", FORM_CASELESS},
    {"macs", FORM_TEXT},
    {"port", FORM_NUMBER},
    {"proxycommand", FORM_TEXT},
    {"proxyjump", FORM_TEXT},
    {"pubkeyacceptedalgorithms", FORM_TEXT},
    {"pubkeyauthentication", FORM_CASELESS},
    {"requiredrsasize", FORM_NUMBER},
    {"sendenv", FORM_WORDS},
    {"serveralivecountmax", FORM_NUMBER},
    {"serveraliveinterval", FORM_TIME},
    {"stricthostkeychecking", FORM_CASELESS},
    {"user", FORM_TEXT},
    {"userknownhostsfile", FORM_TEXT},
};

static int form_of(const char *keyword)
{
    for (size_t i = 0; i < sizeof compared / sizeof compared[0]; i++)
        if (strcasecmp(compared[i].keyword, keyword) == 0)
            return (int)i;
    return -1;
}

static unsigned long seconds_of(const char *text)
{
    unsigned long total = 0;
    char *end;
    while (*text) {
        unsigned long n = strtoul(text, &end, 10);
        total += n * (*end == 'm'   ? 60
                      : *end == 'h' ? 3600
                      : *end == 'd' ? 86400
                      : *end == 'w' ? 604800
                                    : 1);
        text = *end ? end + 1 : end;
    }
    return total;
}

static void put_line(struct lines *l, int index, const char *value)
{
    char text[LINE_SIZE];
    const char *keyword = compared[index].keyword;
    snprintf(text, sizeof text, "%s", value);
    switch (compared[index].form) {
    case FORM_CASELESS:
        for (char *c = text; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || strcmp(text, "off") == 0)
            snprintf(text, sizeof text, "%s", text[0] == 't' ? "yes" : "no");
        break;
    case FORM_TIME:
    case FORM_NUMBER:
        if (strcmp(text, "none") != 0)
            snprintf(text, sizeof text, "%lu", seconds_of(value));
        break;
    case FORM_WORDS:
        for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
            if (!has_line(l, keyword, word))
                add_line(l, keyword, word);
        return;
    default:
        if (strcmp(text, "none") == 0 && strcmp(keyword, "proxycommand") == 0)
            return; /* ssh prints nothing then */
        if (strcmp(text, "none") == 0 && strcmp(keyword, "proxyjump") == 0)
            return;
    }
    add_line(l, keyword, text);
}

/* ---- what ssh says */

/* False when ssh refuses the configuration. */
static bool ask_ssh(const char *file, const char *name, struct lines *l)
{
    char command[256], line[8192];
    l->count = 0;
    snprintf(command, sizeof command, "ssh -G -F %s %s 2>/dev/null </dev/null", file, name);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *value = strchr(line, ' ');
        if (!value)
            continue;
        *value++ = '\0';
        int index = form_of(line);
        if (index >= 0)
            put_line(l, index, value);
    }
    return pclose(f) == 0;
}

/* ---- what we say */

struct ours {
    struct lines lines;
    bool set[sizeof compared / sizeof compared[0]];
    bool unsure; /* refused for what cannot be known here */
};

static void take_row(void *context, const struct ssh_explained *row)
{
    struct ours *o = context;
    int index = form_of(row->keyword);
    if (row->standing == SSH_STANDING_REFUSED && !strstr(row->reason, "is not supported yet") &&
        !strstr(row->reason, "leave nothing to check"))
        o->unsure = true;
    bool always = strcmp(row->keyword, "HostName") == 0 || strcmp(row->keyword, "User") == 0 ||
                  strcmp(row->keyword, "Port") == 0;
    if (index < 0 || (!row->file && !always))
        return;
    o->set[index] = true;
    put_line(&o->lines, index, row->value);
}

/* ---- what ssh leaves as it is */

static const char *value_of(const struct lines *l, const char *keyword)
{
    size_t len = strlen(keyword);
    for (unsigned i = 0; i < l->count; i++)
        if (strncmp(l->list[i], keyword, len) == 0 && l->list[i][len] == ' ')
            return l->list[i] + len + 1;
    return NULL;
}

static const char *token(const struct bench *b, const struct lines *l, const char *name, char c)
{
    static char text[256];
    switch (c) {
    case 'h':
        return value_of(l, "hostname");
    case 'n':
        return name;
    case 'p':
        return value_of(l, "port");
    case 'r':
        return value_of(l, "user");
    case 'k':
        return value_of(l, "hostkeyalias") ? value_of(l, "hostkeyalias") : name;
    case 'u':
        return b->user;
    case 'd':
        return b->home;
    case 'l':
        return b->machine;
    case 'L':
        snprintf(text, sizeof text, "%.*s", (int)strcspn(b->machine, "."), b->machine);
        return text;
    case 'i':
        snprintf(text, sizeof text, "%u", (unsigned)getuid());
        return text;
    default:
        return "%";
    }
}

static void expand_line(const struct bench *b, const struct lines *l, const char *name, char *line)
{
    char out[2 * LINE_SIZE] = "", *raw = strchr(line, ' ') + 1;
    size_t len = (size_t)snprintf(out, sizeof out, "%.*s", (int)(raw - line), line);
    if (*raw == '~') {
        len += (size_t)snprintf(out + len, sizeof out - len, "%s", b->home);
        raw++;
    }
    while (*raw) {
        if (strncmp(raw, "${HOME}", 7) == 0) {
            len += (size_t)snprintf(out + len, sizeof out - len, "%s", getenv("HOME"));
            raw += 7;
        } else if (*raw == '%') {
            len += (size_t)snprintf(out + len, sizeof out - len, "%s", token(b, l, name, raw[1]));
            raw += 2;
        } else {
            out[len++] = *raw++;
            out[len] = '\0';
        }
    }
    snprintf(line, LINE_SIZE, "%.*s", LINE_SIZE - 1, out);
}

static void expand_raw(const struct bench *b, const char *name, struct lines *l)
{
    for (unsigned i = 0; i < l->count; i++)
        for (size_t k = 0; k < sizeof compared / sizeof compared[0]; k++) {
            size_t len = strlen(compared[k].keyword);
            if (compared[k].form == FORM_RAW && l->list[i][len] == ' ' &&
                strncmp(l->list[i], compared[k].keyword, len) == 0)
                expand_line(b, l, name, l->list[i]);
        }
}

/* ---- side by side */

/* All lines of a keyword, joined. */
static void join(const struct lines *l, const char *keyword, char *out, size_t size)
{
    size_t len = strlen(keyword), at = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < l->count && at < size; i++)
        if (strncmp(l->list[i], keyword, len) == 0 && l->list[i][len] == ' ')
            at += (size_t)snprintf(out + at, size - at, "[%s]", l->list[i] + len + 1);
}

static void compare(struct bench *b, const struct ours *o, const struct lines *theirs,
                    const struct lines *preset, const char *name, const char *text)
{
    char ours[8192], expected[8192];
    for (size_t i = 0; i < sizeof compared / sizeof compared[0]; i++) {
        const char *keyword = compared[i].keyword;
        join(theirs, keyword, expected, sizeof expected);
        join(o->set[i] ? &o->lines : preset, keyword, ours, sizeof ours);
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

static const struct lines *preset_of(struct bench *b, const char *name)
{
    unsigned i = 0;
    while (i < PRESETS_MAX && b->presets[i] && strcmp(b->preset_names[i], name) != 0)
        i++;
    assert_true(i < PRESETS_MAX);
    if (b->presets[i])
        return b->presets[i];
    b->presets[i] = calloc(1, sizeof(struct lines));
    b->preset_names[i] = name;
    assert_non_null(b->presets[i]);
    assert_true(ask_ssh("/dev/null", name, b->presets[i]));
    expand_raw(b, name, b->presets[i]);
    return b->presets[i];
}

/* Compares one host. `text` is what the file DIR/config has; we read it as that, or, with `split`,
 * from DIR/user and DIR/system. */
static void check(struct bench *b, const char *text, const char *name, bool split)
{
    char path[128], user[128], system_path[128];
    struct ssh_config *config;
    struct failure why;
    struct lines *theirs = calloc(1, sizeof *theirs);
    struct ours *o = calloc(1, sizeof *o);
    const struct ssh_config_env env = {.home = b->home,
                                       .user = b->user,
                                       .dir = b->dir,
                                       .machine = b->machine,
                                       .uid = getuid(),
                                       .read = read_glob,
                                       .variable = variable,
                                       .exec = run_command};
    assert_true(theirs && o);
    snprintf(path, sizeof path, "%s/config", b->dir);
    snprintf(user, sizeof user, "%s/user", b->dir);
    snprintf(system_path, sizeof system_path, "%s/system", b->dir);
    bool accepted = ask_ssh(path, name, theirs);
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
            expand_raw(b, name, theirs);
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
    snprintf(b->home, sizeof b->home, "%s", me->pw_dir);
    snprintf(b->user, sizeof b->user, "%s", me->pw_name);
    assert_int_equal(gethostname(b->machine, sizeof b->machine), 0);
    assert_int_equal(setenv("HOME", b->home, 1), 0);
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
