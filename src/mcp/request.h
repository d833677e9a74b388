/* Private to mcp: requests that are being worked on or wait for it, and finding one by its id. */
#ifndef SCOUT_MCP_REQUEST_H
#define SCOUT_MCP_REQUEST_H

#include "answer.h"
#include "message.h"
#include "scout/base/list.h"

#define REQUEST_BUCKETS 64
#define REQUESTS_KEPT   64 /* request objects that a session keeps for the next ones */

struct asking;
struct tool_call;
struct tool_result;

/* Answers a request whose call has ended; how many bytes that took. */
typedef size_t request_answer_fn(struct mcp_session *s, const struct reply_to *to,
                                 const struct tool_call *call, const struct tool_result *result);

struct request {
    struct mcp_session *session;
    struct tool_call *call; /* NULL until tool_call_start returned */
    request_answer_fn *answer;
    enum mcp_era era;
    struct batch *batch;
    struct mcp_way *way;   /* of its answer */
    struct asking *asking; /* what another round would take; NULL: there can be none */
    uint8_t *params;       /* of a modern call that can be asked about; NULL: none are kept */
    size_t params_len;
    bool asked;    /* it has ended with questions, and waits for answers */
    bool in_round; /* the question for a person's word is answered */
    uint32_t can;
    bool shows_apps;
    bool raw;           /* results are asked for as they are */
    bool cancelled;     /* its answer is dropped */
    bool starting;      /* inside tool_call_start */
    bool ended;         /* on_done came meanwhile */
    struct list node;   /* in live, ending or free of its table */
    struct list bucket; /* in the table's buckets while its id counts as in flight */
    uint8_t *text;      /* a message that waits for its turn; NULL: it began */
    size_t text_len;
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
    struct list waiting;
    struct list free;
    uint32_t free_count, waiting_count;
    uint32_t batches_waiting; /* that many of them are batches */
    size_t waiting_bytes;     /* what they all take */
};

void request_table_init(struct request_table *t);
void request_table_fini(struct request_table *t);

/* A request with the id of `to`, live. NULL without memory. */
struct request *request_take(struct request_table *t, const struct reply_to *to);
void request_give(struct request_table *t, struct request *r);

/* Copies a message that passed json_check; it waits behind those that wait. `id` may be empty, for
 * a batch or a notification: then it is not found. Returns 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int request_wait(struct request_table *t, struct slice id,
                                                     struct slice text);
/* Whether the first that waits (there must be one) is more than a notification. */
bool request_first_takes_place(const struct request_table *t);
/* The first that waits leaves the table; its text is the caller's, to be freed.
 */
uint8_t *request_take_waiting(struct request_table *t, size_t *len);
/* One that waits is forgotten. */
void request_drop(struct request_table *t, struct request *r);

/* The live or waiting request with an equal id (escapes in strings decoded), or NULL. */
struct request *request_find(const struct request_table *t, struct slice id);

/* From now on its id is free for others and its answer dropped. */
void request_set_cancelled(struct request_table *t, struct request *r);

static inline struct slice request_id(const struct request *r)
{
    return slice_of(r->id, r->id_len);
}

#endif
