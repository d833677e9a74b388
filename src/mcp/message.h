/* Private to mcp: one JSON-RPC message as raw slices, and what its `_meta` says. */
#ifndef SCOUT_MCP_MESSAGE_H
#define SCOUT_MCP_MESSAGE_H

#include "scout/base/json.h"

#define MCP_ID_MAX 256 /* bytes of an id as it was written, quotes included */

enum message_kind {
    MESSAGE_REQUEST,
    MESSAGE_NOTIFICATION,
    MESSAGE_RESPONSE, /* of the client, to nothing we asked */
    MESSAGE_INVALID,
};

/* Every slice is a part of the text that was read. */
struct message {
    enum message_kind kind;
    struct slice id;     /* empty when there is none, or none that can be echoed */
    struct slice method; /* raw string */
    struct slice params; /* empty when absent or null */
    const char *why;     /* MESSAGE_INVALID: what is wrong; static */
};

/* Reads `object`, a JSON object that passed json_check. */
void message_read(struct message *m, struct slice object);

/* The id of a request whose text json_check refused, or empty: where the text is JSON by its form,
 * a request, and has one id that can only be read in one way. So its client learns at once. */
struct slice message_refused_id(struct slice text);

/* True for an id that may be echoed: a string, or an integer without fraction and exponent, of at
 * most MCP_ID_MAX bytes. */
bool message_id_is_good(struct slice raw);

/* What says which lifecycle a request belongs to (MCP 2026-07-28, "Per-request metadata"). */
struct message_meta {
    bool modern;               /* one of the members that only 2026-07-28 has is there */
    struct slice version;      /* raw; empty when absent */
    struct slice capabilities; /* raw; empty when absent */
    struct slice log_level;    /* likewise */
};

void message_meta_read(struct message_meta *meta, struct slice params);

#endif
