/* hosts://list: the hosts that the caller gets to see, each with its URIs. Up to
 * SCOUT_PROBE_HOSTS_MAX are tried, as the scout tool does. */
#include "resource_call.h"

#include "scout/tools/host_list.h"
#include <stdio.h>

#define EXAMPLE_HOSTS 2 /* that the examples are made of */

struct hosts_state {
    struct host_list list;
    struct probe *probe;
};

static void put_row(struct page *p, const char *label, const char *host, const char *rest)
{
    page_printf(p, "    %-9s %s://%s\n", label, host, rest);
}

static void put_uris(struct page *p, const char *name)
{
    char encoded[3 * TARGET_HOST_MAX + 8];
    if (resource_uri_is_scheme(slice_str(name))) {
        put_row(p, "Files:", name, "path/to/file");
        put_row(p, "Docker:", name, "docker/{container}/logs");
        put_row(p, "Compose:", name, "compose/{project}/logs");
        put_row(p, "ZFS:", name, "zfs");
        put_row(p, "Syslog:", name, "syslog");
    }
    if (resource_uri_encode(slice_str(name), false, encoded, sizeof encoded))
        page_printf(p, "    %-9s scout://%s/path/to/file\n", "Generic:", encoded);
}

static void put_host(struct page *p, const struct host_list *l, size_t i)
{
    const struct ssh_host *host;
    struct failure why;
    bool probed = l->online && l->probed[i];
    const char *mark = !probed ? "" : l->online[i] ? "[\xe2\x9c\x93] " : "[\xe2\x9c\x97] ";
    const char *state = !probed ? "" : l->online[i] ? " (online)" : " (offline)";
    if (fleet_host(l->fleet, l->names[i], &host, &why) != 0) {
        page_printf(p, "[!] %s (refused)\n    %s\n\n", l->names[i], why.text);
        return;
    }
    page_printf(p, "%s%s%s\n    %-9s %s@%s:%u\n", mark, l->names[i], state, "SSH:", host->user,
                host->hostname, host->port);
    put_uris(p, l->names[i]);
    page_put(p, slice_str("\n"));
}

static void put_example(struct page *p, const char *host, const char *rest, const char *what)
{
    char uri[TARGET_HOST_MAX + 64];
    snprintf(uri, sizeof uri, "%s://%s", host, rest);
    page_printf(p, "  %-27s (%s)\n", uri, what);
}

static void put_examples(struct page *p, const struct host_list *l)
{
    size_t shown = 0;
    for (size_t i = 0; i < l->count && shown < EXAMPLE_HOSTS; i++) {
        const char *host = l->names[i];
        if (!resource_uri_is_scheme(slice_str(host)))
            continue;
        if (shown++ == 0) {
            page_put(p, slice_str("Usage Examples:\n"));
            page_rule(p, '-', 40);
        }
        put_example(p, host, "etc/hosts", "files");
        put_example(p, host, "docker/{container}/logs", "docker logs");
        put_example(p, host, "compose/{project}/logs", "compose logs");
        put_example(p, host, "zfs", "ZFS overview");
        put_example(p, host, "syslog", "system logs");
    }
    if (shown > 0)
        page_put(p, slice_str("Both URI formats work identically.\n"));
}

static void put_groups(struct page *p, const struct host_list *l)
{
    page_printf(p, "%zu hosts, by group:\n", l->count);
    for (size_t i = 0; i < l->groups_shown; i++)
        page_printf(p, "  %s: %zu\n", l->groups[i].name, l->groups[i].count);
    if (l->group_count > l->groups_shown)
        page_printf(p, "  ... and %zu groups more\n", l->group_count - l->groups_shown);
    page_put(p,
             slice_str("\nFiles:      {host}://path/to/file or scout://{host}/path/to/file\n"
                       "For some of the hosts: the tool scout with target 'hosts PATTERN...'\n"));
}

static void finish(struct resource_call *r)
{
    const struct hosts_state *h = r->state;
    if (h->list.count == 0) {
        page_put(&r->page, slice_str("No SSH hosts configured."));
    } else {
        page_put(&r->page, slice_str("Available SSH Hosts\n"));
        page_rule(&r->page, '=', 40);
        page_put(&r->page, slice_str("\n"));
        for (size_t i = 0; h->list.names && i < h->list.count; i++)
            put_host(&r->page, &h->list, i);
        if (h->list.names)
            put_examples(&r->page, &h->list);
        else
            put_groups(&r->page, &h->list);
    }
    resource_finish(r, "text/plain");
}

static void on_probed(void *context, const bool *online, const bool *probed, size_t count)
{
    struct resource_call *r = context;
    struct hosts_state *h = r->state;
    (void)count;
    h->probe = NULL;
    h->list.online = online;
    h->list.probed = probed;
    finish(r);
}

static void on_progress(void *context, size_t done, size_t count)
{
    const struct resource_call *r = context;
    tool_call_progress(r->call, done, count, "hosts tried");
}

static void start(struct resource_call *r)
{
    static const struct target all = {.kind = TARGET_HOSTS};
    const struct policy_request request = {.verb = POLICY_HOSTS};
    struct hosts_state *h = arena_alloc(&r->call->arena, sizeof *h);
    struct failure why;
    if (tool_call_permit(r->call, &request, &why) != 0) {
        resource_fail(r, &why);
        return;
    }
    if (!h || host_list_make(&h->list, r->call, &all, SCOUT_HOST_ROWS_MAX) != 0) {
        resource_fail_as(r, SCOUT_E_NOMEM, "No memory for the hosts");
        return;
    }
    h->probe = NULL;
    r->state = h;
    if (h->list.count == 0 || h->list.count > SCOUT_PROBE_HOSTS_MAX) {
        finish(r);
        return;
    }
    h->probe = probe_start(h->list.fleet, h->list.names, h->list.count, r->call->deadline_ns,
                           on_progress, on_probed, r);
    if (!h->probe)
        resource_fail_as(r, SCOUT_E_NOMEM, "No memory to try the hosts");
}

static void cancel(struct resource_call *r)
{
    struct hosts_state *h = r->state;
    if (h && h->probe)
        probe_cancel(h->probe);
}

const struct resource_reader read_hosts = {.start = start, .cancel = cancel};
