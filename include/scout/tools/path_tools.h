/* The typed tools `read`, `list` and `stat` (docs/wire.md): one look at one path of a host. */
#ifndef SCOUT_TOOLS_PATH_TOOLS_H
#define SCOUT_TOOLS_PATH_TOOLS_H

#include "scout/tools/tool.h"

extern const struct tool read_tool, list_tool, stat_tool;

#endif
