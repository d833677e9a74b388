/* bench_pool: the pool's own costs, one figure a run, every answer checked.
 *
 *   bench_pool --mode connect  TARGET --hosts N [--same] [--dir DIR] [--per cpu|wall]
 *   bench_pool --mode requests TARGET --hosts N [--used U] --in-flight K --requests R
 *              [--per cpu|wall]
 *   bench_pool --mode memory   TARGET --hosts N
 *   bench_pool --mode acquire  --hosts N --requests R
 *   bench_pool --mode storm    --hosts N --delay-ms D --repeat R [--serial | --waiters]
 *
 *   TARGET: --address A --port P --user U --identity FILE --known-hosts FILE; the hosts are the N
 *   addresses from A on (the light server's), or with --same N connections to A.
 *
 * Each mode is a file of its own that says what it measures. Output: the lines of
 * bench/common/compare_child.c. Status 1 after a wrong answer, 2 after wrong arguments. */
#include "hosts.h"
#include "option.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const struct mode {
    const char *name;
    int (*run)(const struct pool_options *o);
    bool target, requests;
} modes[] = {
    {"connect", mode_connect, true, false}, {"requests", mode_requests, true, true},
    {"memory", mode_memory, true, false},   {"acquire", mode_acquire, false, true},
    {"storm", mode_storm, false, false},
};

static bool take_text(struct pool_options *o, int option)
{
    switch (option) {
    case 'm':
        o->mode = optarg;
        return true;
    case 'd':
        o->dir = optarg;
        return true;
    case 'c':
        o->per_cpu = strcmp(optarg, "cpu") == 0;
        return o->per_cpu || strcmp(optarg, "wall") == 0;
    default:
        return pool_target_option(&o->target, option, optarg);
    }
}

static bool take_option(struct pool_options *o, int option)
{
    switch (option) {
    case 'n':
        return option_number(optarg, 1, HOSTS_MAX - 64, &o->hosts);
    case 'U':
        return option_number(optarg, 1, HOSTS_MAX - 64, &o->used);
    case 'r':
        return option_number(optarg, 1, 1000000000, &o->requests);
    case 'f':
        return option_number(optarg, 1, 64, &o->in_flight);
    case 'D':
        return option_number(optarg, 0, 60000, &o->delay_ms);
    case 'R':
        return option_number(optarg, 1, 1000, &o->repeat);
    case 's':
        o->same = true;
        return true;
    case 'S':
        o->serial = true;
        return true;
    case 'W':
        o->waiters = true;
        return true;
    default:
        return take_text(o, option);
    }
}

static const struct mode *parse(struct pool_options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"mode", 1, 0, 'm'},     POOL_TARGET_OPTIONS,
        {"dir", 1, 0, 'd'},      {"per", 1, 0, 'c'},
        {"hosts", 1, 0, 'n'},    {"requests", 1, 0, 'r'},
        {"used", 1, 0, 'U'},     {"in-flight", 1, 0, 'f'},
        {"delay-ms", 1, 0, 'D'}, {"repeat", 1, 0, 'R'},
        {"same", 0, 0, 's'},     {"serial", 0, 0, 'S'},
        {"waiters", 0, 0, 'W'},  {0, 0, 0, 0},
    };
    *o = (struct pool_options){.mode = "", .dir = "", .hosts = 1, .in_flight = 1, .repeat = 1};
    for (int got; (got = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        if (!take_option(o, got))
            return NULL;
    bool target = pool_target_is_whole(&o->target);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0] && optind == argc; i++) {
        const struct mode *m = &modes[i];
        if (strcmp(m->name, o->mode) == 0)
            return (!m->target || target) && (!m->requests || o->requests) ? m : NULL;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct pool_options o;
    const struct mode *m = parse(&o, argc, argv);
    if (!m) {
        fprintf(stderr, "bench_pool: wrong arguments; the head of main.c has the usage\n");
        return 2;
    }
    return m->run(&o);
}
