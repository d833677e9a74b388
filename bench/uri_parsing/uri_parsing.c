/* bench_uri_parsing: what it costs to parse a target.
 *
 *   bench_uri_parsing --case u1|u2|u3|u4 --rounds N
 *
 *   u1  five targets of a file in turn      u2  `hosts`
 *   u3  a target of 305 characters          u4  one that is no target, with its error text
 *
 * A round parses each target of the case once. Each result is compared with what it has to be, in
 * the measured part, too. Output: the lines of bench/common/compare_child.c. */
#include "bench.h"
#include "option.h"
#include "scout/fleet/target.h"

#include <getopt.h>

struct expected {
    const char *text, *host, *path; /* host NULL: it has to be refused */
    enum target_kind kind;
};

#define VERY "/very/long/path"
#define FIVE VERY VERY VERY VERY VERY
#define LONG FIVE FIVE FIVE FIVE
#define BAD  "Invalid target 'invalid-uri'. Expected 'host:/path' or 'hosts'"

static const struct expected u1[] = {
    {"host:/path/to/file", "host", "/path/to/file", TARGET_PATH},
    {"server:/var/log/app.log", "server", "/var/log/app.log", TARGET_PATH},
    {"db:/etc/postgresql/postgresql.conf", "db", "/etc/postgresql/postgresql.conf", TARGET_PATH},
    {"web:/var/www/html/index.html", "web", "/var/www/html/index.html", TARGET_PATH},
    {"api:/opt/app/config.json", "api", "/opt/app/config.json", TARGET_PATH},
};
static const struct expected u2[] = {{"hosts", "", "", TARGET_HOSTS}};
static const struct expected u3[] = {{"host:" LONG, "host", LONG, TARGET_PATH}};
static const struct expected u4[] = {{"invalid-uri", NULL, BAD, TARGET_PATH}};

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name, sizeof name / sizeof name[0]                                                  \
    }
static const struct parsing_case {
    const char *name;
    const struct expected *list;
    size_t count;
} cases[] = {CASE(u1), CASE(u2), CASE(u3), CASE(u4)};

static bool is_right(const struct expected *e, int error, const struct target *t,
                     const struct failure *why)
{
    if (!e->host)
        return error == SCOUT_E_INVALID_ARGUMENT && strcmp(why->text, e->path) == 0;
    return error == 0 && t->kind == e->kind && strcmp(t->host, e->host) == 0 &&
           strcmp(t->path, e->path) == 0;
}

/* False after a wrong one. */
static bool run(const struct parsing_case *c, unsigned long rounds)
{
    struct target t;
    struct failure why;
    for (unsigned long n = 0; n < rounds; n++)
        for (size_t i = 0; i < c->count; i++) {
            const struct expected *e = &c->list[i];
            int error = target_parse(slice_str(e->text), &t, &why);
            if (!is_right(e, error, &t, &why)) {
                fprintf(stderr, "bench_uri_parsing: %s is parsed wrongly\n", e->text);
                return false;
            }
        }
    return true;
}

static int measure(const struct parsing_case *c, unsigned long rounds)
{
    if (!run(c, rounds / 10 + 1))
        return 1;
    printf("begin\n");
    fflush(stdout);
    double start_s = bench_now_s();
    if (!run(c, rounds))
        return 1;
    double seconds = bench_now_s() - start_s, count = (double)(rounds * c->count);
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
        fprintf(stderr, "usage: bench_uri_parsing --case u1|u2|u3|u4 --rounds N\n");
        return 2;
    }
    return measure(wanted, rounds);
}
