/* subscriptions/listen of 2026-07-28, and resources/subscribe of before.
 *
 * A listening call lasts until its client cancels it or goes. First it says which of the wanted
 * things will be told; then it tells them. What cannot be watched (no such host, no path, over a
 * limit, not the caller's to read) is left out of the former. A path need not be there yet.
 *
 * resources/subscribe only checks; the subscription is the session's. */
#include "resource_find.h"
#include "scout/base/container.h"
#include "scout/base/time.h"
#include "scout/resources/resource_watch.h"
#include "scout/resources/resources.h"
#include <cjson/cJSON.h>
#include <stdlib.h>

struct listen;

struct listen_path {
    struct listen *listen;
    struct resource_watcher watcher;
    const char *uri; /* as it was asked for; in the arguments. NULL: the lists */
};

/* In the call's arena. */
struct listen {
    struct tool_call *call;
    struct io_timer timer; /* says what will be told, once `start` has returned */
    bool said;
    bool wants_resources, wants_tools; /* to be told that these lists changed */
    bool resources_due, tools_due;     /* they have */
    size_t count;
    struct listen_path paths[]; /* in the place of the lists, where they are wanted, the first */
};

#define LISTEN_AGAIN_MS 100 /* when there was no room for what was to be told */

/* ---- telling ---- */

static void write_uri(struct json_writer *w, const void *context)
{
    json_key(w, "uri");
    json_str(w, context);
}

static void write_none(struct json_writer *w, const void *context)
{
    (void)w;
    (void)context;
}

static void on_timer(struct io_timer *timer);

static void tell_in(struct listen *l, uint64_t ms)
{
    struct io *io = l->call->registry->io;
    io_timer_start(io, &l->timer, io_now(io) + ms * NS_PER_MS, on_timer);
}

/* Nothing is told before it is said what will be. */
static bool on_path_changed(struct resource_watcher *w)
{
    const struct listen_path *p = CONTAINER_OF(w, struct listen_path, watcher);
    return p->listen->said &&
           tool_call_notify(p->listen->call, "notifications/resources/updated", write_uri, p->uri);
}

static bool on_lists_changed(struct resource_watcher *w)
{
    struct listen *l = CONTAINER_OF(w, struct listen_path, watcher)->listen;
    l->resources_due = l->wants_resources;
    l->tools_due = l->wants_tools;
    tell_in(l, 0);
    return true;
}

static void write_honoured(struct json_writer *w, const void *context)
{
    const struct listen *l = context;
    json_key(w, "notifications");
    json_object_begin(w);
    size_t lists = l->count > 0 && !l->paths[0].uri;
    if (l->wants_tools) {
        json_key(w, "toolsListChanged");
        json_bool(w, true);
    }
    if (l->wants_resources) {
        json_key(w, "resourcesListChanged");
        json_bool(w, true);
    }
    if (l->count > lists) {
        json_key(w, "resourceSubscriptions");
        json_array_begin(w);
        for (size_t i = lists; i < l->count; i++)
            json_str(w, l->paths[i].uri);
        json_array_end(w);
    }
    json_object_end(w);
}

static void on_timer(struct io_timer *timer)
{
    struct listen *l = CONTAINER_OF(timer, struct listen, timer);
    if (!l->said)
        l->said = tool_call_notify(l->call, "notifications/subscriptions/acknowledged",
                                   write_honoured, l);
    if (l->said && l->tools_due)
        l->tools_due =
            !tool_call_notify(l->call, "notifications/tools/list_changed", write_none, NULL);
    if (l->said && l->resources_due)
        l->resources_due =
            !tool_call_notify(l->call, "notifications/resources/list_changed", write_none, NULL);
    if (!l->said || l->tools_due || l->resources_due)
        tell_in(l, LISTEN_AGAIN_MS);
}

/* ---- the end ---- */

static void end_all(struct listen *l)
{
    io_timer_stop(l->call->registry->io, &l->timer);
    for (size_t i = 0; i < l->count; i++)
        resource_watch_end(&l->paths[i].watcher);
}

static void cancel(struct tool_call *call)
{
    const struct tool_result result = {.write = write_none};
    struct listen *l = call->state;
    end_all(l);
    call->state = NULL;
    tool_call_finish(call, &result);
}

