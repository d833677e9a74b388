/* The `run` tool (docs/wire.md): any command on a host, for those whom policy lets. */
#ifndef SCOUT_TOOLS_RUN_TOOL_H
#define SCOUT_TOOLS_RUN_TOOL_H

#include "scout/tools/tool.h"

#define RUN_ARGS_MAX  256             /* words of argv */
#define RUN_STDIN_MAX (1024u * 1024u) /* bytes */
#define RUN_TIMEOUT_S 86400           /* the longest that may be asked for */

extern const struct tool run_tool;

#endif
