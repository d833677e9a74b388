/* The scout tool with target `hosts`: which hosts are known, and whether they answer.
 *
 * A host on which policy leaves the caller nothing to do is not among them. Many are summed up by
 * group, since nobody reads ten thousand rows, and making a row means resolving its host's
 * configuration; patterns ask for some. Only hosts with a row are probed. */
#include "scout_call.h"

#include "hosts_result.h"
#include "scout/base/container.h"
#include <cjson/cJSON.h>

struct hosts_call {
    struct scout_call *s;
    struct probe *probe;
    struct hosts_result result;
};

static bool is_visible(struct tool_call *call, const char *name)
{
    struct policy_request request = {.host = name, .early = true};
    for (int verb = POLICY_HOSTS + 1; verb < POLICY_VERB_COUNT; verb++) {
        request.verb = (enum policy_verb)verb;
        if (tool_call_may(call, &request))
            return true;
    }
    return false;
}

static void finish(struct hosts_call *h)
{
    scout_call_finish(h->s, hosts_result_write, &h->result); /* `h` is in the call's arena */
}

static void on_probed(void *context, const bool *online, const bool *probed, size_t count)
{
    struct hosts_call *h = context;
    (void)count;
    h->s->operation = NULL;
    h->result.online = online;
    h->result.probed = probed;
    finish(h);
}

static void on_progress(void *context, size_t done, size_t count)
{
    struct hosts_call *h = context;
    tool_call_progress(h->s->call, done, count, "hosts tried");
}

/* The names that the call is about; false without memory. */
static bool select_hosts(struct hosts_call *h)
{
    struct tool_call *call = h->s->call;
    const char *const *all;
    size_t known = fleet_names(h->result.fleet, &all);
    const char **names = arena_alloc(&call->arena, (known + 1) * sizeof *names);
    if (!names)
        return false;
    for (size_t i = 0; i < known; i++)
        if (target_has_host(&h->s->target, all[i]) && is_visible(call, all[i]))
            names[h->result.count++] = all[i];
    h->result.names = names;
    return true;
}

/* Groups in the place of the names; false without memory. */
static bool sum_up(struct hosts_call *h)
{
    struct hosts_result *r = &h->result;
    struct host_group *groups =
        arena_alloc(&h->s->call->arena, SCOUT_HOST_GROUPS_MAX * sizeof *groups);
    long count = groups ? host_groups(r->names, r->count, groups, SCOUT_HOST_GROUPS_MAX) : -1;
    if (count < 0)
        return false;
    r->names = NULL;
    r->groups = groups;
    r->group_count = (size_t)count;
    r->groups_shown =
        r->group_count < SCOUT_HOST_GROUPS_MAX ? r->group_count : SCOUT_HOST_GROUPS_MAX;
    return true;
}

static bool wants_probe(const struct hosts_call *h, const struct cJSON *args)
{
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(args, "probe");
    if (!h->result.names || h->result.count == 0)
        return false;
    return cJSON_IsBool(wanted) ? cJSON_IsTrue(wanted) : h->result.count <= SCOUT_PROBE_HOSTS_MAX;
}

static void list(struct hosts_call *h, const struct cJSON *args)
{
    size_t rows_max = h->result.patterns[0] ? SCOUT_HOST_MATCHES_MAX : SCOUT_HOST_ROWS_MAX;
    if (!select_hosts(h) || (h->result.count > rows_max && !sum_up(h))) {
        scout_call_fail_memory(h->s);
        return;
    }
    if (!wants_probe(h, args)) {
        finish(h);
        return;
    }
    h->probe = probe_start(h->result.fleet, h->result.names, h->result.count,
                           h->s->call->deadline_ns, on_progress, on_probed, h);
    h->s->operation = h->probe ? h : NULL;
    if (!h->probe)
        scout_call_fail_memory(h->s);
}

static void start(struct scout_call *s, const struct cJSON *args)
{
    const struct policy_request request = {.verb = POLICY_HOSTS};
    struct hosts_call *h = arena_alloc(&s->call->arena, sizeof *h);
    struct failure why;
    if (!h) {
        scout_call_fail_memory(s);
        return;
    }
    *h = (struct hosts_call){.s = s};
    h->result.fleet = s->call->view->env->fleet;
    h->result.patterns = s->target.path;
    if (tool_call_permit(s->call, &request, &why) != 0)
        scout_call_fail(s, &why);
    else
        list(h, args);
}

static void cancel(struct scout_call *s)
{
    struct hosts_call *h = s->operation;
    if (h)
        probe_cancel(h->probe);
}

const struct scout_mode scout_hosts = {.start = start, .cancel = cancel};
