/* The list of kept states, the oldest first. Private to fleet. */
#ifndef SCOUT_FLEET_UNDO_LIST_H
#define SCOUT_FLEET_UNDO_LIST_H

#include "undo_files.h"

struct undo_item {
    char id[UNDO_ID_LEN + 1];
    bool of_undo;
    uint64_t time_ms, size; /* of the file */
    char *owner, *host, *path;
    bool is_there; /* after the change, with this hash */
    uint8_t hash[UNDO_HASH_LEN];
};

/* Takes up a file of `size` bytes, where its time says. False without memory. */
bool undo_list_add(struct undo_files *f, const struct undo_state *state, uint64_t size);
void undo_list_clear(struct undo_files *f);

/* The youngest one before *index that is what undo_files_find wants; false: none. *passed_over says
 * whether a change of the file was met that left it otherwise. */
bool undo_list_find(const struct undo_files *f, const struct undo_state *wanted, size_t *index,
                    bool *passed_over);

/* These remove files, too: one; what is too old; what a state of `size` bytes has no room beside.
 */
void undo_list_remove(struct undo_files *f, size_t index);
void undo_list_prune(struct undo_files *f, uint64_t now_ms);
void undo_list_trim(struct undo_files *f, const struct undo_state *state, uint64_t size);

#endif
