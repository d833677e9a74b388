/* bench_ssh_config [--ci] [--output FILE]
 *
 * A configuration of 1,000 hosts, each with a block of its own (HostName, User, Port, IdentityFile,
 * ServerAliveInterval), and wildcard, Match and general blocks behind them: read as a whole (load),
 * and each host resolved (resolve). Beside it `ssh -G` as a process for one host after the other,
 * which is what a program does that asks ssh. The text is in memory for us and in a file for ssh.
 * Every host's values are checked, and those of ssh must be the same.
 *
 * Goals: a load takes 2 ms, a host 20 us.
 *
 *   --ci           short runs: only wrong answers count
 *   --output FILE  the report as JSON
 * Status: 0; 1 a wrong answer or a run that failed; 2 usage; 3 a goal was missed. */
#include "scout/ssh/ssh_config.h"
#include "bench.h"
#include "scout/base/time.h"

#include <getopt.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RUNS    9
#define RUNS_CI 2
#define HOSTS   1000
#define LINE    512

struct place {
    char path[64];
    char *text;
    size_t len;
    struct ssh_config *config;
    unsigned loads, rounds, processes; /* of one run */
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the configuration ---- */

static int write_text(struct place *p)
{
    FILE *out = open_memstream(&p->text, &p->len);
    if (!out)
        return -1;
    for (unsigned i = 0; i < HOSTS; i++)
        fprintf(out,
                "Host web%u web%u.example.org\n    HostName 10.0.%u.%u\n    User deploy%u\n"
                "    Port %u\n    IdentityFile ~/.ssh/id_%u\n    ServerAliveInterval 30\n\n",
                i, i, i / 256, i % 256, i % 7, 2000 + i, i % 5);
    fputs("Host *.example.org !db*.example.org\n    ForwardAgent no\n"
          "Match host 10.0.3.* user deploy1\n    IdentityFile ~/.ssh/special\n"
          "Host web1?\n    ConnectTimeout 5\n"
          "Host *\n    UserKnownHostsFile ~/.ssh/known_hosts\n    HashKnownHosts yes\n"
          "    SendEnv LANG LC_*\n    ConnectTimeout 20\n",
          out);
    if (fclose(out) != 0)
        return -1;
    strcpy(p->path, "/tmp/bench-ssh-config-XXXXXX");
    int fd = mkstemp(p->path);
    bool good = fd >= 0 && write(fd, p->text, p->len) == (ssize_t)p->len;
    return fd >= 0 && close(fd) == 0 && good ? 0 : -1;
}

static int read_text(void *context, const char *pattern,
                     int (*take)(void *, const char *, struct slice), void *take_context)
{
    struct place *p = context;
    return take(take_context, pattern, slice_of(p->text, p->len));
}

static int load(struct place *p, struct ssh_config **out)
{
    struct failure why;
    const struct ssh_config_env env = {
        .home = "/root", .user = "root", .dir = "/root/.ssh", .read = read_text, .context = p};
    if (ssh_config_load(out, p->path, NULL, &env, &why) == 0)
        return 0;
    fprintf(stderr, "bench: %s\n", why.text);
    return -1;
}

/* ---- what is right ---- */

static bool is_right(const struct ssh_host *h, unsigned i)
{
    char hostname[32], user[32], identity[64];
    snprintf(hostname, sizeof hostname, "10.0.%u.%u", i / 256, i % 256);
    snprintf(user, sizeof user, "deploy%u", i % 7);
    snprintf(identity, sizeof identity, "/root/.ssh/id_%u", i % 5);
    bool special = i / 256 == 3 && i % 7 == 1;
    return strcmp(h->hostname, hostname) == 0 && strcmp(h->user, user) == 0 &&
           h->port == 2000 + i && h->identity_count == 1u + special &&
           strcmp(h->identities[0], identity) == 0 && h->alive_interval_s == 30 &&
           h->connect_timeout_s == (i >= 10 && i < 20 ? 5 : 20);
}

static int wrong(const char *who, unsigned i)
{
    fprintf(stderr, "bench: %s has other values for web%u\n", who, i);
    return -1;
}

/* ---- the contestants ---- */

static int run_load(void *context, struct bench_sample *out)
{
    struct place *p = context;
    double start = seconds();
    for (unsigned i = 0; i < p->loads; i++) {
        struct ssh_config *config;
        const char *const *names;
        if (load(p, &config) != 0)
            return -1;
        if (ssh_config_hosts(config, &names) != 2 * HOSTS)
            return wrong("the list", 0);
        ssh_config_free(config);
    }
    out->ops = p->loads;
    out->seconds = seconds() - start;
    return bench_sample_put(out, "ms_per_load", out->seconds * 1e3 / out->ops);
}

static int run_resolve(void *context, struct bench_sample *out)
{
    struct place *p = context;
    double start = seconds();
    for (unsigned n = 0; n < p->rounds; n++)
        for (unsigned i = 0; i < HOSTS; i++) {
            char name[32];
            struct ssh_host h;
            struct failure why;
            snprintf(name, sizeof name, "web%u", i);
            bool good = ssh_config_resolve(p->config, name, &h, &why) == 0 && is_right(&h, i);
            ssh_host_fini(&h);
            if (!good)
                return wrong("scoutd", i);
        }
    out->ops = (double)p->rounds * HOSTS;
    out->seconds = seconds() - start;
    return bench_sample_put(out, "us_per_host", out->seconds * 1e6 / out->ops);
}

/* Whether what ssh prints is what we have. */
static bool ask_ssh(const struct place *p, unsigned i)
{
    char command[128], line[LINE], hostname[LINE] = "", user[LINE] = "";
    unsigned port = 0, timeout = 0;
    snprintf(command, sizeof command, "exec ssh -G -F %s web%u 2>/dev/null", p->path, i);
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f)) {
        char *value = line + strcspn(line, " ");
        value += *value == ' ';
        value[strcspn(value, "\n")] = '\0';
        if (strncmp(line, "hostname ", 9) == 0)
            snprintf(hostname, sizeof hostname, "%s", value);
        else if (strncmp(line, "user ", 5) == 0)
            snprintf(user, sizeof user, "%s", value);
        else if (strncmp(line, "port ", 5) == 0)
            port = (unsigned)strtoul(value, NULL, 10);
        else if (strncmp(line, "connecttimeout ", 15) == 0)
            timeout = (unsigned)strtoul(value, NULL, 10);
    }
    struct ssh_host h;
    struct failure why;
    char name[32];
    snprintf(name, sizeof name, "web%u", i);
    bool good = f && pclose(f) == 0 && ssh_config_resolve(p->config, name, &h, &why) == 0 &&
                strcmp(h.hostname, hostname) == 0 && strcmp(h.user, user) == 0 && h.port == port &&
                h.connect_timeout_s == timeout;
    ssh_host_fini(&h);
    return good;
}

