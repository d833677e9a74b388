/* Private to mcp: what a client wants to be told of: resources that change, and their lists. */
#ifndef SCOUT_MCP_SUBSCRIPTIONS_H
#define SCOUT_MCP_SUBSCRIPTIONS_H

#include "answer.h"
#include "scout/base/list.h"
#include "scout/resources/resource_watch.h"

/* Of a session with a handshake: it is told until it says otherwise. */
struct subscriptions {
    struct list paths; /* of resources/subscribe */
    struct resource_watcher lists;
};

void subscriptions_init(struct mcp_session *s);
void subscriptions_fini(struct mcp_session *s);

/* After `initialize`: changes of the lists are told from now on. */
void subscriptions_tell_lists(struct mcp_session *s);

/* Whether the session can tell of changes at all. */
bool subscriptions_possible(const struct mcp_session *s);

/* A tool_notify_fn of calls that last; their owner is a request. */
tool_notify_fn subscription_notify;

#endif
