/* Private to mcp: from one message to its method. */
#ifndef SCOUT_MCP_DISPATCH_H
#define SCOUT_MCP_DISPATCH_H

#include "answer.h"
#include "message.h"

struct request;

/* A line of the client without its end. What has to wait for room is kept among the requests. */
void dispatch_line(struct mcp_session *s, struct slice line);

/* The first message that waits. There must be one, and room for it if it takes a place. */
void dispatch_waiting(struct mcp_session *s);

/* One message that passed json_check: a line's own, or an item of a batch. */
void dispatch_message(struct mcp_session *s, struct slice text, struct batch *batch);

/* There is none of that name; "": none that can be shown. */
void refuse_method(struct mcp_session *s, const struct reply_to *to, const char *name);

/* What a method does with a request. `params` is an object or empty. */
typedef void method_fn(struct mcp_session *s, const struct reply_to *to, struct slice params);

/* lifecycle.c */
extern const char mcp_modern_version[];
method_fn method_initialize, method_ping, method_discover, method_discover_legacy;
void notification_cancelled(struct mcp_session *s, struct slice params);
/* The request that a cancellation is about, or NULL. */
struct request *cancelled_request(const struct mcp_session *s, struct slice params);
/* Refuses a modern request whose `_meta` does not allow to serve it. True when it was answered. */
bool refuse_meta(struct mcp_session *s, const struct reply_to *to, const struct message_meta *meta);

/* headers.c: refuses a message whose HTTP request names a revision that is not spoken, and a
 * request that the headers of its HTTP request do not fit. True when it was answered. */
bool refuse_version(struct mcp_session *s, const struct reply_to *to);
bool refuse_headers(struct mcp_session *s, const struct reply_to *to, const struct message *m,
                    const struct message_meta *meta);

/* tools_list.c, tools_call.c */
method_fn method_tools_list, method_tools_call;

/* methods.c */
method_fn method_resources_list, method_resources_templates, method_resources_read,
    method_completion, method_prompts_list, method_prompts_get, method_set_level;

/* tasks.c */
method_fn method_tasks_get, method_tasks_update, method_tasks_cancel;

/* subscriptions.c */
method_fn method_subscribe, method_unsubscribe, method_listen;

#endif