static int run_ssh(void *context, struct bench_sample *out)
{
    struct place *p = context;
    double start = seconds();
    for (unsigned n = 0; n < p->processes; n++)
        if (!ask_ssh(p, n * 37 % HOSTS))
            return wrong("ssh", n * 37 % HOSTS);
    out->ops = p->processes;
    out->seconds = seconds() - start;
    return bench_sample_put(out, "us_per_host", out->seconds * 1e6 / out->ops);
}

/* ---- main ---- */

static int compete(struct bench *b, struct place *p, const char *output)
{
    if (bench_add(b, "load", run_load, p) != 0 || bench_add(b, "resolve", run_resolve, p) != 0 ||
        bench_add(b, "ssh -G", run_ssh, p) != 0 || bench_config(b, "hosts", "1000") != 0)
        return 1;
    if (bench_run(b, stderr) != 0 || bench_ratio(b, "resolve", "ssh -G", 0) != 0 ||
        bench_limit(b, "load", "ms_per_load", 2) != 0 ||
        bench_limit(b, "resolve", "us_per_host", 20) != 0)
        return 1;
    bench_print(b, stdout);
    return output && bench_write(b, output) != 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"ci", no_argument, NULL, 'c'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static const char usage[] = "usage: bench_ssh_config [--ci] [--output FILE]\n";
    struct place p = {.loads = 50, .rounds = 20, .processes = 20};
    bool ci = false;
    const char *output = NULL;
    for (int o; (o = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        if (o == 'c')
            ci = true;
        else if (o == 'o')
            output = optarg;
        else
            return fputs(usage, o == 'h' ? stdout : stderr) < 0 || o != 'h' ? 2 : 0;
    }
    if (optind != argc)
        return fputs(usage, stderr), 2;
    if (ci)
        p.loads = p.rounds = p.processes = 3;
    struct bench b;
    bench_init(&b, "ssh_config", ci ? RUNS_CI : RUNS);
    int status = write_text(&p) == 0 && load(&p, &p.config) == 0 ? compete(&b, &p, output) : 1;
    if (status == 0 && !ci && !bench_goals_met(&b))
        status = 3;
    bench_fini(&b);
    ssh_config_free(p.config);
    free(p.text);
    unlink(p.path);
    return status;
}
