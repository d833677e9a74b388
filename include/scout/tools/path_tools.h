/* The typed tools `read`, `list`, `stat`, `glob` and `grep` (docs/wire.md): one look at a host. */
#ifndef SCOUT_TOOLS_PATH_TOOLS_H
#define SCOUT_TOOLS_PATH_TOOLS_H

#include "scout/tools/tool.h"

extern const struct tool read_tool, list_tool, stat_tool, glob_tool, grep_tool;

#define GLOB_SHOWN     100 /* paths, unless told */
#define GLOB_SHOWN_MAX 1000
#define GLOB_FOUND_MAX 50000 /* of which the newest are shown */

#endif
