/* One MCP client on a byte stream: newline-delimited JSON-RPC 2.0 (MCP transports, "stdio" and
 * custom streams), both lifecycles side by side: `initialize` (2024-11-05 to 2025-11-25) and the
 * stateless 2026-07-28 (each request carries its version and capabilities in `_meta`).
 *
 * Pure but for its sink: bytes of the client go in, lines for it come out; tools run through the
 * registry. Requests run side by side and are answered as they finish. Wrong input gets the
 * specification's error and the session goes on; only a line over the limit ends it. */
#ifndef SCOUT_MCP_SESSION_H
#define SCOUT_MCP_SESSION_H

#include "scout/base/buf.h"
#include "scout/base/histogram.h"
#include "scout/base/list.h"
#include "scout/base/log.h"
#include "scout/tools/tool.h"

#ifndef MCP_IN_FLIGHT_MAX      /* the build for fuzzing has smaller ones, which are met sooner */
#define MCP_IN_FLIGHT_MAX 256  /* requests of one session */
#define MCP_WAITING_MAX   1024 /* messages that wait until there is room for them */
#define MCP_OUT_HIGH      (1024u * 1024u) /* bytes unsent: no further request is taken up */
#endif
#define MCP_LINE_MAX   (4u * 1024u * 1024u)  /* bytes of one message */
#define MCP_OUT_MAX    (64u * 1024u * 1024u) /* cap of the sink's buffer */
#define MCP_INPUT_MAX  (8u * 1024u * 1024u)  /* bytes kept, of lines and of what waits */
#define MCP_INPUT_HIGH (7u * 1024u * 1024u)  /* bytes kept without room: nothing is looked at */

struct mcp_session;

/* Where lines go; the session's own also takes what belongs to no request (resources/subscribe).
 * `out` gives the buffer to append to (cap MCP_OUT_MAX at least), `flush` says that
 * something was appended, `pending` how many bytes have not been taken by the client yet. `crowded`
 * (may be NULL) says that too much waits for all clients together, and, with `more` bytes that are
 * not in the buffer yet, for this one, too: it gets errors instead of results then. It is asked
 * before a result is written and, if it is `strict`, again with the result in the buffer: a client
 * for whom nothing waits gets one large result otherwise, however little others take. */
struct mcp_sink {
    struct buf *(*out)(void *context);
    void (*flush)(void *context);
    size_t (*pending)(void *context);
    bool (*crowded)(void *context, size_t more);
    void *context;
    bool strict;
};

/* A way back to the client beside the session's own: the response of one HTTP request. Embedded in
 * its owner. Its sink is flushed whenever something was appended, and when the last request that it
 * was for has ended. */
struct mcp_way {
    struct mcp_sink sink;
    uint32_t in_flight; /* requests that will be answered by it; readable by all */
    struct list unflushed;
};

/* What a transport says of a message beside its text: the headers of an HTTP request (MCP
 * 2026-07-28, "Streamable HTTP"). */
struct mcp_headers {
    bool (*get)(const void *context, const char *name, struct slice *value);
    const void *context;
};

/* How the last message was met. */
struct mcp_fault {
    int code;      /* of the JSON-RPC error that answered it; 0: none did */
    bool envelope; /* it was refused before it came to a method */
};

/* Of each call; they may change between calls. */
struct mcp_limits {
    uint64_t call_timeout_ns;   /* deadline of a tools/call */
    uint64_t slow_threshold_ns; /* one that takes so long or longer is logged as slow */
};

/* Seals what travels through clients; random, of this process. */
struct mcp_state_key {
    uint8_t bytes[32];
};

struct mcp_config {
    const struct tool_registry *registry;
    const struct identity *identity; /* the client; lives as long as the session */
    struct log *log;
    const char *server_name;               /* "scout_mcp" */
    const char *server_version;            /* "0.1.0" */
    const char *instructions;              /* NULL: none */
    const struct mcp_limits *limits;       /* lives as long as the session */
    struct mcp_stats *stats;               /* shared by the sessions of a loop */
    const struct mcp_state_key *state_key; /* NULL: nothing is asked of 2026-07-28 clients */
};

