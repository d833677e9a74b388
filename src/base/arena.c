/* Memory that lives and dies with one request: a chain of blocks, handed out from the newest.
 *
 * The first block is small, since most requests need little and the allocator keeps such sizes at
 * hand; each further one is twice as large up to a bound, and a piece larger than that gets a block
 * of its own. `used` counts the blocks, so `max` bounds what is really taken. */
#include "scout/base/error.h"
#include "scout/base/json.h"
#include <stdalign.h>
#include <stdlib.h>

#define ARENA_FIRST_SIZE 1024
#define ARENA_BLOCK_MAX  (1024u * 1024u)

struct arena_block {
    alignas(16) struct arena_block *next;
    size_t size, used; /* of `data` */
    alignas(16) uint8_t data[];
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

void arena_fini(struct arena *a)
{
    for (struct arena_block *block = a->first; block;) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena_init(a, a->max);
}

static struct arena_block *arena_grow(struct arena *a, size_t need)
{
    size_t room = a->max - a->used;
    size_t total = a->first ? (a->first->size + sizeof *a->first) * 2 : ARENA_FIRST_SIZE;
    if (total > ARENA_BLOCK_MAX)
        total = ARENA_BLOCK_MAX;
    if (total > room)
        total = room;
    if (need > SIZE_MAX - sizeof *a->first || need + sizeof *a->first > room)
        return NULL;
    if (total < need + sizeof *a->first)
        total = need + sizeof *a->first;
    struct arena_block *block = malloc(total);
    if (!block)
        return NULL;
    block->size = total - sizeof *block;
    block->used = 0;
    block->next = a->first;
    a->first = block;
    a->used += total;
    return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX - 15)
        return NULL;
    size = size ? (size + 15) & ~(size_t)15 : 16;
    struct arena_block *block = a->first;
    if (!block || block->size - block->used < size)
        block = arena_grow(a, size);
    if (!block)
        return NULL;
    void *piece = block->data + block->used;
    block->used += size;
    return piece;
}
