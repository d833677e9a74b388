/* The tool `output` (docs/wire.md): the rest of an answer that was cut, by its handle. */
#ifndef SCOUT_TOOLS_OUTPUT_TOOL_H
#define SCOUT_TOOLS_OUTPUT_TOOL_H

#include "scout/tools/tool.h"

extern const struct tool output_tool;

#endif
