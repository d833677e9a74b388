/* One run of a contestant that is a program of its own. */
#ifndef BENCH_COMPARE_CHILD_H
#define BENCH_COMPARE_CHILD_H

#include "bench.h"

#define WATCHES_MAX 8

/* A process tree whose CPU is counted while contestants run. */
struct watch {
    char name[BENCH_NAME_SIZE];
    int pid;
};

struct contestant_command {
    const char *command; /* for sh -c */
    const struct watch *watches;
    size_t watch_count;
};

/* A bench_run_fn; `context` is a struct contestant_command. */
int compare_child_run(void *context, struct bench_sample *out);

#endif
