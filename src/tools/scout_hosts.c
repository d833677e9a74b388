/* The scout tool with target `hosts`: which hosts are known, and whether they answer. */
#include "scout_call.h"

#include "scout_result.h"
#include <cjson/cJSON.h>

static void finish(struct scout_call *s, const bool *online, const bool *probed)
{
    struct hosts_result hosts = {
        .fleet = s->call->view->env->fleet, .online = online, .probed = probed};
    scout_call_finish(s, hosts_result_write, &hosts);
}

static void on_probed(void *context, const bool *online, const bool *probed, size_t count)
{
    struct scout_call *s = context;
    (void)count;
    s->operation = NULL;
    finish(s, online, probed);
}

static void start(struct scout_call *s, const struct cJSON *args)
{
    struct fleet *fleet = s->call->view->env->fleet;
    const char *const *names;
    size_t count = fleet_names(fleet, &names);
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(args, "probe");
    struct policy_request request = {.verb = POLICY_HOSTS};
    struct failure why;
    if (tool_call_permit(s->call, &request, &why) != 0) {
        scout_call_fail(s, &why);
        return;
    }
    bool probe = cJSON_IsBool(wanted) ? cJSON_IsTrue(wanted) : count <= SCOUT_PROBE_HOSTS_MAX;
    if (!probe || count == 0) {
        finish(s, NULL, NULL);
        return;
    }
    s->operation = probe_start(fleet, s->call->deadline_ns, on_probed, s);
    if (!s->operation)
        scout_call_fail_memory(s);
}

static void cancel(struct scout_call *s)
{
    if (s->operation)
        probe_cancel(s->operation);
}

const struct scout_mode scout_hosts = {.start = start, .cancel = cancel};
