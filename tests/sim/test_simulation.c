/* test_simulation [--seed N | --from N --count N]
 *
 * Simulates the pool, its channels and its commands in virtual time, one run for each seed. A seed
 * that fails says how to replay it. Some are run twice: the same seed must give the same run. */
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWICE_EVERY 25

static unsigned long long number(const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (*end || end == text) {
        fprintf(stderr, "not a number: %s\n", text);
        exit(2);
    }
    return n;
}

static void add(struct sim_counts *all, struct pool_stats *sum, const struct sim_counts *c,
                const struct pool_stats *p)
{
    all->served += c->served;
    all->failed += c->failed;
    all->exited += c->exited;
    all->stopped += c->stopped;
    all->unconfirmed += c->unconfirmed;
    all->cancelled += c->cancelled;
    sum->connects += p->connects;
    sum->evictions += p->evictions;
    sum->stale += p->stale;
    sum->channels_refused += p->channels_refused;
    sum->command_retries += p->command_retries;
}

int main(int argc, char **argv)
{
    unsigned long long from = 1, count = 250;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0)
            from = number(argv[i + 1]), count = 1;
        else if (strcmp(argv[i], "--from") == 0)
            from = number(argv[i + 1]);
        else if (strcmp(argv[i], "--count") == 0)
            count = number(argv[i + 1]);
    }
    struct sim_counts all = {0};
    struct pool_stats sum = {0};
    for (unsigned long long seed = from; seed < from + count; seed++) {
        struct sim_counts c;
        struct pool_stats p;
        uint64_t trace = sim_run(seed, &c, &p);
        add(&all, &sum, &c, &p);
        if ((count == 1 || seed % TWICE_EVERY == 0) && sim_run(seed, &c, &p) != trace) {
            fprintf(stderr, "seed %llu: two runs differ\n", seed);
            return 1;
        }
    }
    printf("%llu seeds from %llu: %u served, %u failed, %u cancelled; commands: %u exited, %u "
           "stopped, %u unconfirmed\nconnects %llu, evictions %llu, stale %llu, channels refused "
           "%llu, commands tried again %llu\n",
           count, from, all.served, all.failed, all.cancelled, all.exited, all.stopped,
           all.unconfirmed, (unsigned long long)sum.connects, (unsigned long long)sum.evictions,
           (unsigned long long)sum.stale, (unsigned long long)sum.channels_refused,
           (unsigned long long)sum.command_retries);
    return 0;
}
