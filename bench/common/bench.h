/* The benchmark harness: contestants that run in turns, and a report of what they did.
 *
 * Conventions of all benchmarks here:
 *  - Every benchmark has an alternative in the same run, on the same machine, with the same work;
 *    runs are interleaved (A B C A B C ...), so that a slow minute of the machine hits all alike.
 *  - Content is checked by whoever receives it. A wrong answer fails the whole run; it never is a
 *    slow answer or a dropped sample.
 *  - The figure of a series is the median of its runs. Minimum, maximum and the spread
 *    ((max - min) / median) stand beside it: a figure without its spread is no figure.
 *  - CPU time is reported per operation and per process group (the daemon, the sshd's, the client),
 *    because on a small machine the throughput alone hides who paid for it.
 *  - Throughput decides; a goal that was missed makes the exit status 3, a wrong answer 1. With
 *    --ci, runs are short and only wrong answers count.
 *  - JSON: {name, timestamp, machine{cpus, kernel, model}, config{}, series[{name, ops_per_s{runs,
 *    median, min, max, spread_percent}, values{<name>{the same}}}], ratios[{name, value, goal,
 *    met}], limits[{name, value, limit, met}], extra{}}; `goal` is null where none was set.
 *
 * In one process: bench_init, bench_add each contestant, bench_run, bench_ratio and bench_limit,
 * bench_print, bench_write, bench_fini. Whole programs compete through bench_compare (compare.c).
 */
#ifndef BENCH_H
#define BENCH_H

#include "scout/base/slice.h"
#include <stdio.h>

#define BENCH_CONTESTANTS_MAX 32
#define BENCH_RUNS_MAX        64
#define BENCH_VALUES_MAX      24
#define BENCH_RATIOS_MAX      32
#define BENCH_LIMITS_MAX      32
#define BENCH_NOTES_MAX       32
#define BENCH_NAME_SIZE       64

/* What one run of one contestant yielded. */
struct bench_value {
    char name[BENCH_NAME_SIZE];
    double number;
};

struct bench_sample {
    double ops, seconds;
    struct bench_value values[BENCH_VALUES_MAX];
    size_t value_count;
};

/* Adds a value beside the throughput: "p99_us", "cpu_us_per_op.daemon". Values of one contestant
 * keep their names over all runs. Returns 0, or SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int bench_sample_put(struct bench_sample *s, const char *name,
                                                         double number);

/* One run. Returns 0 with *out filled, or non-zero after it said on stderr what was wrong: the
 * whole benchmark then fails. */
typedef int bench_run_fn(void *context, struct bench_sample *out);

struct bench_contestant {
    char name[BENCH_NAME_SIZE];
    bench_run_fn *run;
    void *context;
    struct bench_sample *samples; /* one a run */
};

struct bench_ratio {
    const struct bench_contestant *top, *bottom;
    double value, goal; /* goal 0: none */
};

/* A goal for a value of one contestant: its median is at most that. */
struct bench_limit {
    const struct bench_contestant *contestant;
    char name[BENCH_NAME_SIZE]; /* of the value */
    double value, limit;
};

/* A member of `config` (text) or of `extra` (raw JSON that is known to be JSON). */
struct bench_note {
    const char *key, *value;
};

struct bench {
    const char *name;
    unsigned runs;
    struct bench_contestant contestants[BENCH_CONTESTANTS_MAX];
    size_t contestant_count;
    struct bench_ratio ratios[BENCH_RATIOS_MAX];
    size_t ratio_count;
    struct bench_limit limits[BENCH_LIMITS_MAX];
    size_t limit_count;
    struct bench_note config[BENCH_NOTES_MAX], extra[BENCH_NOTES_MAX];
    size_t config_count, extra_count;
};

/* `runs` from 1 to BENCH_RUNS_MAX. All texts given to the harness are borrowed until bench_fini. */
void bench_init(struct bench *b, const char *name, unsigned runs);
void bench_fini(struct bench *b);

/* 0, SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int bench_add(struct bench *b, const char *name,
                                                  bench_run_fn *run, void *context);
__attribute__((warn_unused_result)) int bench_config(struct bench *b, const char *key,
                                                     const char *text);
__attribute__((warn_unused_result)) int bench_extra(struct bench *b, const char *key,
                                                    const char *json);

/* Runs every contestant `runs` times, in turns, telling `progress` (may be NULL). Returns 0, or the
 * non-zero result of the run that failed. */
__attribute__((warn_unused_result)) int bench_run(struct bench *b, FILE *progress);

/* Compares the median throughput of two contestants by name, after bench_run. Returns 0,
 * SCOUT_E_NOT_FOUND or SCOUT_E_LIMIT. */
__attribute__((warn_unused_result)) int bench_ratio(struct bench *b, const char *top,
                                                    const char *bottom, double goal);
/* Sets a limit to the median of the value `name` of a contestant, after bench_run. Likewise. */
__attribute__((warn_unused_result)) int bench_limit(struct bench *b, const char *contestant,
                                                    const char *name, double limit);
/* False when some ratio or limit misses its goal. */
bool bench_goals_met(const struct bench *b);

/* The report for people, and the same as JSON into the file `path` (written whole or not at all).
 * bench_write returns 0 or a negative error after it told stderr. */
void bench_print(const struct bench *b, FILE *out);
__attribute__((warn_unused_result)) int bench_write(const struct bench *b, const char *path);

/* --- figures (bench_stats.c) -------------------------------------------------------------- */

struct bench_stats {
    double median, min, max, spread_percent; /* spread: (max - min) / median, in percent */
};

/* Of `count` numbers (1 or more); sorts them. */
struct bench_stats bench_stats_of(double *numbers, size_t count);

/* The `part` (0.5, 0.99) of sorted latencies by nearest rank. `count` 1 or more. */
double bench_percentile(const double *sorted, size_t count, double part);
void bench_sort(double *numbers, size_t count);

/* --- time and CPU (bench_cpu.c) ------------------------------------------------------------ */

double bench_now_s(void); /* monotonic */

/* CPU seconds, user and system, that this process and the children it waited for have used. */
double bench_cpu_self_s(void);

/* CPU seconds of the process `pid`, of all below it, and of those that have ended below it, from
 * /proc; a tick (10 ms) is the resolution. Descendants that were adopted away are missed. Negative
 * when there is no such process. */
double bench_cpu_tree_s(int pid);

/* --- machine (bench_machine.c) -------------------------------------------------------------- */

struct bench_machine {
    long cpus;
    char kernel[128], model[128];
};

void bench_machine_read(struct bench_machine *m);

#endif
