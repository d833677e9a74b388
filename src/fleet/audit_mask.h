/* Private to fleet: the words of a command as they may stand in a record: without secrets. Pure. */
#ifndef SCOUT_FLEET_AUDIT_MASK_H
#define SCOUT_FLEET_AUDIT_MASK_H

#include "scout/base/buf.h"

#define AUDIT_COMMAND_MAX 1024 /* bytes of a command's words; the rest is cut and marked */

/* Appends `"argv":["...",...]`, and `,"cut":true` where words or parts of them are missing. 0 or a
 * negative error. */
__attribute__((warn_unused_result)) int audit_mask_argv(struct buf *out, const char *const *argv,
                                                        size_t argc);
/* The same of a line for a shell: as one word, in which each word of the shell is masked. */
__attribute__((warn_unused_result)) int audit_mask_line(struct buf *out, struct slice line);

#endif
