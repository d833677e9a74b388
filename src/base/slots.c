/* A fixed table with generations. An id is (generation << 32 | index + 1), so it is never 0. Free
 * slots form a list through next_free (index + 1; 0 ends it). */
#include "scout/base/slots.h"

#include "scout/base/error.h"
#include <assert.h>
#include <stdlib.h>

int slots_init(struct slots *s, uint32_t size)
{
    *s = (struct slots){0};
    s->entries = calloc(size, sizeof *s->entries);
    if (!s->entries)
        return SCOUT_E_NOMEM;
    s->size = size;
    for (uint32_t i = 0; i < size; i++)
        s->entries[i].next_free = i + 1 < size ? i + 2 : 0;
    s->first_free = size ? 1 : 0;
    return 0;
}

void slots_fini(struct slots *s)
{
    free(s->entries);
    *s = (struct slots){0};
}

uint64_t slots_take(struct slots *s, void *value)
{
    assert(value);
    if (s->first_free == 0)
        return 0;
    uint32_t number = s->first_free;
    struct slot *slot = &s->entries[number - 1];
    s->first_free = slot->next_free;
    slot->value = value;
    s->used++;
    return (uint64_t)slot->generation << 32 | number;
}

static struct slot *slot_of(const struct slots *s, uint64_t id)
{
    uint32_t number = (uint32_t)id;
    if (number == 0 || number > s->size)
        return NULL;
    struct slot *slot = &s->entries[number - 1];
    return slot->value && slot->generation == (uint32_t)(id >> 32) ? slot : NULL;
}

void *slots_get(const struct slots *s, uint64_t id)
{
    struct slot *slot = slot_of(s, id);
    return slot ? slot->value : NULL;
}

void slots_give(struct slots *s, uint64_t id)
{
    struct slot *slot = slot_of(s, id);
    assert(slot);
    slot->value = NULL;
    slot->generation++;
    slot->next_free = s->first_free;
    s->first_free = (uint32_t)id;
    s->used--;
}
