/* A call about one path of a host: its target, its request, its ends. */
#include "path_call.h"

#include "scout/tools/path_permit.h"
#include "scout/tools/scout_tool.h"
#include <cjson/cJSON.h>

int path_call_init(struct path_call *p, struct tool_call *call, const struct cJSON *args,
                   uint32_t verbs, struct failure *why)
{
    const char *target = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "target"));
    p->call = call;
    int error = target_parse(slice_str(target), &p->target, why);
    if (!error && p->target.kind != TARGET_PATH)
        error = failure_set(why, SCOUT_E_INVALID_ARGUMENT,
                            "Invalid target 'hosts'. Expected 'host:/path'");
    if (!error)
        error = fleet_host(call->view->env->fleet, p->target.host, &p->host, why);
    return error ? error : path_permit_early(call, verbs, &p->target, why);
}

struct path_request path_call_request(const struct path_call *p)
{
    return (struct path_request){
        .host = p->host,
        .path = p->target.path,
        .principal = p->call->identity->principal,
        .client = p->call->identity->client,
        .holdings = p->call->view->env->holdings,
        .deadline_ns = p->call->deadline_ns,
    };
}

void path_call_finish(struct path_call *p, tool_write_fn *write, const void *context)
{
    struct tool_result result = {.write = write, .context = context, .redacted = p->redacted};
    p->call->state = NULL; /* it is in the call's arena */
    tool_call_finish(p->call, &result);
}

void path_call_fail(struct path_call *p, const struct failure *why)
{
    p->call->state = NULL;
    tool_call_fail(p->call, why);
}

void path_call_fail_memory(struct tool_call *call)
{
    struct failure why;
    failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
    call->state = NULL;
    tool_call_fail(call, &why);
}

void path_call_fail_cancelled(struct path_call *p)
{
    struct failure why;
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    path_call_fail(p, &why);
}
