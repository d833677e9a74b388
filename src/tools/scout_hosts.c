/* The scout tool with target `hosts`: which hosts are known, and whether they answer.
 *
 * Which they are is in host_list.c. Making a row means resolving its host's configuration, so many
 * hosts are summed up; patterns ask for some. Only hosts with a row are probed. */
#include "scout_call.h"

#include "hosts_result.h"
#include <cjson/cJSON.h>

struct hosts_call {
    struct scout_call *s;
    struct probe *probe;
    struct host_list result;
};

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

static bool wants_probe(struct hosts_call *h, const struct cJSON *args)
{
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(args, "probe");
    h->result.too_many_to_list = !h->result.names && cJSON_IsTrue(wanted);
    if (!h->result.names || h->result.count == 0)
        return false;
    if (cJSON_IsBool(wanted))
        return cJSON_IsTrue(wanted);
    h->result.too_many_to_try = h->result.count > SCOUT_PROBE_HOSTS_MAX;
    return !h->result.too_many_to_try;
}

static void list(struct hosts_call *h, const struct cJSON *args)
{
    const struct target *patterns = &h->s->target;
    size_t rows_max = patterns->path[0] ? SCOUT_HOST_MATCHES_MAX : SCOUT_HOST_ROWS_MAX;
    if (host_list_make(&h->result, h->s->call, patterns, rows_max) != 0) {
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
