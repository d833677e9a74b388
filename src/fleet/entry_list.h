/* The entries of a directory while they gather, and sorted at the end. Private to the layer. */
#ifndef SCOUT_FLEET_ENTRY_LIST_H
#define SCOUT_FLEET_ENTRY_LIST_H

#include "scout/fleet/path_get.h"

struct entry_list {
    struct path_entry *entries;
    size_t count, room;
    struct buf bytes; /* of their slices; until the end, entries hold offsets into it */
};

void entry_list_init(struct entry_list *l);
void entry_list_fini(struct entry_list *l);

/* Bytes of memory that it takes. */
static inline size_t entry_list_size(const struct entry_list *l)
{
    return l->room * sizeof *l->entries + l->bytes.size;
}

/* Copies one entry with all its slices; false when PATH_ENTRIES_MAX, PATH_ENTRY_BYTES_MAX or memory
 * does not admit it. */
bool entry_list_add(struct entry_list *l, const struct path_entry *e);

/* The name of an entry before the end; until the next change. */
struct slice entry_list_name(const struct entry_list *l, size_t index);
/* Before the end: copies the target of a link; false as above, the entry then goes without. */
bool entry_list_set_target(struct entry_list *l, size_t index, struct slice target);

/* Sorts by name, in byte order, and makes the slices of `entries` valid. Once, at the end. */
void entry_list_finish(struct entry_list *l);
/* After the end: the entry of that name, or NULL. */
struct path_entry *entry_list_find(const struct entry_list *l, struct slice name);

#endif
