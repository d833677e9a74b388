/* bench_config_parsing: the SSH configuration, read from a file as the daemon reads it, and asked.
 *
 *   bench_config_parsing --case CASE --rounds N
 *
 *   c1  all of a file with 100 hosts, 4 settings each     c3  1,000 hosts, 3 settings each
 *   c2  one host that was asked for before                c4  100 look-ups of ten hosts, none of
 *   c5  which of 100 hosts an allow list and a block          which was asked for before
 *       list leave                                        c6  the lines `Host x` of c1's file, by a
 *                                                             regular expression
 *
 * A round does that once (c2: a hundred times); `us` is for one. Every answer is checked. Time is
 * CPU time. Output: the lines of bench/common/compare_child.c. */
#include "bench.h"
#include "daemon/ssh_files.h"
#include "option.h"
#include "scout/fleet/fleet.h"

#include <getopt.h>
#include <regex.h>
#include <stdlib.h>
#include <unistd.h>

#define ASKED 10
#define PATH  "/tmp/bench-config-parsing-XXXXXX"

struct place {
    char path[sizeof PATH];
    char *text;
    size_t len;
    unsigned hosts, settings;
    struct ssh_config *config;
    struct fleet *fleet; /* c2's */
    regex_t regex;
};

static int wrong(const char *what)
{
    fprintf(stderr, "bench_config_parsing: %s\n", what);
    return -1;
}

static int make_file(struct place *p)
{
    FILE *out = open_memstream(&p->text, &p->len);
    if (!out)
        return wrong("no memory");
    for (unsigned i = 0; i < p->hosts; i++) {
        fprintf(out, "Host host-%u\n    HostName 10.0.%u.%u\n    User user%u\n    Port %u\n", i,
                i / 256, i % 256, i, 2200 + i);
        fputs(p->settings > 3 ? "    IdentityFile ~/.ssh/id_rsa\n\n" : "\n", out);
    }
    if (fclose(out) != 0)
        return wrong("no memory");
    strcpy(p->path, PATH);
    int fd = mkstemp(p->path);
    bool good = fd >= 0 && write(fd, p->text, p->len) == (ssize_t)p->len;
    return fd >= 0 && close(fd) == 0 && good ? 0 : wrong("no file");
}

/* As configuration.c does. */
static int load(const struct place *p, struct ssh_config **out)
{
    struct failure why;
    struct ssh_files files = {.named = p->path};
    const struct ssh_config_env env = {.home = "/root",
                                       .user = "root",
                                       .dir = "/root/.ssh",
                                       .read = ssh_files_read,
                                       .context = &files};
    return ssh_config_load(out, p->path, NULL, &env, &why) ? wrong(why.text) : 0;
}

static int fleet_of(const struct place *p, struct fleet **out)
{
    return fleet_new(out, NULL, NULL, NULL, ssh_config_share(p->config)) ? wrong("no memory") : 0;
}

static int ask(struct fleet *f, unsigned i)
{
    char name[32], hostname[32];
    const struct ssh_host *host;
    struct failure why;
    snprintf(name, sizeof name, "host-%u", i);
    snprintf(hostname, sizeof hostname, "10.0.%u.%u", i / 256, i % 256);
    bool good = fleet_host(f, name, &host, &why) == 0 && host->port == 2200 + i &&
                strcmp(host->hostname, hostname) == 0;
    return good ? 0 : wrong("a host has other values");
}

/* ---- one round of each ---- */

static int load_all(struct place *p)
{
    struct ssh_config *config;
    const char *const *names;
    if (load(p, &config))
        return -1;
    size_t count = ssh_config_hosts(config, &names);
    bool good = count == p->hosts && strcmp(names[0], "host-0") == 0;
    ssh_config_free(config);
    return good ? 0 : wrong("other hosts");
}

static int ask_again(struct place *p)
{
    for (unsigned i = 0; i < 100; i++)
        if (ask(p->fleet, 5))
            return -1;
    return 0;
}

static int ask_ten(struct place *p)
{
    struct fleet *f;
    int error = fleet_of(p, &f);
    for (unsigned i = 0; i < 100 && !error; i++)
        error = ask(f, i % ASKED);
    if (f)
        fleet_free(f);
    return error;
}

static int limit(const struct place *p, const char *allow, const char *block, size_t expected)
{
    struct fleet *f;
    const char *const *names;
    if (fleet_of(p, &f))
        return -1;
    bool good = fleet_limit(f, allow, block) == 0 && fleet_names(f, &names) == expected;
    fleet_free(f);
    return good ? 0 : wrong("other hosts are left");
}

/* host-1, host-10 to host-19, and the same of 2; all but host-9 and host-90 to host-99. */
static int limit_both(struct place *p)
{
    return limit(p, "host-1*, host-2*", "", 22) || limit(p, "", "host-9*", 89);
}

static int find_lines(struct place *p)
{
    unsigned count = 0;
    regmatch_t at[2];
    for (const char *text = p->text; regexec(&p->regex, text, 2, at, 0) == 0; text += at[0].rm_eo)
        count++;
    return count == p->hosts ? 0 : wrong("other lines");
}

static const struct parsing_case {
    const char *name;
    int (*round)(struct place *p);
    unsigned hosts, settings, count; /* `count`: of what `us` is for, in a round */
} cases[] = {
    {"c1", load_all, 100, 4, 1}, {"c2", ask_again, 100, 4, 100}, {"c3", load_all, 1000, 3, 1},
    {"c4", ask_ten, 100, 4, 1},  {"c5", limit_both, 100, 4, 1},  {"c6", find_lines, 100, 4, 1},
};

/* ---- main ---- */

static int run(const struct parsing_case *c, struct place *p, unsigned long rounds)
{
    for (unsigned long n = 0; n < rounds; n++)
        if (c->round(p))
            return -1;
    return 0;
}

static int measure(const struct parsing_case *c, struct place *p, unsigned long rounds)
{
    if (make_file(p) || load(p, &p->config) || fleet_of(p, &p->fleet) || ask(p->fleet, 5) ||
        regcomp(&p->regex, "^Host +(.*)$", REG_EXTENDED | REG_NEWLINE) != 0)
        return 1;
    if (run(c, p, rounds / 10 + 1))
        return 1;
    printf("begin\n");
    fflush(stdout);
    double start_s = bench_cpu_self_s();
    if (run(c, p, rounds))
        return 1;
    double seconds = bench_cpu_self_s() - start_s, count = (double)(rounds * c->count);
    printf("end\nops %.0f\nseconds %.9f\nus %.3f\n", count, seconds, seconds * 1e6 / count);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"case", 1, 0, 'c'}, {"rounds", 1, 0, 'r'}, {0, 0, 0, 0}};
    const struct parsing_case *wanted = NULL;
    struct place p = {.path = ""};
    unsigned long rounds = 0;
    bool good = true;
    for (int o; good && (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        good = o == 'c' || (o == 'r' && option_number(optarg, 1, 1000000000, &rounds));
        for (size_t i = 0; o == 'c' && i < sizeof cases / sizeof cases[0]; i++)
            if (strcmp(cases[i].name, optarg) == 0)
                wanted = &cases[i];
    }
    if (!good || !wanted || !rounds || optind != argc) {
        fprintf(stderr, "usage: bench_config_parsing --case c1|...|c6 --rounds N\n");
        return 2;
    }
    p.hosts = wanted->hosts;
    p.settings = wanted->settings;
    int status = measure(wanted, &p, rounds);
    if (p.path[0])
        unlink(p.path);
    return status; /* what was made ends with the process */
}
