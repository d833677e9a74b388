/* Runs a contestant's command and reads what it says about itself.
 *
 * The command prints lines: "begin" when it has warmed up and starts to measure, "end" when it has
 * finished, and "key number" lines, among them `ops` and `seconds`. The watched process trees' CPU
 * is read at "begin" and at "end", so that connecting, warming up and starting an interpreter are
 * in nobody's figure. Anything else on its output is a failure, and so is a status other than 0. */
#include "compare_child.h"

#include "scout/base/error.h"
#include <stdlib.h>

#define LINE_SIZE 256

struct reading {
    double cpu_s[WATCHES_MAX];
};

static int take_reading(const struct contestant_command *c, struct reading *r)
{
    for (size_t i = 0; i < c->watch_count; i++) {
        r->cpu_s[i] = bench_cpu_tree_s(c->watches[i].pid);
        if (r->cpu_s[i] < 0) {
            fprintf(stderr, "bench: the watched process %s (%d) has ended\n", c->watches[i].name,
                    c->watches[i].pid);
            return SCOUT_E_NOT_FOUND;
        }
    }
    return 0;
}

static int take_number(struct bench_sample *s, const char *line)
{
    char key[BENCH_NAME_SIZE];
    double number;
    if (sscanf(line, "%63s %lf", key, &number) != 2) {
        fprintf(stderr, "bench: a contestant said: %s", line);
        return SCOUT_E_PARSE;
    }
    if (strcmp(key, "ops") == 0)
        s->ops = number;
    else if (strcmp(key, "seconds") == 0)
        s->seconds = number;
    else
        return bench_sample_put(s, key, number);
    return 0;
}

static int put_watched(const struct contestant_command *c, const struct reading *before,
                       const struct reading *after, struct bench_sample *s)
{
    for (size_t i = 0; i < c->watch_count; i++) {
        char key[BENCH_NAME_SIZE * 2];
        snprintf(key, sizeof key, "cpu_us_per_op.%s", c->watches[i].name);
        double us = (after->cpu_s[i] - before->cpu_s[i]) * 1e6;
        int error = bench_sample_put(s, key, s->ops > 0 ? us / s->ops : 0);
        if (error)
            return error;
    }
    return 0;
}

static int read_output(const struct contestant_command *c, FILE *f, struct bench_sample *s)
{
    struct reading before, after;
    bool began = false, ended = false;
    char line[LINE_SIZE];
    int error = 0;
    while (!error && fgets(line, sizeof line, f)) {
        if (strcmp(line, "begin\n") == 0) {
            error = take_reading(c, &before);
            began = true;
        } else if (strcmp(line, "end\n") == 0) {
            error = take_reading(c, &after);
            ended = true;
        } else {
            error = take_number(s, line);
        }
    }
    if (!error && !(began && ended)) {
        fprintf(stderr, "bench: a contestant ended without its figures\n");
        error = SCOUT_E_INTERNAL;
    }
    return error ? error : put_watched(c, &before, &after, s);
}

int compare_child_run(void *context, struct bench_sample *out)
{
    const struct contestant_command *c = context;
    fflush(NULL);
    FILE *f = popen(c->command, "re");
    if (!f) {
        perror("bench: popen");
        return SCOUT_E_NOMEM;
    }
    int error = read_output(c, f, out);
    int status = pclose(f);
    if (status != 0) {
        fprintf(stderr, "bench: failed (status %d): %s\n", status, c->command);
        error = error ? error : SCOUT_E_INTERNAL;
    }
    return error;
}
