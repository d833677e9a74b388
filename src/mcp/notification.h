/* Private to mcp: notifications of the server. */
#ifndef SCOUT_MCP_NOTIFICATION_H
#define SCOUT_MCP_NOTIFICATION_H

#include "answer.h"

struct mcp_way;

/* {"jsonrpc":"2.0","method":…,"params":{…}}, whole or not at all, to go out at the end of the pass:
 * whoever tells something may be freed by the owner's code otherwise. `write` gives the members of
 * the params. False when too much waits for the client, or it did not fit. There must be a loop. */
bool notification_send(struct mcp_session *s, struct mcp_way *way, const char *method,
                       answer_write_fn *write, const void *context);

#endif
