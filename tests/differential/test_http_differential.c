/* Our reader of HTTP/1.1 against llhttp, by the rule of http_compare.h: over the table of requests,
 * over the corpus of our fuzzer, and over what chance makes of both.
 *
 *     test_http_differential [--seed N] [--count N] [CORPUS...]
 *
 * An input that breaks the rule is printed, with the seeds that cut it. */
#include "http_cases.h"
#include "http_compare.h"
#include "http_mutate.h"
#include "random.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define BASES_MAX   1024
#define CUTS        32 /* ways that each input of the table and of the corpus is cut */
#define TAKEN_SHARE 10 /* at least one in so many of chance's inputs has to be taken */
#define SHOWN_MAX   10 /* broken inputs that are printed */

struct run {
    struct buf bases[BASES_MAX]; /* the inputs that chance begins with */
    size_t base_count;
    size_t inputs, with_taken, messages, stricter, both_refuse, broken;
    size_t exceptions[EXCEPTION_COUNT];
};

static void show(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len && i < 4000; i++) {
        uint8_t c = bytes.data[i];
        if (c == '\r' || c == '\n')
            printf(c == '\r' ? "\\r" : "\\n\n    ");
        else
            printf(c < 0x20 || c > 0x7e || c == '\\' ? "\\x%02x" : "%c", c);
    }
    printf("\n");
}

static struct http_comparison compare(struct run *run, const char *name, struct slice bytes,
                                      uint64_t our_cuts, uint64_t their_cuts)
{
    struct http_comparison c = http_compare_bytes(bytes, our_cuts, their_cuts);
    run->inputs++;
    run->with_taken += c.taken > 0;
    run->messages += c.taken;
    run->stricter += c.stricter;
    run->both_refuse += c.both_refuse;
    run->exceptions[c.exception]++;
    if (c.differs && run->broken++ < SHOWN_MAX) {
        printf("%s, request %zu: %s (cut by %llu and %llu)\n    ", name, c.at + 1, c.differs,
               (unsigned long long)our_cuts, (unsigned long long)their_cuts);
        show(bytes);
    }
    return c;
}

static void compare_cuts(struct run *run, const char *name, struct slice bytes)
{
    struct http_comparison c = compare(run, name, bytes, 0, 0);
    if (c.stricter)
        printf("ours alone refuses: %s\n", name);
    if (c.exception)
        printf("an exception: %s\n", name);
    for (uint64_t i = 1; i < CUTS && !c.differs; i++)
        c = compare(run, name, bytes, i, i * 7919);
}

static struct buf *new_base(struct run *run)
{
    if (run->base_count == BASES_MAX)
        exit(2);
    struct buf *base = &run->bases[run->base_count++];
    buf_init(base, ACCOUNT_TEXT_MAX);
    return base;
}

static void add_table(struct run *run)
{
    for (size_t i = 0; i < http_case_count; i++) {
        struct buf *base = new_base(run);
        http_case_bytes(&http_cases[i], base);
        compare_cuts(run, http_cases[i].name, buf_peek(base));
    }
}

/* The files of our fuzzer's corpus: a byte that says how it cuts, and then the requests. */
static void add_corpus(struct run *run, const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) {
        perror(path);
        exit(2);
    }
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char name[4096], bytes[65536];
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        FILE *file = e->d_name[0] != '.' ? fopen(name, "rb") : NULL;
        if (!file)
            continue;
        size_t len = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        struct buf *base = new_base(run);
        account_add(base, slice_of(bytes + (len > 0), len - (len > 0)));
        compare_cuts(run, e->d_name, buf_peek(base));
    }
    closedir(dir);
}

/* One input by chance: a known one or a new one, often with another behind it, mostly spoilt. */
static void make_input(struct run *run, struct buf *out, uint64_t *random)
{
    do {
        if (random_below(random, 3))
            http_random_request(out, random);
        else
            account_add(out, buf_peek(&run->bases[random_below(random, run->base_count)]));
    } while (random_below(random, 3) == 0 && buf_len(out) < 40000);
    if (random_below(random, 4))
        http_mutate(out, random);
}

static void compare_chance(struct run *run, uint64_t seed, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t random = seed << 32 ^ i;
        char name[64];
        snprintf(name, sizeof name, "--seed %llu, input %zu", (unsigned long long)seed, i);
        struct buf input;
        buf_init(&input, ACCOUNT_TEXT_MAX);
        make_input(run, &input, &random);
        uint64_t ours = random_next(&random) % 1000, theirs = random_next(&random) % 1000;
        compare(run, name, buf_peek(&input), ours, theirs);
        buf_fini(&input);
    }
}

static void tell(const struct run *run, const char *what)
{
    printf("%s: %zu inputs, %zu with requests that both take alike (%zu requests), %zu that only "
           "ours refuses, %zu that both refuse, %zu that break the rule\n",
           what, run->inputs, run->with_taken, run->messages, run->stricter, run->both_refuse,
           run->broken);
    for (size_t i = 1; i < EXCEPTION_COUNT; i++)
        printf("  exception, %zu times: %s\n", run->exceptions[i], http_exception_text[i]);
}

/* The same inputs to begin with, and nothing counted. */
static struct run without_counts(const struct run *from)
{
    struct run run = {.base_count = from->base_count};
    memcpy(run.bases, from->bases, sizeof run.bases);
    return run;
}

int main(int argc, char **argv)
{
    struct run by_hand = {.base_count = 0};
    uint64_t seed = 1;
    size_t count = 100000;
    add_table(&by_hand);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
            count = strtoul(argv[++i], NULL, 10);
        else
            add_corpus(&by_hand, argv[i]);
    }
    tell(&by_hand, "by hand");
    struct run chance = without_counts(&by_hand);
    compare_chance(&chance, seed, count);
    tell(&chance, "by chance");
    for (size_t i = 0; i < by_hand.base_count; i++)
        buf_fini(&by_hand.bases[i]);
    bool idle = chance.with_taken < count / TAKEN_SHARE;
    if (idle)
        printf("too few of chance's inputs are taken: that tries nothing\n");
    return by_hand.broken + chance.broken > 0 || idle;
}
