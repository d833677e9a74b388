/* The tools that change files (docs/wire.md): `write`, `edit` and `undo`, for those whom policy
 * lets. */
#ifndef SCOUT_TOOLS_CHANGE_TOOLS_H
#define SCOUT_TOOLS_CHANGE_TOOLS_H

#include "scout/tools/tool.h"

#define WRITE_CONTENT_MAX (1024u * 1024u) /* bytes of `content`, and of the strings of an edit */
#define CHANGE_ETAG_MAX   64u             /* bytes of an etag that is given */

extern const struct tool write_tool, edit_tool, undo_tool;

#endif
