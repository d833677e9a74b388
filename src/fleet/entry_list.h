/* The entries of a directory while they gather, and sorted at the end. Private to the layer. */
#ifndef SCOUT_FLEET_ENTRY_LIST_H
#define SCOUT_FLEET_ENTRY_LIST_H

#include "scout/fleet/path_get.h"

struct entry_list {
    struct path_entry *entries;
    size_t count, room;
    struct buf bytes; /* of their names; until the end, entries hold offsets into it */
};

void entry_list_init(struct entry_list *l);
void entry_list_fini(struct entry_list *l);

/* Copies one entry; false when PATH_ENTRIES_MAX, PATH_ENTRY_BYTES_MAX or memory does not admit it.
 */
bool entry_list_add(struct entry_list *l, struct slice name, struct slice longname,
                    const struct sftp_attrs *attrs);

/* Sorts by name, in byte order, and makes the slices of `entries` valid. Once, at the end. */
void entry_list_finish(struct entry_list *l);

#endif
