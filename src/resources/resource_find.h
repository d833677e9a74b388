/* From a URI to the host that it names. Private to the layer. */
#ifndef SCOUT_RESOURCES_RESOURCE_FIND_H
#define SCOUT_RESOURCES_RESOURCE_FIND_H

#include "scout/resources/resource_uri.h"
#include "scout/ssh/ssh_config.h"
#include "scout/tools/tool.h"

/* Parses `uri`; the host's name in *out becomes that of the configuration. *host is NULL where the
 * resource is of none. 0, or an error with *why. */
__attribute__((warn_unused_result)) int resource_find(struct tool_call *call, const char *uri,
                                                      struct resource_uri *out,
                                                      const struct ssh_host **host,
                                                      struct failure *why);

/* The same for what can be watched, as far as policy can tell before the host is asked: files and
 * directories. */
__attribute__((warn_unused_result)) int
resource_find_watchable(struct tool_call *call, const char *uri, struct resource_uri *out,
                        const struct ssh_host **host, struct failure *why);

#endif
