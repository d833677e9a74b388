/* The timers' queue: least key first, whatever was inserted and removed between. */
#include "scout/base/heap.h"

#include "scout/base/container.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>
#include <stdlib.h>

#define NODE_COUNT 2000u

/* A small generator, so that a failure repeats. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void keys_come_out_in_order(void **state)
{
    (void)state;
    struct heap_node *nodes = calloc(NODE_COUNT, sizeof *nodes);
    struct heap h;
    uint32_t seed = 1;
    assert_non_null(nodes);
    heap_init(&h);
    for (uint32_t i = 0; i < NODE_COUNT; i++)
        heap_insert(&h, &nodes[i], next_random(&seed) % 500);
    uint64_t last = 0;
    for (uint32_t i = 0; i < NODE_COUNT; i++) {
        struct heap_node *first = heap_first(&h);
        assert_non_null(first);
        assert_true(first->key >= last);
        last = first->key;
        heap_remove(&h, first);
        assert_false(heap_linked(first));
    }
    assert_null(heap_first(&h));
    free(nodes);
}

static uint64_t least_of(const struct heap_node *nodes)
{
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < NODE_COUNT; i++)
        if (heap_linked(&nodes[i]) && nodes[i].key < least)
            least = nodes[i].key;
    return least;
}

static void any_node_can_be_removed_and_inserted_again(void **state)
{
    (void)state;
    struct heap_node *nodes = calloc(NODE_COUNT, sizeof *nodes);
    struct heap h;
    uint32_t seed = 7, count = 0;
    assert_non_null(nodes);
    heap_init(&h);
    for (uint32_t round = 0; round < 20000; round++) {
        struct heap_node *node = &nodes[next_random(&seed) % NODE_COUNT];
        if (heap_linked(node)) {
            heap_remove(&h, node);
            count--;
        } else {
            heap_insert(&h, node, next_random(&seed));
            count++;
        }
        assert_int_equal(h.count, count);
        if (round % 50 == 0)
            assert_int_equal(count ? heap_first(&h)->key : UINT64_MAX, least_of(nodes));
    }
    while (heap_first(&h))
        heap_remove(&h, heap_first(&h));
    free(nodes);
}

static void a_million_nodes_need_no_deep_stack(void **state)
{
    (void)state;
    uint32_t count = 1000000;
    struct heap_node *nodes = calloc(count, sizeof *nodes);
    struct heap h;
    assert_non_null(nodes);
    heap_init(&h);
    for (uint32_t i = 0; i < count; i++)
        heap_insert(&h, &nodes[i], count - i); /* each becomes the root: one long chain */
    for (uint32_t i = 1; i <= count; i++) {
        struct heap_node *first = heap_first(&h);
        if (first->key != i)
            fail_msg("key %u came instead of %u", (unsigned)first->key, i);
        heap_remove(&h, first);
    }
    free(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_out_in_order),
        cmocka_unit_test(any_node_can_be_removed_and_inserted_again),
        cmocka_unit_test(a_million_nodes_need_no_deep_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