/* ---- the begin ---- */

static struct resource_watcher *add(struct listen *l, const char *uri, resource_changed_fn *fn)
{
    struct listen_path *p = &l->paths[l->count];
    *p = (struct listen_path){.listen = l, .uri = uri};
    resource_watcher_init(&p->watcher, l->call->identity, fn);
    return &p->watcher;
}

/* True when it is watched from now on. */
static bool add_path(struct listen *l, const char *uri, struct resource_uri *found)
{
    const struct ssh_host *host;
    struct failure why;
    return resource_find_watchable(l->call, uri, found, &host, &why) == 0 &&
           resource_watch_path(l->call->registry->watches, add(l, uri, on_path_changed),
                               found->target.host, found->target.path, &why) == 0;
}

static void add_paths(struct listen *l, const struct cJSON *uris)
{
    struct resource_uri *found = arena_alloc(&l->call->arena, sizeof *found);
    const cJSON *item;
    cJSON_ArrayForEach(item, uris)
    {
        if (found && l->count < WATCHES_EACH_MAX + 1 && cJSON_IsString(item) &&
            add_path(l, item->valuestring, found))
            l->count++;
    }
}

static void start_listen(struct tool_call *call, const struct cJSON *args)
{
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(args, "notifications");
    const cJSON *resources = cJSON_GetObjectItemCaseSensitive(wanted, "resourcesListChanged");
    const cJSON *tools = cJSON_GetObjectItemCaseSensitive(wanted, "toolsListChanged");
    const cJSON *uris = cJSON_GetObjectItemCaseSensitive(wanted, "resourceSubscriptions");
    const size_t max = WATCHES_EACH_MAX + 1;
    struct listen *l = arena_alloc(&call->arena, sizeof *l + max * sizeof l->paths[0]);
    struct failure why;
    if (!l) {
        failure_set(&why, SCOUT_E_NOMEM, "No memory for the subscription");
        tool_call_fail(call, &why);
        return;
    }
    *l = (struct listen){.call = call,
                         .wants_resources = cJSON_IsTrue(resources),
                         .wants_tools = cJSON_IsTrue(tools)};
    io_timer_init(&l->timer);
    if (l->wants_resources || l->wants_tools) {
        resource_watch_lists(call->registry->watches, add(l, NULL, on_lists_changed));
        l->count++;
    }
    add_paths(l, uris);
    call->state = l;
    tool_call_leave_view(call);
    tell_in(l, 0);
}

static const struct tool_param listen_params[] = {
    {.name = "notifications",
     .description = "what is to be told",
     .type = TOOL_OBJECT,
     .required = true},
};

const struct tool resource_listen_tool = {
    .name = "subscriptions/listen",
    .params = listen_params,
    .param_count = 1,
    .takes_params = true,
    .lasts = true,
    .start = start_listen,
    .cancel = cancel,
};

/* ---- resources/subscribe ---- */

static void start_subscribe(struct tool_call *call, const struct cJSON *args)
{
    struct tool_result result = {.write = write_none, .is_clean = true, .is_whole = true};
    struct resource_uri *uri = arena_alloc(&call->arena, sizeof *uri);
    const struct ssh_host *host;
    struct failure why;
    call->subject = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, "uri"));
    int error = uri ? resource_find_watchable(call, call->subject, uri, &host, &why)
                    : failure_set(&why, SCOUT_E_NOMEM, "No memory for the subscription");
    if (error) {
        tool_call_fail(call, &why);
        return;
    }
    result.context = &uri->target;
    tool_call_finish(call, &result);
}

static const struct tool_param subscribe_params[] = {
    {
        .name = "uri",
        .description = "the resource to watch",
        .type = TOOL_STRING,
        .required = true,
        .length_max = RESOURCE_URI_MAX,
    },
};

const struct tool resource_subscribe_tool = {
    .name = "resources/subscribe",
    .params = subscribe_params,
    .param_count = 1,
    .verbs = POLICY_BIT(POLICY_LIST) | POLICY_BIT(POLICY_READ),
    .takes_params = true,
    .start = start_subscribe,
};
