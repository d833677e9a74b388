/* Private to tools: the arguments of a call against the table of its tool. */
#ifndef SCOUT_TOOLS_TOOL_ARGS_H
#define SCOUT_TOOLS_TOOL_ARGS_H

#include "scout/tools/tool.h"

/* What every tool takes that has is_long: characters of its answer. */
#define TOOL_OUTPUT_PARAM "max_output"
extern const struct tool_param tool_output_param;

/* Checks `args` and takes members out of it that are null, since clients send null for optional
 * parameters they do not set. Returns 0, or SCOUT_E_INVALID_ARGUMENT with *why filled. */
__attribute__((warn_unused_result)) int tool_args_check(const struct tool *t, struct cJSON *args,
                                                        struct failure *why);

#endif
