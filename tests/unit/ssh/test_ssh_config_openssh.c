/* Our reading of ssh_config beside that of the real ssh: `ssh -G -F file host` prints what it would
 * do and contacts nobody. Hand-written configurations, then generated ones (seeded). Where we
 * accept a host, every value must be the same, and ssh must see nothing that we would have to
 * refuse. Skipped where ssh is not installed. */
#include "scout/ssh/ssh_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define GENERATED_COUNT 150
#define TEXT_MAX        16384

struct bench {
    char dir[64];
    char home[256], user[64];
    unsigned compared, refused;
};

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
        static char texts[SSH_CONFIG_INCLUDE_DEPTH + 1][TEXT_MAX];
        static unsigned depth;
        size_t len = read_whole(found.gl_pathv[i], texts[depth], TEXT_MAX);
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

/* What ssh -G says. */
struct answer {
    char hostname[256], user[256], known_hosts[2048], timeout[32];
    unsigned port;
    char identities[4096]; /* expanded by us: ssh prints them raw */
    char forbidden[256];   /* a line that we must not have accepted */
};

static void append_expanded(char *out, size_t size, const char *raw, const struct bench *b,
                            const struct answer *a, const char *name)
{
    size_t len = strlen(out);
    char port[16];
    snprintf(port, sizeof port, "%u", a->port);
    len += (size_t)snprintf(out + len, size - len, "%s", len ? " " : "");
    if (*raw == '~') {
        len += (size_t)snprintf(out + len, size - len, "%s", b->home);
        raw++;
    }
    for (; *raw; raw++) {
        const char *value = NULL;
        char one[2] = {*raw, '\0'};
        if (*raw == '%') {
            raw++;
            value = *raw == 'h'   ? a->hostname
                    : *raw == 'n' ? name
                    : *raw == 'p' ? port
                    : *raw == 'r' ? a->user
                    : *raw == 'u' ? b->user
                    : *raw == 'd' ? b->home
                                  : "%";
        }
        len += (size_t)snprintf(out + len, size - len, "%s", value ? value : one);
    }
}

static bool is_forbidden(const char *keyword, const char *value)
{
    static const char *const always[] = {"proxyjump",         "proxycommand",    "hostkeyalias",
                                         "knownhostscommand", "revokedhostkeys", "bindaddress",
                                         "bindinterface"};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        if (strcmp(keyword, always[i]) == 0)
            return strcmp(value, "none") != 0;
    return (strcmp(keyword, "addressfamily") == 0 && strcmp(value, "any") != 0) ||
           (strcmp(keyword, "canonicalizehostname") == 0 && strcmp(value, "false") != 0);
}

/* False when ssh refuses the configuration. */
static bool ask_ssh(const struct bench *b, const char *name, struct answer *a)
{
    char command[256], line[4096], raw[32][512];
    unsigned raw_count = 0;
    *a = (struct answer){0};
    snprintf(command, sizeof command, "ssh -G -F %s/config %s 2>/dev/null </dev/null", b->dir,
             name);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *value = strchr(line, ' ');
        if (!value)
            continue;
        *value++ = '\0';
        if (strcmp(line, "hostname") == 0)
            snprintf(a->hostname, sizeof a->hostname, "%.255s", value);
        else if (strcmp(line, "user") == 0)
            snprintf(a->user, sizeof a->user, "%.255s", value);
        else if (strcmp(line, "port") == 0)
            a->port = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(line, "connecttimeout") == 0)
            snprintf(a->timeout, sizeof a->timeout, "%.31s", value);
        else if (strcmp(line, "userknownhostsfile") == 0)
            snprintf(a->known_hosts, sizeof a->known_hosts, "%.2047s", value);
        else if (strcmp(line, "identityfile") == 0 && strcasecmp(value, "none") != 0 &&
                 raw_count < 32)
            snprintf(raw[raw_count++], sizeof raw[0], "%.511s", value);
        else if (is_forbidden(line, value))
            snprintf(a->forbidden, sizeof a->forbidden, "%.60s %.180s", line, value);
    }
    for (unsigned i = 0; i < raw_count; i++)
        append_expanded(a->identities, sizeof a->identities, raw[i], b, a, name);
    return pclose(f) == 0;
}

