/* Changes of resources, in both lifecycles.
 *
 * Until 2025-11-25 a session subscribes to a resource (resources/subscribe) and is told until it
 * unsubscribes or ends; that the lists changed is told to whoever made the handshake. In 2026-07-28
 * a request lasts (subscriptions/listen): what it wants is told by its own way, marked with its id,
 * until the client cancels it. When the daemon or the client's input ends, so does the request,
 * with its result.
 *
 * What is told goes out by a task, never from within who tells it. A change that finds no room is
 * told later (resource_watch.h). */
#include "subscriptions.h"

#include "call.h"
#include "dispatch.h"
#include "notification.h"
#include "scout/base/container.h"
#include "scout/fleet/target.h"
#include "session_state.h"
#include <stdlib.h>

/* ---- sessions with a handshake ---- */

struct subscription {
    struct list node;
    struct mcp_session *session;
    struct resource_watcher watcher;
    char uri[]; /* as the client wrote it */
};

bool subscriptions_possible(const struct mcp_session *s)
{
    const struct tool_registry *registry = s->config.registry;
    return tool_find_method(registry, "resources/subscribe");
}

static void write_uri(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    (void)s;
    json_key(w, "uri");
    json_str(w, context);
}

static void write_none(struct json_writer *w, const struct mcp_session *s, const void *context)
{
    (void)w;
    (void)s;
    (void)context;
}

static bool on_changed(struct resource_watcher *w)
{
    const struct subscription *sub = CONTAINER_OF(w, struct subscription, watcher);
    struct mcp_session *s = sub->session;
    return s->broken ||
           notification_send(s, &s->own, "notifications/resources/updated", write_uri, sub->uri);
}

/* One that finds no room is dropped: the client is far behind, and will ask again anyway. */
static bool on_lists_changed(struct resource_watcher *w)
{
    struct mcp_session *s = CONTAINER_OF(w, struct mcp_session, subscriptions.lists);
    if (!s->broken)
        notification_send(s, &s->own, "notifications/resources/list_changed", write_none, NULL);
    if (!s->broken && s->config.registry->tools_change)
        notification_send(s, &s->own, "notifications/tools/list_changed", write_none, NULL);
    return true;
}

void subscriptions_init(struct mcp_session *s)
{
    list_init(&s->subscriptions.paths);
    resource_watcher_init(&s->subscriptions.lists, s->config.identity, on_lists_changed);
}

void subscriptions_tell_lists(struct mcp_session *s)
{
    if (s->config.registry->watches && !s->subscriptions.lists.watched)
        resource_watch_lists(s->config.registry->watches, &s->subscriptions.lists);
}

static void subscription_end(struct subscription *sub)
{
    resource_watch_end(&sub->watcher);
    list_remove(&sub->node);
    free(sub);
}

void subscriptions_fini(struct mcp_session *s)
{
    struct list *paths = &s->subscriptions.paths;
    resource_watch_end(&s->subscriptions.lists);
    while (!list_empty(paths))
        subscription_end(CONTAINER_OF(paths->next, struct subscription, node));
}

static struct subscription *find(const struct mcp_session *s, const char *uri)
{
    const struct list *paths = &s->subscriptions.paths;
    for (struct list *n = paths->next; n != paths; n = n->next) {
        struct subscription *sub = CONTAINER_OF(n, struct subscription, node);
        if (strcmp(sub->uri, uri) == 0)
            return sub;
    }
    return NULL;
}

static int subscribe(struct mcp_session *s, const char *uri, const struct target *target,
                     struct failure *why)
{
    if (find(s, uri))
        return 0;
    struct subscription *sub = malloc(sizeof *sub + strlen(uri) + 1);
    if (!sub)
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the subscription");
    sub->session = s;
    strcpy(sub->uri, uri);
    list_init(&sub->node);
    resource_watcher_init(&sub->watcher, s->config.identity, on_changed);
    list_append(&s->subscriptions.paths, &sub->node);
    int error = resource_watch_path(s->config.registry->watches, &sub->watcher, target->host,
                                    target->path, why);
    if (error)
        subscription_end(sub);
    return error;
}

