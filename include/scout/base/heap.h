/* Intrusive min-heap keyed by a 64-bit number: the timers' queue.
 *
 * It allocates nothing, so that no insertion can fail. Zeroed memory is a node that is in no heap.
 * Insertion and a look at the first take constant time, removal amortised logarithmic time. */
#ifndef SCOUT_BASE_HEAP_H
#define SCOUT_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    uint64_t key;
    struct heap_node *child; /* the first of its children */
    struct heap_node *next;  /* its next sibling */
    struct heap_node *prev;  /* the sibling before; the parent, for a first child; itself, for the
                                root; NULL when in no heap */
};

struct heap {
    struct heap_node *root;
    uint32_t count;
};

void heap_init(struct heap *h);

/* Inserts `node`, which is in no heap, with `key`; nodes with equal keys come out in no set order.
 */
void heap_insert(struct heap *h, struct heap_node *node, uint64_t key);
void heap_remove(struct heap *h, struct heap_node *node);

/* The node with the least key, or NULL. */
static inline struct heap_node *heap_first(const struct heap *h)
{
    return h->root;
}

static inline bool heap_linked(const struct heap_node *node)
{
    return node->prev != NULL;
}

#endif
