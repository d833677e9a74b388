/* tools/list: all tools on one page, in the registry's order, which is the same for every client
 * and every time (MCP 2026-07-28, "Tools": the list must not depend on earlier requests).
 *
 * There is no cursor to give out, so any cursor that comes is one we never gave. The scope of the
 * cached list is "private", because which tools a client sees may come to depend on its socket. */
#include "dispatch.h"
#include "session_state.h"

#define LIST_TTL_MS 60000 /* the list is fixed while the daemon runs; it may be replaced */

static void write_tools(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    const struct reply_to *to = context;
    const struct tool_registry *registry = s->config.registry;
    json_key(w, "tools");
    json_array_begin(w);
    for (size_t i = 0; i < registry->count; i++)
        if (tool_is_listed(registry, registry->tools[i], s->config.identity))
            tool_describe(w, registry, registry->tools[i], s->config.identity, to->shows_apps);
    json_array_end(w);
    if (to->era == MCP_LEGACY)
        return;
    json_key(w, "ttlMs");
    json_int(w, LIST_TTL_MS);
    json_key(w, "cacheScope");
    json_str(w, "private");
}

void method_tools_list(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    enum json_type cursor = json_type(json_member(params, "cursor"));
    if (cursor != JSON_NONE && cursor != JSON_NULL)
        answer_error(s, to, RPC_INVALID_PARAMS, "Invalid params: unknown cursor", NULL, NULL);
    else
        answer_result(s, to, write_tools, to);
}
