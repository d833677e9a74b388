/* The record of a comparison. */
#ifndef SCOUT_TOOLS_DIFF_RECORD_H
#define SCOUT_TOOLS_DIFF_RECORD_H

#include "scout/fleet/target.h"
#include "scout/tools/tool.h"

/* The record has both files as they were asked for, and the real path of the first (empty: not
 * known yet). False when there is no memory for it. */
bool diff_put_on_record(struct tool_call *call, const struct target *first, struct slice real_path,
                        const struct target *second);

#endif
