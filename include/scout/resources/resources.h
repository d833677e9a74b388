/* The methods of MCP about resources, as calls (scout/tools/tool.h): each takes the params of its
 * method and writes the members of its result, without what a revision of the protocol adds. They
 * are among the methods of a registry.
 *
 * A failed one has its failure in tool_call.why, and the URI that it is about in
 * tool_call.subject. */
#ifndef SCOUT_RESOURCES_RESOURCES_H
#define SCOUT_RESOURCES_RESOURCES_H

#include "scout/tools/tool.h"

#define RESOURCE_PAGE_MAX 100 /* entries of a page of a list */

/* resources/list, resources/templates/list. */
extern const struct tool resource_list_tool, resource_templates_tool;

/* resources/read, completion/complete. */
extern const struct tool resource_read_tool, resource_complete_tool;

/* subscriptions/listen. It needs the registry's watches. */
extern const struct tool resource_listen_tool;
/* resources/subscribe: checks only. When it has succeeded, its result's context is the struct
 * target (scout/fleet/target.h) to be watched with resource_watch_path. */
extern const struct tool resource_subscribe_tool;

#endif
