/* The kept states as files, and the list of them. All of it may block: for helper threads, one at a
 * time. Private to fleet. */
#ifndef SCOUT_FLEET_UNDO_FILES_H
#define SCOUT_FLEET_UNDO_FILES_H

#include "scout/base/buf.h"
#include "scout/base/paths.h"
#include "scout/fleet/undo.h"

struct undo_item; /* one file, as it is known */

struct undo_files {
    char folder[PATHS_SIZE];
    int fd;                  /* the folder; -1: not open */
    struct undo_item *items; /* the oldest first */
    size_t count, room;
    uint64_t bytes; /* of all files */
};

void undo_files_init(struct undo_files *f, const char *folder);
void undo_files_fini(struct undo_files *f);

/* Each of the following opens the folder first (makes it, reads what is there, removes what is no
 * state, torn or too old), where it is not open: 0 or SCOUT_E_UNDO_UNAVAILABLE with *why. */

/* On the disk when it returns 0. What is over a limit goes first. */
__attribute__((warn_unused_result)) int
undo_files_keep(struct undo_files *f, const struct undo_state *state, struct failure *why);

/* As undo_find has it. Fills *out; its content goes into `content`. */
__attribute__((warn_unused_result)) int undo_files_find(struct undo_files *f,
                                                        const struct undo_state *wanted,
                                                        uint64_t now_ms, struct undo_state *out,
                                                        struct buf *content, struct failure *why);

void undo_files_drop(struct undo_files *f, const char *id);
/* Removes what is too old. */
void undo_files_prune(struct undo_files *f, uint64_t now_ms);

#endif
