/* A fixed table of things that are named by id across time: index + generation.
 *
 * An id is never 0. A slot that was given back gets a new generation, so an old id finds nothing
 * rather than somebody else's thing. No growth: when all are taken, slots_take refuses. */
#ifndef SCOUT_BASE_SLOTS_H
#define SCOUT_BASE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

struct slot {
    void *value; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};

struct slots {
    struct slot *entries;
    uint32_t size, used, first_free;
};

/* Returns 0 or SCOUT_E_NOMEM. `size` below 2^31. */
__attribute__((warn_unused_result)) int slots_init(struct slots *s, uint32_t size);
void slots_fini(struct slots *s);

/* Puts `value` (not NULL) into a free slot: its id, or 0 when all are taken. */
uint64_t slots_take(struct slots *s, void *value);

/* What `id` names, or NULL when it was given back (or never was). */
void *slots_get(const struct slots *s, uint64_t id);

/* Gives the slot back. `id` must be live. */
void slots_give(struct slots *s, uint64_t id);

#endif
