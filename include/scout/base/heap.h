/* Intrusive binary min-heap keyed by a 64-bit number: the timers' queue.
 * A node that is not in a heap has index 0 (indexes start at 1), so zeroed memory is ready. */
#ifndef SCOUT_BASE_HEAP_H
#define SCOUT_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
    uint64_t key;
    uint32_t index; /* 0: not in the heap */
};

struct heap {
    struct heap_node **nodes; /* nodes[1..count] */
    uint32_t count, size;
};

void heap_init(struct heap *h);
void heap_fini(struct heap *h);

/* Inserts `node` with `key`; nodes with equal keys come out in no set order.
 * Returns 0 or SCOUT_E_NOMEM. The node must not be in a heap. */
__attribute__((warn_unused_result)) int heap_insert(struct heap *h, struct heap_node *node,
                                                    uint64_t key);
void heap_remove(struct heap *h, struct heap_node *node);

/* The node with the least key, or NULL. */
static inline struct heap_node *heap_first(const struct heap *h)
{
    return h->count ? h->nodes[1] : NULL;
}

#endif
