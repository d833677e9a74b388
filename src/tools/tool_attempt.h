/* Private to tools: the record of a call of a tool that is not listed. */
#ifndef SCOUT_TOOLS_TOOL_ATTEMPT_H
#define SCOUT_TOOLS_TOOL_ATTEMPT_H

#include "scout/tools/tool.h"

/* After the refusal is on record: adds the host, the path and the command that `args` (which were
 * checked) name. */
void tool_attempt_record(struct tool_call *call, const struct cJSON *args);

#endif
