/* Binary min-heap of embedded nodes; nodes[0] is unused, so that index 0 can mean "not in". */
#include "scout/base/heap.h"

#include "scout/base/error.h"
#include <assert.h>
#include <stdlib.h>

#define HEAP_FIRST_SIZE 64

void heap_init(struct heap *h)
{
    *h = (struct heap){0};
}

void heap_fini(struct heap *h)
{
    free(h->nodes);
    *h = (struct heap){0};
}

static void heap_put(struct heap *h, uint32_t index, struct heap_node *node)
{
    h->nodes[index] = node;
    node->index = index;
}

static void sift_up(struct heap *h, struct heap_node *node, uint32_t index)
{
    while (index > 1 && h->nodes[index / 2]->key > node->key) {
        heap_put(h, index, h->nodes[index / 2]);
        index /= 2;
    }
    heap_put(h, index, node);
}

static void sift_down(struct heap *h, struct heap_node *node, uint32_t index)
{
    for (;;) {
        uint32_t child = index * 2;
        if (child > h->count)
            break;
        if (child < h->count && h->nodes[child + 1]->key < h->nodes[child]->key)
            child++;
        if (node->key <= h->nodes[child]->key)
            break;
        heap_put(h, index, h->nodes[child]);
        index = child;
    }
    heap_put(h, index, node);
}

int heap_insert(struct heap *h, struct heap_node *node, uint64_t key)
{
    assert(node->index == 0);
    if (h->count + 1 >= h->size) {
        uint32_t size = h->size ? h->size * 2 : HEAP_FIRST_SIZE;
        struct heap_node **nodes = realloc(h->nodes, size * sizeof *nodes);
        if (!nodes)
            return SCOUT_E_NOMEM;
        h->nodes = nodes;
        h->size = size;
    }
    node->key = key;
    h->count++;
    sift_up(h, node, h->count);
    return 0;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    assert(node->index > 0 && h->nodes[node->index] == node);
    uint32_t index = node->index;
    struct heap_node *last = h->nodes[h->count--];
    node->index = 0;
    if (last == node)
        return;
    if (index > 1 && h->nodes[index / 2]->key > last->key)
        sift_up(h, last, index);
    else
        sift_down(h, last, index);
}
