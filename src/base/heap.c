/* A pairing heap of embedded nodes.
 *
 * Not an array: an array would have to grow, and starting a timer would have to be able to fail. A
 * heap here is a tree in which no child's key is less than its parent's. Two trees are melded by
 * making the one with the greater key the first child of the other. Inserting melds a single node
 * with the root; removing a node melds its children pairwise from left to right, then those pairs
 * from right to left, which is what keeps the cost logarithmic over time.
 *
 * Invariant: the root's prev is the root itself, so that a node is in a heap exactly when its prev
 * is not NULL. No function recurses: a chain of a million children costs no stack. */
#include "scout/base/heap.h"

#include <assert.h>

void heap_init(struct heap *h)
{
    *h = (struct heap){0};
}

/* Makes one tree of two; both are roots without siblings. Either may be NULL. */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->key < a->key) {
        struct heap_node *less = b;
        b = a;
        a = less;
    }
    b->next = a->child;
    if (b->next)
        b->next->prev = b;
    b->prev = a;
    a->child = b;
    return a;
}

/* Makes one tree of a list of siblings; NULL for an empty list. */
static struct heap_node *meld_siblings(struct heap_node *first)
{
    struct heap_node *pairs = NULL; /* the latest pair first */
    while (first) {
        struct heap_node *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a->next = NULL;
        if (b)
            b->next = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    struct heap_node *tree = NULL;
    while (pairs) {
        struct heap_node *pair = pairs;
        pairs = pair->next;
        pair->next = NULL;
        tree = meld(tree, pair);
    }
    return tree;
}

static void set_root(struct heap *h, struct heap_node *root)
{
    h->root = root;
    if (root)
        root->prev = root;
}

void heap_insert(struct heap *h, struct heap_node *node, uint64_t key)
{
    assert(!heap_linked(node));
    *node = (struct heap_node){.key = key};
    set_root(h, meld(h->root, node));
    h->count++;
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    assert(heap_linked(node) && h->count > 0);
    struct heap_node *rest = meld_siblings(node->child);
    if (node == h->root) {
        set_root(h, rest);
    } else {
        if (node->prev->child == node)
            node->prev->child = node->next;
        else
            node->prev->next = node->next;
        if (node->next)
            node->next->prev = node->prev;
        set_root(h, meld(h->root, rest));
    }
    *node = (struct heap_node){.key = node->key};
    h->count--;
}