#define MCP_KINDS_MAX 64  /* of calls: tools and methods; more are not told apart */
#define MCP_OUTCOMES  128 /* codes of errors, by their number without its sign; 0: none */

struct mcp_kind_stats {
    const struct tool *tool;
    uint64_t outcomes[MCP_OUTCOMES];
    struct histogram times; /* ns from the begin to the end */
};

struct mcp_stats {
    uint64_t messages, requests, notifications, malformed, tool_calls, tool_errors;
    uint32_t in_flight, in_flight_max;
    size_t kind_count; /* in the order of their first calls' ends */
    struct mcp_kind_stats kinds[MCP_KINDS_MAX];
};

__attribute__((warn_unused_result)) int mcp_session_new(struct mcp_session **out,
                                                        const struct mcp_config *config,
                                                        const struct mcp_sink *sink);

/* Bytes of the client, in any pieces. Returns 0, or a failure that ended the session, now and from
 * then on: SCOUT_E_LIMIT when a line is over MCP_LINE_MAX (the error was written; close after
 * flushing), when more than MCP_INPUT_MAX bytes had to be kept, or when not even an error fitted
 * the sink; SCOUT_E_NOMEM. Not from within the sink or a tool. */
__attribute__((warn_unused_result)) int mcp_session_feed(struct mcp_session *s, struct slice data);

/* Revisions by the text of a header: those that begin with `initialize`, and the stateless ones. */
bool mcp_is_session_version(struct slice version);
bool mcp_is_stateless_version(struct slice version);

void mcp_way_init(struct mcp_way *way, const struct mcp_sink *sink);

/* One message in any form that JSON has (line breaks in it are only white space), answered by `way`
 * and checked against `headers`. Without regard to room: a request beyond MCP_IN_FLIGHT_MAX is
 * answered with an error. Returns as mcp_session_feed; *fault is set. */
__attribute__((warn_unused_result)) int
mcp_session_message(struct mcp_session *s, struct slice text, const struct mcp_headers *headers,
                    struct mcp_way *way, struct mcp_fault *fault);
/* The way is no more: calls that it was for are cancelled and their answers dropped. Not from
 * within its sink. */
void mcp_session_drop_way(struct mcp_session *s, struct mcp_way *way);

/* The revision that `initialize` came to, static; NULL before. */
const char *mcp_session_negotiated(const struct mcp_session *s);

/* False while the session takes no more input (too much unsent; or MCP_IN_FLIGHT_MAX requests in
 * flight, and too many or too much waiting behind them): the owner then pauses its stream. Bytes
 * fed meanwhile are kept. */
bool mcp_session_wants_input(const struct mcp_session *s);

/* Goes on with kept input. The owner calls it when the stream drained and from `on_room`. Returns
 * as mcp_session_feed. */
__attribute__((warn_unused_result)) int mcp_session_continue(struct mcp_session *s);

/* `on_room` is called outside of feed and continue: when a request that ended made room (and then
 * while some wait), when the last one in flight has ended, and when an answer broke the session
 * (mcp_session_continue then returns why). */
void mcp_session_on_room(struct mcp_session *s, void (*on_room)(void *context), void *context);

/* Requests not answered yet, and cancelled ones whose tool has not ended. A batch may bring it over
 * MCP_IN_FLIGHT_MAX by its own length. */
uint32_t mcp_session_in_flight(const struct mcp_session *s);

/* Requests that last until their client wants no more (subscriptions/listen) end with their result.
 * For an owner that waits for the end of what is in flight: nothing but this ends them. */
void mcp_session_end_lasting(struct mcp_session *s);

/* All that is under way ends early, with an answer each (soon, if not at once); what waits for its
 * turn is refused. For an owner that ends, and takes no more input. */
void mcp_session_end_calls(struct mcp_session *s);

/* Ends the session: calls in flight are cancelled and their answers dropped; `on_freed` is called,
 * maybe at once, when the last one has ended. The sink is not used any more from this call on. It
 * may be called from within the sink, `on_room` and tools. */
void mcp_session_free(struct mcp_session *s, void (*on_freed)(void *context), void *context);

#endif