/* Without a target, the call has seen to it. */
static size_t answer_subscribe(struct mcp_session *s, const struct reply_to *to,
                               const struct tool_call *call, const struct tool_result *result)
{
    struct failure why;
    if (result->is_error)
        return answer_resource_fault(s, to, call, call->why);
    if (result->context && subscribe(s, call->subject, result->context, &why) != 0)
        return answer_resource_fault(s, to, call, &why);
    return answer_result(s, to, NULL, NULL);
}

void method_subscribe(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    const struct call_start start = {
        .tool = tool_find_method(s->config.registry, "resources/subscribe"),
        .arguments = params,
        .params = params,
        .answer = answer_subscribe,
    };
    if (subscriptions_possible(s))
        call_start(s, to, &start);
    else
        refuse_method(s, to, "resources/subscribe");
}

/* To unsubscribe from what one has not subscribed to is no fault. */
void method_unsubscribe(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    struct slice raw = json_member(params, "uri");
    char *uri = json_type(raw) == JSON_STRING ? malloc(raw.len) : NULL;
    if (!subscriptions_possible(s)) {
        refuse_method(s, to, "resources/unsubscribe");
    } else if (!uri || json_string(raw, uri, raw.len) < 0) {
        answer_error(s, to, RPC_INVALID_PARAMS, "Invalid params: \"uri\" must be a string", NULL,
                     NULL);
    } else {
        struct subscription *sub = find(s, uri);
        if (sub)
            subscription_end(sub);
        answer_result(s, to, NULL, NULL);
    }
    free(uri);
}

/* ---- requests that last ---- */

struct listen_message {
    const struct request *request; /* that lasts; NULL: it belongs to an ordinary call */
    tool_write_fn *write;
    const void *context;
};

static void write_listen_message(struct json_writer *w, const struct mcp_session *s,
                                 const void *context)
{
    const struct listen_message *m = context;
    (void)s;
    m->write(w, m->context);
    if (!m->request)
        return;
    json_key(w, "_meta");
    json_object_begin(w);
    json_key(w, "io.modelcontextprotocol/subscriptionId");
    json_raw(w, request_id(m->request));
    json_object_end(w);
}

bool subscription_notify(struct tool_call *call, const char *method, tool_write_fn *write,
                         const void *context)
{
    const struct request *r = call->owner;
    struct mcp_session *s = r->session;
    const struct listen_message message = {call->tool->lasts ? r : NULL, write, context};
    if (r->cancelled || s->freed || s->broken)
        return true;
    return notification_send(s, r->way, method, write_listen_message, &message);
}

static size_t answer_listen(struct mcp_session *s, const struct reply_to *to,
                            const struct tool_call *call, const struct tool_result *result)
{
    if (result->is_error)
        return answer_resource_fault(s, to, call, call->why);
    return answer_subscription_end(s, to);
}

void method_listen(struct mcp_session *s, const struct reply_to *to, struct slice params)
{
    const struct call_start start = {
        .tool = tool_find_method(s->config.registry, "subscriptions/listen"),
        .arguments = params,
        .params = params,
        .answer = answer_listen,
    };
    if (!start.tool || !subscriptions_possible(s))
        refuse_method(s, to, "subscriptions/listen");
    else if (to->batch)
        answer_error(s, to, RPC_INVALID_REQUEST,
                     "Invalid request: \"subscriptions/listen\" cannot be part of a batch", NULL,
                     NULL);
    else
        call_start(s, to, &start);
}

static struct request *lasting_request(const struct mcp_session *s)
{
    for (struct list *n = s->requests.live.next; n != &s->requests.live; n = n->next) {
        struct request *r = CONTAINER_OF(n, struct request, node);
        if (r->call && r->call->tool->lasts)
            return r;
    }
    return NULL;
}

void mcp_session_end_lasting(struct mcp_session *s)
{
    struct request *r;
    session_enter(s);
    while (!s->freed && (r = lasting_request(s)))
        tool_call_cancel(r->call); /* answered, since the request is not cancelled */
    session_leave(s);
}
