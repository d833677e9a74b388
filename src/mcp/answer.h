/* Private to mcp: one answer, whole or not at all. */
#ifndef SCOUT_MCP_ANSWER_H
#define SCOUT_MCP_ANSWER_H

#include "scout/base/json_write.h"

struct mcp_session;
struct mcp_way;
struct batch;

enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_UNSUPPORTED_VERSION = -32022,
    RPC_HEADER_MISMATCH = -32020,
    RPC_MISSING_CAPABILITY = -32021,
    RPC_RESOURCE_NOT_FOUND = -32002, /* not in 2026-07-28 */
};

/* Which of the two lifecycles a request follows. */
enum mcp_era { MCP_LEGACY, MCP_MODERN };

/* Whom an answer is for. */
struct reply_to {
    struct slice id; /* raw; empty: an answer without id */
    enum mcp_era era;
    struct batch *batch; /* NULL: a line of its own */
    uint32_t can;        /* what it can be asked for (TOOL_CAN_). For requests, not for answers */
    bool shows_apps;     /* the client is a host of MCP Apps. For requests, not for answers */
    struct mcp_way *way; /* NULL: that of the message that is being taken up */
};

/* Writes members into the object that is open in `w`. */
typedef void answer_write_fn(struct json_writer *w, const struct mcp_session *s,
                             const void *context);

/* {"jsonrpc":"2.0","id":…,"result":{…}}; for 2026-07-28 with "resultType" first and "_meta" last.
 * `write` gives the members between. Returns how many bytes were written; 0 for a session that is
 * gone. */
size_t answer_result(struct mcp_session *s, const struct reply_to *to, answer_write_fn *write,
                     const void *context);

/* The same with "resultType":"input_required": only for 2026-07-28. */
size_t answer_questions(struct mcp_session *s, const struct reply_to *to, answer_write_fn *write,
                        const void *context);
/* The same with "resultType":"task". */
size_t answer_task(struct mcp_session *s, const struct reply_to *to, answer_write_fn *write,
                   const void *context);
/* The result that ends a request that lasted, with its id in "_meta". */
size_t answer_subscription_end(struct mcp_session *s, const struct reply_to *to);

/* {"jsonrpc":"2.0","id":…,"error":{"code":…,"message":…,"data":{…}}}; no data when `write` is NULL.
 */
void answer_error(struct mcp_session *s, const struct reply_to *to, enum rpc_code code,
                  const char *message, answer_write_fn *write, const void *context);

/* An internal error: -32603 with the stable code of `error` as data.code. */
void answer_failure(struct mcp_session *s, const struct reply_to *to, int error);

#endif
