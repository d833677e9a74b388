/* Names of hosts count in any case where only one host has them (fleet_name). */
#include "resource_find.h"

#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"

int resource_find(struct tool_call *call, const char *uri, struct resource_uri *out,
                  const struct ssh_host **host, struct failure *why)
{
    struct fleet *fleet = call->view->env->fleet;
    *host = NULL;
    int error = resource_uri_parse(slice_str(uri), out, why);
    if (error || out->kind == RESOURCE_HOSTS || out->kind == RESOURCE_VIEWER)
        return error;
    const char *name = fleet_name(fleet, out->target.host);
    if (name)
        strcpy(out->target.host, name);
    return fleet_host(fleet, out->target.host, host, why);
}

int resource_find_watchable(struct tool_call *call, const char *uri, struct resource_uri *out,
                            const struct ssh_host **host, struct failure *why)
{
    int error = resource_find(call, uri, out, host, why);
    if (error)
        return error;
    if (out->kind != RESOURCE_PATH)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                           "Only files and directories can be subscribed to");
    return path_permit_early(call, POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_LIST), &out->target,
                             why);
}
