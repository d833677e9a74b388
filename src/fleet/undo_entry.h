/* The head of a kept state's file: all but its content. Private to fleet. Pure.
 *
 *   "SCUNDO1\n" | head's length, 4 | flags, 4 | mode, 4 | time, 8 | content's length, 8
 *   | hash, 32 | owner | host | path, each with its length in 2 before it      (little-endian) */
#ifndef SCOUT_FLEET_UNDO_ENTRY_H
#define SCOUT_FLEET_UNDO_ENTRY_H

#include "scout/base/buf.h"
#include "scout/fleet/undo.h"

#define UNDO_FIXED_LEN 68u /* before the strings */
#define UNDO_HEAD_MAX                                                                              \
    (UNDO_FIXED_LEN + 3u * 2u + IDENTITY_NAME_MAX + UNDO_HOST_MAX + UNDO_PATH_MAX) /* bytes */

/* Appends the head. 0 or the buffer's error. */
__attribute__((warn_unused_result)) int undo_entry_write(const struct undo_state *state,
                                                         struct buf *out);
/* Reads the head that `bytes` (of the file's begin) has. Its length, or SCOUT_E_PARSE. The id is
 * not in it; content has its length alone. */
__attribute__((warn_unused_result)) int undo_entry_read(struct slice bytes, struct undo_state *out);

/* The id that these random bytes make. */
void undo_entry_id(const uint8_t random[16], char id[UNDO_ID_LEN + 1]);

#endif
