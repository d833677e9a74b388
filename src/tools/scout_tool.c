/* The `scout` tool: what its target is decides what is done, here; how the answer is written is in
 * scout_result.c. */
#include "scout/tools/scout_tool.h"

#include "scout/fleet/path_get.h"
#include "scout/fleet/target.h"
#include "scout_result.h"
#include <cjson/cJSON.h>
#include <stdlib.h>

/* One call: at most one of the two operations is under way. */
struct scout_call {
    struct tool_call *call;
    struct path_get *get;
    struct probe *probe;
    struct target target;
};

static struct scout_call *take_state(struct tool_call *call)
{
    struct scout_call *s = call->state;
    call->state = NULL;
    return s;
}

static void fail(struct tool_call *call, const struct failure *why)
{
    free(take_state(call));
    tool_call_fail(call, why);
}

/* ---- hosts ---- */

static void finish_hosts(struct tool_call *call, const bool *online, const bool *probed)
{
    struct hosts_result hosts = {
        .fleet = call->view->env->fleet, .online = online, .probed = probed};
    struct tool_result result = {.write = hosts_result_write, .context = &hosts};
    free(take_state(call));
    tool_call_finish(call, &result);
}

static void on_probed(void *context, const bool *online, const bool *probed, size_t count)
{
    struct scout_call *s = context;
    (void)count;
    s->probe = NULL;
    finish_hosts(s->call, online, probed);
}

static void start_hosts(struct scout_call *s, const struct cJSON *args)
{
    struct tool_call *call = s->call;
    const char *const *names;
    size_t count = fleet_names(call->view->env->fleet, &names);
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(args, "probe");
    bool probe = cJSON_IsBool(wanted) ? cJSON_IsTrue(wanted) : count <= SCOUT_PROBE_HOSTS_MAX;
    if (!probe || count == 0) {
        finish_hosts(call, NULL, NULL);
        return;
    }
    s->probe = probe_start(call->view->env->fleet, call->deadline_ns, on_probed, s);
    if (!s->probe) {
        struct failure why;
        failure_set(&why, SCOUT_E_NOMEM, "No memory to probe the hosts");
        fail(call, &why);
    }
}

/* ---- host:path ---- */

static void on_got(void *context, const struct path_result *result)
{
    struct scout_call *s = context;
    struct tool_call *call = s->call;
    s->get = NULL;
    if (result->failure.error) {
        fail(call, &result->failure);
        return;
    }
    struct path_answer answer = {.host = s->target.host,
                                 .path = s->target.path,
                                 .size_max = call->view->env->file_size_max,
                                 .result = result};
    struct tool_result written = {.write = path_answer_write, .context = &answer};
    tool_call_finish(call, &written);
    free(s);
}

static void start_path(struct scout_call *s)
{
    struct tool_call *call = s->call;
    const struct tool_env *env = call->view->env;
    const struct ssh_host *host;
    struct failure why;
    if (fleet_host(env->fleet, s->target.host, &host, &why) != 0) {
        fail(call, &why);
        return;
    }
    s->get = path_get_start(env->fleet, host, s->target.path, env->file_size_max, call->deadline_ns,
                            on_got, s);
    if (!s->get) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        fail(call, &why);
    }
}

/* ---- the tool ---- */

static void start(struct tool_call *call, const struct cJSON *args)
{
    struct failure why;
    const char *target = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "target"));
    struct scout_call *s = calloc(1, sizeof *s);
    call->state = s;
    if (!s) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the request");
        fail(call, &why);
        return;
    }
    s->call = call;
    if (target_parse(slice_str(target ? target : ""), &s->target, &why) != 0)
        fail(call, &why);
    else if (s->target.kind == TARGET_HOSTS)
        start_hosts(s, args);
    else
        start_path(s);
}

static void cancel(struct tool_call *call)
{
    struct scout_call *s = call->state;
    struct failure why;
    if (!s)
        return;
    if (s->get)
        path_get_cancel(s->get);
    if (s->probe)
        probe_cancel(s->probe);
    failure_set(&why, SCOUT_E_CANCELLED, "Cancelled");
    fail(call, &why);
}

static const struct tool_param params[] = {
    {
        .name = "target",
        .description = "'hosts' lists the known hosts; 'host:/path' reads that file or lists that "
                       "directory. '~/' and relative paths start in the login directory.",
        .type = TOOL_STRING,
        .default_json = "\"\"",
        .length_max = TARGET_HOST_MAX + TARGET_PATH_MAX + 1024,
    },
    {
        .name = "probe",
        .description = "With 'hosts': try whether each host can be reached. By default done for "
                       "up to 20 hosts.",
        .type = TOOL_BOOLEAN,
    },
};

const struct tool scout_tool = {
    .name = "scout",
    .title = "Scout",
    .description = "Looks at remote hosts over SSH: lists the known hosts, reads a file, or lists "
                   "a directory. Changes nothing on any host.",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .output_schema = scout_output_schema,
    .verbs = POLICY_BIT(POLICY_HOSTS) | POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_READ),
    .idempotent = true,
    .open_world = true,
    .start = start,
    .cancel = cancel,
};