static void join(char *out, size_t size, const char *paths, uint32_t count)
{
    out[0] = '\0';
    for (uint32_t i = 0; i < count; i++)
        snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? " " : "",
                 paths + i * SSH_CONFIG_PATH_MAX);
}

static void compare(const struct bench *b, const struct ssh_host *h, const struct answer *a,
                    const char *text)
{
    char identities[4096], known_hosts[2048], timeout[32] = "none";
    join(identities, sizeof identities, h->identities[0], h->identity_count);
    join(known_hosts, sizeof known_hosts, h->known_hosts[0], h->known_hosts_count);
    if (h->connect_timeout_s > 0)
        snprintf(timeout, sizeof timeout, "%u", h->connect_timeout_s);
    /* ssh prints its defaults where nothing is set. */
    bool default_identities = h->identity_count == 0 && strstr(a->identities, "/.ssh/id_ed25519");
    bool default_known_hosts =
        h->known_hosts_count == 0 && strstr(a->known_hosts, "/.ssh/known_hosts2");
    if (strcmp(h->hostname, a->hostname) != 0 || strcmp(h->user, a->user) != 0 ||
        h->port != a->port || strcmp(timeout, a->timeout) != 0 ||
        (!default_identities && strcmp(identities, a->identities) != 0) ||
        (!default_known_hosts && strcmp(known_hosts, a->known_hosts) != 0) || a->forbidden[0])
        fail_msg(
            "host %s in %s with\n%s\nwe:  %s %s %u %s [%s] [%s]\nssh: %s %s %u %s [%s] [%s] %s",
            h->name, b->dir, text, h->hostname, h->user, h->port, timeout, identities, known_hosts,
            a->hostname, a->user, a->port, a->timeout, a->identities, a->known_hosts, a->forbidden);
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

/* Compares one host. `text` is what the file `config` has. */
static void check(struct bench *b, const char *text, const char *name)
{
    char path[128];
    struct ssh_config *config;
    struct failure why;
    struct answer a;
    const struct ssh_config_env env = {
        .home = b->home, .user = b->user, .dir = b->dir, .read = read_glob};
    struct ssh_host *h = malloc(sizeof *h);
    assert_non_null(h);
    snprintf(path, sizeof path, "%s/config", b->dir);
    int error = ssh_config_load(&config, path, &env, &why);
    if (error) {
        b->refused++;
        if (ask_ssh(b, name, &a))
            fail_msg("ssh accepts what we do not (%s):\n%s", why.text, text);
    } else {
        if (ssh_config_resolve(config, name, h, &why) != 0) {
            b->refused++;
        } else {
            if (!ask_ssh(b, name, &a))
                fail_msg("ssh refuses, for %s:\n%s", name, text);
            compare(b, h, &a, text);
            b->compared++;
        }
        ssh_config_free(config);
    }
    free(h);
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
    snprintf(b->dir, sizeof b->dir, "/tmp/scout-ssh-config-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
}

static void stop(const struct bench *b)
{
    char command[96];
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
            check(&b, hand_written[i], names[n]);
    }
    print_message("%u hosts compared, %u refused\n", b.compared, b.refused);
    assert_true(b.compared > 140);
    stop(&b);
}

/* ---- generated ones */

struct writer {
    char text[TEXT_MAX];
    size_t len;
    uint64_t random;
};

static unsigned pick(struct writer *w, unsigned count)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (unsigned)(w->random >> 33) % count;
}

static void say(struct writer *w, const char *text)
{
    w->len += (size_t)snprintf(w->text + w->len, sizeof w->text - w->len, "%s", text);
    assert_true(w->len < sizeof w->text);
}

#define ONE_OF(w, list) ((list)[pick((w), sizeof(list) / sizeof(list)[0])])

static const char *const patterns[] = {"a",         "b",   "*",      "a*",    "?",
                                       "*.example", "!b",  "!*.org", "c.org", "a.example",
                                       "*.org",     "??*", "!a",     "10.*",  "x"};
static const char *const match_patterns[] = {
    "a",        "b,a*", "*.example,!db.example", "!b", "*,!a", "A", "10.0.0.1", "c.org", "!x,b,*",
    "real.org", "*"};
