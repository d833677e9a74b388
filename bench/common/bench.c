/* The harness's core: who competes, in which order they run, how they compare.
 *
 * It knows nothing of what is measured: a contestant is a function that does a run and says how
 * many operations took how long. All runs are kept, because the report shows each of them. The
 * order of the contestants turns by one each round, so that nobody always runs behind the same
 * neighbour (whose cache, page cache and frequency it would inherit). */
#include "bench.h"

#include "scout/base/error.h"
#include <assert.h>
#include <stdlib.h>

int bench_sample_put(struct bench_sample *s, const char *name, double number)
{
    if (s->value_count == BENCH_VALUES_MAX || strlen(name) >= BENCH_NAME_SIZE)
        return SCOUT_E_LIMIT;
    struct bench_value *v = &s->values[s->value_count++];
    snprintf(v->name, sizeof v->name, "%s", name);
    v->number = number;
    return 0;
}

void bench_init(struct bench *b, const char *name, unsigned runs)
{
    assert(runs >= 1 && runs <= BENCH_RUNS_MAX);
    *b = (struct bench){.name = name, .runs = runs};
}

void bench_fini(struct bench *b)
{
    for (size_t i = 0; i < b->contestant_count; i++)
        free(b->contestants[i].samples);
    b->contestant_count = 0;
}

int bench_add(struct bench *b, const char *name, bench_run_fn *run, void *context)
{
    if (b->contestant_count == BENCH_CONTESTANTS_MAX || strlen(name) >= BENCH_NAME_SIZE)
        return SCOUT_E_LIMIT;
    struct bench_contestant *c = &b->contestants[b->contestant_count];
    c->samples = calloc(b->runs, sizeof *c->samples);
    if (!c->samples)
        return SCOUT_E_NOMEM;
    snprintf(c->name, sizeof c->name, "%s", name);
    c->run = run;
    c->context = context;
    b->contestant_count++;
    return 0;
}

static int put_note(struct bench_note *notes, size_t *count, const char *key, const char *value)
{
    if (*count == BENCH_NOTES_MAX)
        return SCOUT_E_LIMIT;
    notes[(*count)++] = (struct bench_note){key, value};
    return 0;
}

int bench_config(struct bench *b, const char *key, const char *text)
{
    return put_note(b->config, &b->config_count, key, text);
}

int bench_extra(struct bench *b, const char *key, const char *json)
{
    return put_note(b->extra, &b->extra_count, key, json);
}

static int run_one(struct bench_contestant *c, unsigned round, FILE *progress)
{
    struct bench_sample *s = &c->samples[round];
    int error = c->run(c->context, s);
    if (error)
        return error;
    if (!(s->ops > 0) || !(s->seconds > 0)) {
        fprintf(stderr, "bench: a run of %s measured nothing\n", c->name);
        return SCOUT_E_INTERNAL;
    }
    if (progress) {
        fprintf(progress, "  run %u  %-32s %12.0f/s\n", round + 1, c->name, s->ops / s->seconds);
        fflush(progress);
    }
    return 0;
}

int bench_run(struct bench *b, FILE *progress)
{
    for (unsigned round = 0; round < b->runs; round++) {
        for (size_t i = 0; i < b->contestant_count; i++) {
            size_t turn = (i + round) % b->contestant_count;
            int error = run_one(&b->contestants[turn], round, progress);
            if (error)
                return error;
        }
    }
    return 0;
}

static const struct bench_contestant *find(const struct bench *b, const char *name)
{
    for (size_t i = 0; i < b->contestant_count; i++)
        if (strcmp(b->contestants[i].name, name) == 0)
            return &b->contestants[i];
    return NULL;
}

static double median_throughput(const struct bench *b, const struct bench_contestant *c)
{
    double numbers[BENCH_RUNS_MAX];
    for (unsigned r = 0; r < b->runs; r++)
        numbers[r] = c->samples[r].ops / c->samples[r].seconds;
    return bench_stats_of(numbers, b->runs).median;
}

int bench_ratio(struct bench *b, const char *top, const char *bottom, double goal)
{
    struct bench_ratio r = {.top = find(b, top), .bottom = find(b, bottom), .goal = goal};
    if (!r.top || !r.bottom)
        return SCOUT_E_NOT_FOUND;
    if (b->ratio_count == BENCH_RATIOS_MAX)
        return SCOUT_E_LIMIT;
    r.value = median_throughput(b, r.top) / median_throughput(b, r.bottom);
    b->ratios[b->ratio_count++] = r;
    return 0;
}

/* The value's place in a sample; value_count when it has none of that name. */
static size_t place_of(const struct bench_sample *s, const char *name)
{
    size_t i = 0;
    while (i < s->value_count && strcmp(s->values[i].name, name) != 0)
        i++;
    return i;
}

int bench_limit(struct bench *b, const char *contestant, const char *name, double limit)
{
    double numbers[BENCH_RUNS_MAX];
    struct bench_limit l = {.contestant = find(b, contestant), .limit = limit};
    if (!l.contestant || strlen(name) >= BENCH_NAME_SIZE)
        return SCOUT_E_NOT_FOUND;
    if (b->limit_count == BENCH_LIMITS_MAX)
        return SCOUT_E_LIMIT;
    for (unsigned r = 0; r < b->runs; r++) {
        const struct bench_sample *s = &l.contestant->samples[r];
        size_t i = place_of(s, name);
        if (i == s->value_count)
            return SCOUT_E_NOT_FOUND;
        numbers[r] = s->values[i].number;
    }
    snprintf(l.name, sizeof l.name, "%s", name);
    l.value = bench_stats_of(numbers, b->runs).median;
    b->limits[b->limit_count++] = l;
    return 0;
}

bool bench_goals_met(const struct bench *b)
{
    for (size_t i = 0; i < b->limit_count; i++)
        if (b->limits[i].value > b->limits[i].limit)
            return false;
    for (size_t i = 0; i < b->ratio_count; i++)
        if (b->ratios[i].value < b->ratios[i].goal)
            return false;
    return true;
}
