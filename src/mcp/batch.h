/* Private to mcp: a JSON-RPC batch, which only the revision 2025-03-26 has. */
#ifndef SCOUT_MCP_BATCH_H
#define SCOUT_MCP_BATCH_H

#include "scout/base/buf.h"

#define MCP_BATCH_MAX     64                    /* messages of one batch */
#define MCP_BATCH_OUT_MAX (16u * 1024u * 1024u) /* bytes of its answers */

struct mcp_session;
struct batch;

/* Takes up each message of `array`, a JSON array that passed json_check. */
void batch_dispatch(struct mcp_session *s, struct slice array);

/* Where the answers of its messages are gathered, with commas between them. */
struct buf *batch_out(struct batch *b);

/* A call of the batch began, ended. With the last one the array is sent and the batch freed. */
void batch_call_begun(struct batch *b);
void batch_call_ended(struct batch *b);
/* Nobody waits for its answers any more. */
void batch_drop(struct batch *b);

#endif