static const char *const criteria[] = {"host", "originalhost", "user", "localuser", "Host"};
static const char *const users[] = {"root", "u,v", "u", "*", "!u,*", "nobody"};
static const char *const settings[] = {
    "HostName real.org",
    "HostName %h.example",
    "HostName 10.0.0.1",
    "HostName b",
    "User u",
    "User v",
    "User \"w w\"",
    "Port 2200",
    "port=23",
    "Port \"24\"",
    "IdentityFile /k/1",
    "IdentityFile ~/k/%h",
    "IdentityFile %d/%r-%p",
    "IdentityFile /k/%n%%",
    "UserKnownHostsFile /h/1 /h/2",
    "UserKnownHostsFile ~/h/%h",
    "ConnectTimeout 5",
    "ConnectTimeout 1m",
    "ConnectTimeout none",
    "ProxyJump none",
    "ProxyCommand none",
    "ForwardAgent no",
    "AddressFamily any",
    "ServerAliveInterval 30",
};
static const char *const dangerous[] = {
    "ProxyJump j",     "ProxyCommand nc %h 1",    "HostKeyAlias k",      "AddressFamily inet",
    "BindAddress ::1", "CanonicalizeHostname no", "RevokedHostKeys none"};

static void write_match(struct writer *w)
{
    say(w, pick(w, 3) ? "Match" : "  match");
    unsigned count = 1 + pick(w, 2);
    if (pick(w, 12) == 0) {
        say(w, pick(w, 2) ? " all\n" : " canonical\n");
        return;
    }
    if (pick(w, 10) == 0)
        say(w, " final");
    if (pick(w, 15) == 0)
        say(w, pick(w, 2) ? " exec true" : " exec \"false\"");
    for (unsigned i = 0; i < count; i++) {
        const char *criterion = ONE_OF(w, criteria);
        say(w, pick(w, 5) ? " " : " !");
        say(w, criterion);
        say(w, pick(w, 6) ? " " : "=");
        say(w, strstr(criterion, "user") ? ONE_OF(w, users) : ONE_OF(w, match_patterns));
    }
    say(w, "\n");
}

static void write_block(struct writer *w, const char *dir, unsigned depth)
{
    if (pick(w, 3) == 0) {
        write_match(w);
    } else {
        say(w, pick(w, 4) ? "Host" : "HOST =");
        for (unsigned i = 1 + pick(w, 3); i > 0; i--) {
            say(w, " ");
            say(w, ONE_OF(w, patterns));
        }
        say(w, pick(w, 6) ? "\n" : " # comment\n");
    }
    for (unsigned i = pick(w, 4); i > 0; i--) {
        say(w, pick(w, 2) ? "  " : "\t");
        say(w, pick(w, 20) ? ONE_OF(w, settings) : ONE_OF(w, dangerous));
        say(w, pick(w, 8) ? "\n" : "   \r\n");
        if (depth < 2 && pick(w, 8) == 0) {
            char line[128];
            snprintf(line, sizeof line, "Include %s/%s\n", dir,
                     depth == 0 ? (pick(w, 3) ? "one" : "o*") : "two");
            say(w, line);
        }
    }
}

static void write_config(struct bench *b, const char *name, uint64_t seed, unsigned depth,
                         struct writer *w)
{
    w->len = 0;
    w->text[0] = '\0';
    w->random = seed * 0x9E3779B97F4A7C15ULL + depth + 1;
    if (pick(w, 3) == 0) {
        say(w, ONE_OF(w, settings));
        say(w, "\n");
    }
    for (unsigned i = 1 + pick(w, 5); i > 0; i--)
        write_block(w, b->dir, depth);
    write_file(b, name, w->text);
}

static void generated_configurations_mean_the_same(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "a.example", "c.org", "10.0.0.1"};
    const char *given = getenv("SCOUT_TEST_SEED");
    uint64_t first = given ? strtoull(given, NULL, 10) : 1;
    struct bench b;
    struct writer *w = calloc(1, sizeof *w);
    assert_non_null(w);
    start(&b);
    for (uint64_t seed = first; seed < first + GENERATED_COUNT; seed++) {
        write_config(&b, "two", seed, 2, w);
        write_config(&b, "one", seed, 1, w);
        write_config(&b, "config", seed, 0, w);
        for (size_t n = 0; n < 2; n++)
            check(&b, w->text, names[(seed + n) % (sizeof names / sizeof names[0])]);
    }
    print_message("%u hosts compared, %u refused\n", b.compared, b.refused);
    assert_true(b.compared > GENERATED_COUNT);
    free(w);
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
