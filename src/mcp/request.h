/* Private to mcp: requests that are being worked on, and finding one by its id. */
#ifndef SCOUT_MCP_REQUEST_H
#define SCOUT_MCP_REQUEST_H

#include "answer.h"
#include "message.h"
#include "scout/base/list.h"

#define REQUEST_BUCKETS 64
#define REQUESTS_KEPT   64 /* request objects that a session keeps for the next ones */

struct tool_call;

struct request {
    struct mcp_session *session;
    struct tool_call *call; /* NULL until tool_call_start returned */
    enum mcp_era era;
    struct batch *batch;
    bool cancelled;                    /* its answer is dropped */
    bool starting;                     /* inside tool_call_start */
    bool ended;                        /* on_done came meanwhile */
    struct list node;                  /* in live, ending or free of its table */
    struct list bucket;                /* in the table's buckets while its id counts as in flight */
    size_t id_len, key_len, token_len; /* token_len 0: nobody wants to know of its progress */
    bool told;                         /* of progress, at `told_ns`, `told_done` at most */
    uint64_t told_ns, told_done;
    uint8_t id[MCP_ID_MAX];  /* as it was written */
    uint8_t key[MCP_ID_MAX]; /* as it is compared */
    uint8_t token[MCP_ID_MAX];
};

struct request_table {
    struct list buckets[REQUEST_BUCKETS];
    struct list live;   /* to be answered */
    struct list ending; /* cancelled, not ended yet */
    struct list free;
    uint32_t free_count;
};

void request_table_init(struct request_table *t);
void request_table_fini(struct request_table *t);

/* A request with the id of `to`, live. NULL without memory. */
struct request *request_take(struct request_table *t, const struct reply_to *to);
void request_give(struct request_table *t, struct request *r);

/* The live request with an equal id (escapes in strings decoded), or NULL. */
struct request *request_find(const struct request_table *t, struct slice id);

/* From now on its id is free for others and its answer dropped. */
void request_set_cancelled(struct request_table *t, struct request *r);

static inline struct slice request_id(const struct request *r)
{
    return slice_of(r->id, r->id_len);
}

#endif
