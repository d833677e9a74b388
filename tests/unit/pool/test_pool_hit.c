/* A warm acquire: no allocation, no system call's worth of work. The time it takes is printed; what
 * it may take is measured by the benchmark, on a quiet machine. */
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUNDS  5000
#define BATCHES 40
#define HOSTS   50

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

static struct world w;
static uint64_t allocations;

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    allocations++;
    return __real_realloc(p, size);
}

static void ignore_ready(struct pool_use *use, const struct failure *failure)
{
    (void)use;
    (void)failure;
}

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void test_hit(void **state)
{
    static struct ssh_host hosts[HOSTS];
    static char paths[HOSTS][64];
    struct pool_use use;
    struct failure why;
    (void)state;
    world_open(&w, 1);
    world_start(&w);
    for (unsigned i = 0; i < HOSTS; i++) {
        hosts[i] = world_host("deployment");
        snprintf(hosts[i].name, sizeof hosts[i].name, "web%u", i);
        snprintf(hosts[i].hostname, sizeof hosts[i].hostname, "127.0.0.1");
        snprintf(hosts[i].user, sizeof hosts[i].user, "deployment%u", i);
        snprintf(paths[i], sizeof paths[i], "/home/somebody/.ssh/id_ed25519_%u", i);
        hosts[i].identities[0] = paths[i];
        hosts[i].identity_count = 1;
        assert_int_equal(pool_acquire(w.pool, &hosts[i], "", UINT64_MAX, &use, ignore_ready, &why),
                         0);
        UNTIL(&w, !use.waiting);
        pool_release(&use);
    }
    uint64_t before = allocations, best = UINT64_MAX;
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        uint64_t start = now_ns();
        for (unsigned i = 0; i < ROUNDS; i++) {
            if (pool_acquire(w.pool, &hosts[i % HOSTS], "", UINT64_MAX, &use, ignore_ready, &why) !=
                1)
                fail();
            pool_release(&use);
        }
        uint64_t took = now_ns() - start;
        best = took < best ? took : best;
    }
    assert_int_equal(allocations, before);
    assert_int_equal(pool_stats(w.pool)->hits, BATCHES * ROUNDS);
    print_message("a warm acquire and release: %.1f ns (the best of %d batches)\n",
                  (double)best / ROUNDS, BATCHES);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
