/* A file or a directory: the same look as the tools have, with the same questions to policy. */
#include "resource_call.h"

#include "scout/tools/path_permit.h"

static int permit(void *context, struct slice real_path, enum path_kind kind, struct failure *why)
{
    struct resource_call *r = context;
    return path_permit(r->call, kind == PATH_FILE ? POLICY_READ : POLICY_LIST, &r->uri.target,
                       real_path, why);
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    const struct resource_call *r = context;
    tool_call_progress(r->call, done, total, "bytes read");
}

static void on_got(void *context, const struct path_result *result)
{
    struct resource_call *r = context;
    r->get = NULL;
    r->call->connected_ns = result->connected_ns;
    if (result->failure.error)
        resource_fail(r, &result->failure);
    else
        resource_finish_path(r, result);
}

static void start(struct resource_call *r)
{
    const struct path_request request = {
        .host = r->host,
        .path = r->uri.target.path,
        .principal = r->call->identity->principal,
        .client = r->call->identity->client,
        .size_max = r->call->view->env->file_size_max,
        .deadline_ns = r->call->deadline_ns,
        .permit = permit,
        .progress = on_progress,
    };
    struct failure why;
    if (path_permit_early(r->call, POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_LIST),
                          &r->uri.target, &why) != 0) {
        resource_fail(r, &why);
        return;
    }
    r->get = path_get_start(r->call->view->env->fleet, &request, on_got, r);
    if (!r->get)
        resource_fail_as(r, SCOUT_E_NOMEM, "No memory for the request");
}

const struct resource_reader read_path = {.start = start};
