/* tools/call: which tool, with which arguments. A tool's own failure is a result with isError. */
#include "ask.h"
#include "call.h"
#include "dispatch.h"
#include "session_state.h"
#include <stdio.h>

static size_t answer_tool(struct mcp_session *s, const struct reply_to *to,
                          const struct tool_call *call, const struct tool_result *result)
{
    (void)call;
    return answer_result(s, to, call_write_result, result);
}

static void refuse_tool(struct mcp_session *s, const struct reply_to *to, const char *name)
{
    char message[192];
    snprintf(message, sizeof message, "Unknown tool%s%s", name ? ": " : "", name ? name : "");
    answer_error(s, to, RPC_INVALID_PARAMS, message, NULL, NULL);
}

void method_tools_call(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    char name[129];
    struct slice raw_name = json_member(params, "name");
    struct call_start start = {
        .params = params, .arguments = json_member(params, "arguments"), .answer = answer_tool};
    if (json_type(raw_name) != JSON_STRING) {
        answer_error(s, to, RPC_INVALID_PARAMS, "Invalid params: \"name\" must be a string", NULL,
                     NULL);
        return;
    }
    if (json_type(start.arguments) == JSON_NULL)
        start.arguments.len = 0;
    if (start.arguments.len && json_type(start.arguments) != JSON_OBJECT) {
        answer_error(s, to, RPC_INVALID_PARAMS, "Invalid params: \"arguments\" must be an object",
                     NULL, NULL);
        return;
    }
    bool readable = json_string(raw_name, name, sizeof name) >= 0;
    start.tool = readable ? tool_find(s->config.registry, name) : NULL;
    if (start.tool && start.tool->needs_task && !(to->can & TOOL_CAN_TASKS))
        ask_refuse(s, to, TOOL_CAN_TASKS);
    else if (start.tool)
        call_start(s, to, &start);
    else
        refuse_tool(s, to, readable ? name : NULL);
}
