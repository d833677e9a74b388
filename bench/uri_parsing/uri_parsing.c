/* bench_uri_parsing: what it costs to parse a target, or the URI of a resource.
 *
 *   bench_uri_parsing --case u1|u2|u3|u4|r1|r2 --rounds N
 *
 *   u1  five targets of a file in turn      u2  `hosts`
 *   u3  a target of 305 characters          u4  one that is no target, with its error text
 *   r1  the five of u1 as scout://HOST/PATH
 *   r2  five of the form HOST://PATH: a path, an encoded one, a container, a pool, the system log
 *
 * A round parses each of the case once. Each result is compared with what it has to be, in
 * the measured part, too. Time is CPU time: nothing waits. Output: the lines of
 * bench/common/compare_child.c. */
#include "bench.h"
#include "option.h"
#include "scout/resources/resource_uri.h"

#include <getopt.h>

struct expected {
    const char *text, *host, *path; /* host NULL: it has to be refused */
    enum target_kind kind;
    enum resource_kind resource; /* of a URI; then `path` is the name where the kind has one */
};

#define VERY "/very/long/path"
#define FIVE VERY VERY VERY VERY VERY
#define LONG FIVE FIVE FIVE FIVE
#define BAD  "Invalid target 'invalid-uri'. Expected 'host:/path' or 'hosts'"

static const struct expected u1[] = {
    {"host:/path/to/file", "host", "/path/to/file", TARGET_PATH, RESOURCE_PATH},
    {"server:/var/log/app.log", "server", "/var/log/app.log", TARGET_PATH, RESOURCE_PATH},
    {"db:/etc/postgresql/postgresql.conf", "db", "/etc/postgresql/postgresql.conf", TARGET_PATH,
     RESOURCE_PATH},
    {"web:/var/www/html/index.html", "web", "/var/www/html/index.html", TARGET_PATH, RESOURCE_PATH},
    {"api:/opt/app/config.json", "api", "/opt/app/config.json", TARGET_PATH, RESOURCE_PATH},
};
static const struct expected u2[] = {{"hosts", "", "", TARGET_HOSTS, RESOURCE_PATH}};
static const struct expected u3[] = {{"host:" LONG, "host", LONG, TARGET_PATH, RESOURCE_PATH}};
static const struct expected u4[] = {{"invalid-uri", NULL, BAD, TARGET_PATH, RESOURCE_PATH}};

static const struct expected r1[] = {
    {"scout://host/path/to/file", "host", "/path/to/file", TARGET_PATH, RESOURCE_PATH},
    {"scout://server/var/log/app.log", "server", "/var/log/app.log", TARGET_PATH, RESOURCE_PATH},
    {"scout://db/etc/postgresql/postgresql.conf", "db", "/etc/postgresql/postgresql.conf",
     TARGET_PATH, RESOURCE_PATH},
    {"scout://web/var/www/html/index.html", "web", "/var/www/html/index.html", TARGET_PATH,
     RESOURCE_PATH},
    {"scout://api/opt/app/config.json", "api", "/opt/app/config.json", TARGET_PATH, RESOURCE_PATH},
};
static const struct expected r2[] = {
    {"web://var/log/app.log", "web", "/var/log/app.log", TARGET_PATH, RESOURCE_PATH},
    {"web://var/my%20log/%C3%A4", "web", "/var/my log/\xC3\xA4", TARGET_PATH, RESOURCE_PATH},
    {"web://docker/nginx/logs", "web", "nginx", TARGET_PATH, RESOURCE_DOCKER_LOGS},
    {"web://zfs/tank/datasets", "web", "tank", TARGET_PATH, RESOURCE_ZFS_DATASETS},
    {"web://syslog", "web", "", TARGET_PATH, RESOURCE_SYSLOG},
};

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name, sizeof name / sizeof name[0]                                                  \
    }
static const struct parsing_case {
    const char *name;
    const struct expected *list;
    size_t count;
} cases[] = {CASE(u1), CASE(u2), CASE(u3), CASE(u4), CASE(r1), CASE(r2)};

static bool is_right(const struct expected *e, int error, const struct target *t,
                     const struct failure *why)
{
    if (!e->host)
        return error == SCOUT_E_INVALID_ARGUMENT && strcmp(why->text, e->path) == 0;
    return error == 0 && t->kind == e->kind && strcmp(t->host, e->host) == 0 &&
           strcmp(t->path, e->path) == 0;
}

static bool is_right_uri(const struct expected *e, int error, const struct resource_uri *u)
{
    const char *said = e->resource == RESOURCE_PATH ? u->target.path : u->name;
    return error == 0 && u->kind == e->resource && strcmp(u->target.host, e->host) == 0 &&
           strcmp(said, e->path) == 0;
}

static bool parse_one(const struct expected *e, bool is_uri)
{
    struct failure why;
    if (is_uri) {
        struct resource_uri u;
        int error = resource_uri_parse(slice_str(e->text), &u, &why);
        return is_right_uri(e, error, &u);
    }
    struct target t;
    int error = target_parse(slice_str(e->text), &t, &why);
    return is_right(e, error, &t, &why);
}

/* False after a wrong one. */
static bool run(const struct parsing_case *c, unsigned long rounds)
{
    for (unsigned long n = 0; n < rounds; n++)
        for (size_t i = 0; i < c->count; i++)
            if (!parse_one(&c->list[i], c->name[0] == 'r')) {
                fprintf(stderr, "bench_uri_parsing: %s is parsed wrongly\n", c->list[i].text);
                return false;
            }
    return true;
}

static int measure(const struct parsing_case *c, unsigned long rounds)
{
    if (!run(c, rounds / 10 + 1))
        return 1;
    printf("begin\n");
    fflush(stdout);
    double start_s = bench_cpu_self_s();
    if (!run(c, rounds))
        return 1;
    double seconds = bench_cpu_self_s() - start_s, count = (double)(rounds * c->count);
    printf("end\nops %.0f\nseconds %.9f\nns %.1f\n", count, seconds, seconds * 1e9 / count);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"case", 1, 0, 'c'}, {"rounds", 1, 0, 'r'}, {0, 0, 0, 0}};
    const struct parsing_case *wanted = NULL;
    unsigned long rounds = 0;
    bool good = true;
    for (int o; good && (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (o == 'r')
            good = option_number(optarg, 1, 1000000000, &rounds);
        else
            good = o == 'c';
        for (size_t i = 0; o == 'c' && i < sizeof cases / sizeof cases[0]; i++)
            if (strcmp(cases[i].name, optarg) == 0)
                wanted = &cases[i];
    }
    if (!good || !wanted || !rounds || optind != argc) {
        fprintf(stderr, "usage: bench_uri_parsing --case u1|u2|u3|u4|r1|r2 --rounds N\n");
        return 2;
    }
    return measure(wanted, rounds);
}
