/* The line of the log that each call gets at its end (docs/wire.md, "Log"). */
#ifndef SCOUT_TOOLS_TOOL_LOG_H
#define SCOUT_TOOLS_TOOL_LOG_H

#include "scout/base/log.h"
#include "scout/tools/tool.h"

#define TOOL_LOG_NOT_SLOW UINT64_MAX

/* Before the call's memory goes, after it was answered. `log` NULL: there is none. `outcome` is
 * that of a job ("detached", "ended", "asks"), NULL for what is none. From `slow_ns` on it is a
 * warning. */
void tool_call_log(struct log *log, uint64_t slow_ns, const struct tool_call *call,
                   const struct tool_result *result, const char *outcome);

#endif
