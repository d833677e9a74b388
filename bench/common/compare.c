/* bench_compare: lets whole programs compete, in turns, and reports.
 *
 *   bench_compare --name NAME [--runs N] [--output FILE]
 *                 [--config KEY=TEXT]... [--extra KEY=JSON]... [--watch NAME=PID]...
 *                 --contestant NAME=COMMAND... [--ratio TOP/BOTTOM[=GOAL]]...
 *                 [--limit CONTESTANT:VALUE=MOST]... [--no-goals]
 *
 * COMMAND is run by sh once a round and follows the lines of compare_child.c. --watch names process
 * trees whose CPU per operation is reported for each contestant. Status: 0, 1 when a run failed
 * (wrong answers), 2 usage, 3 when a goal was missed (never with --no-goals). */
#include "compare_child.h"
#include "option.h"
#include "scout/base/error.h"
#include "scout/base/json.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>

struct compare {
    struct bench bench;
    struct contestant_command commands[BENCH_CONTESTANTS_MAX];
    struct watch watches[WATCHES_MAX];
    size_t watch_count;
    struct {
        char *top, *bottom;
        double goal;
    } ratios[BENCH_RATIOS_MAX];
    size_t ratio_count;
    struct {
        char *contestant, *value;
        double most;
    } limits[BENCH_LIMITS_MAX];
    size_t limit_count;
    const char *name, *output;
    bool no_goals;
};

/* Cuts `text` at its first '=': the value, or NULL when there is none. */
static char *split(char *text, char separator)
{
    char *at = strchr(text, separator);
    if (!at || at == text)
        return NULL;
    *at = '\0';
    return at + 1;
}

static int add_watch(struct compare *c, char *text)
{
    unsigned long number;
    char *pid = split(text, '=');
    if (!pid || !option_number(pid, 1, INT_MAX, &number) || c->watch_count == WATCHES_MAX ||
        strlen(text) >= BENCH_NAME_SIZE)
        return SCOUT_E_INVALID_ARGUMENT;
    struct watch *w = &c->watches[c->watch_count++];
    snprintf(w->name, sizeof w->name, "%s", text);
    w->pid = (int)number;
    return 0;
}

static int add_contestant(struct compare *c, char *text)
{
    char *command = split(text, '=');
    size_t index = c->bench.contestant_count;
    if (!command || index == BENCH_CONTESTANTS_MAX)
        return SCOUT_E_INVALID_ARGUMENT;
    c->commands[index] = (struct contestant_command){.command = command};
    return bench_add(&c->bench, text, compare_child_run, &c->commands[index]);
}

static int add_ratio(struct compare *c, char *text)
{
    char *bottom = split(text, '/');
    if (!bottom || c->ratio_count == BENCH_RATIOS_MAX)
        return SCOUT_E_INVALID_ARGUMENT;
    char *goal = split(bottom, '=');
    c->ratios[c->ratio_count].top = text;
    c->ratios[c->ratio_count].bottom = bottom;
    c->ratios[c->ratio_count++].goal = goal ? atof(goal) : 0;
    return 0;
}

static int add_limit(struct compare *c, char *text)
{
    char *value = split(text, ':'), *most = value ? split(value, '=') : NULL;
    if (!most || c->limit_count == BENCH_LIMITS_MAX)
        return SCOUT_E_INVALID_ARGUMENT;
    c->limits[c->limit_count].contestant = text;
    c->limits[c->limit_count].value = value;
    c->limits[c->limit_count++].most = atof(most);
    return 0;
}

static int add_extra(struct compare *c, char *text)
{
    struct json_error where;
    char *json = split(text, '=');
    if (!json || json_check(slice_str(json), &where) != 0)
        return SCOUT_E_INVALID_ARGUMENT;
    return bench_extra(&c->bench, text, json);
}

static int add_config(struct compare *c, char *text)
{
    char *value = split(text, '=');
    return value ? bench_config(&c->bench, text, value) : SCOUT_E_INVALID_ARGUMENT;
}

static const struct option longs[] = {
    {"name", 1, 0, 'n'},     {"runs", 1, 0, 'r'},  {"output", 1, 0, 'o'}, {"config", 1, 0, 'c'},
    {"extra", 1, 0, 'e'},    {"watch", 1, 0, 'w'}, {"ratio", 1, 0, 'q'},  {"contestant", 1, 0, 'p'},
    {"no-goals", 0, 0, 'g'}, {"limit", 1, 0, 'l'}, {0, 0, 0, 0},
};

static int take_option(struct compare *c, int option)
{
    switch (option) {
    case 'n':
    case 'r':
        return 0; /* taken by the first pass */
    case 'o':
        c->output = optarg;
        return 0;
    case 'g':
        c->no_goals = true;
        return 0;
    case 'c':
        return add_config(c, optarg);
    case 'e':
        return add_extra(c, optarg);
    case 'w':
        return add_watch(c, optarg);
    case 'p':
        return add_contestant(c, optarg);
    case 'q':
        return add_ratio(c, optarg);
    case 'l':
        return add_limit(c, optarg);
    default:
        return SCOUT_E_INVALID_ARGUMENT;
    }
}

/* The name and the number of runs first: a contestant's room depends on them. */
static bool parse(struct compare *c, int argc, char **argv)
{
    unsigned long runs = 5;
    bool good = true;
    opterr = 0;
    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (o == 'n')
            c->name = optarg;
        if (o == 'r')
            good = option_number(optarg, 1, BENCH_RUNS_MAX, &runs);
    }
    if (!c->name || !good)
        return false;
    bench_init(&c->bench, c->name, (unsigned)runs);
    optind = 1;
    opterr = 1;
    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        if (take_option(c, o) != 0)
            return false;
    for (size_t i = 0; i < c->bench.contestant_count; i++) {
        c->commands[i].watches = c->watches;
        c->commands[i].watch_count = c->watch_count;
    }
    return optind == argc && c->bench.contestant_count > 0;
}

/* 0, or 2 after it said which goal is for nobody. */
static int compare(struct compare *c)
{
    for (size_t i = 0; i < c->ratio_count; i++) {
        if (bench_ratio(&c->bench, c->ratios[i].top, c->ratios[i].bottom, c->ratios[i].goal)) {
            fprintf(stderr, "bench_compare: no contestants %s and %s\n", c->ratios[i].top,
                    c->ratios[i].bottom);
            return 2;
        }
    }
    for (size_t i = 0; i < c->limit_count; i++) {
        if (bench_limit(&c->bench, c->limits[i].contestant, c->limits[i].value,
                        c->limits[i].most)) {
            fprintf(stderr, "bench_compare: no %s of %s\n", c->limits[i].value,
                    c->limits[i].contestant);
            return 2;
        }
    }
    return 0;
}

static int run(struct compare *c)
{
    if (bench_run(&c->bench, stderr))
        return 1;
    if (compare(c))
        return 2;
    bench_print(&c->bench, stdout);
    if (c->output && bench_write(&c->bench, c->output))
        return 1;
    return c->no_goals || bench_goals_met(&c->bench) ? 0 : 3;
}

int main(int argc, char **argv)
{
    struct compare *c = calloc(1, sizeof *c);
    if (!c)
        return 1;
    int status = 2;
    if (parse(c, argc, argv))
        status = run(c);
    else
        fprintf(stderr, "bench_compare: wrong arguments; the head of compare.c has the usage\n");
    bench_fini(&c->bench);
    free(c);
    return status;
}
