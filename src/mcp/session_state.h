/* Private to mcp: the state of a session and the few things its parts ask of it. */
#ifndef SCOUT_MCP_SESSION_STATE_H
#define SCOUT_MCP_SESSION_STATE_H

#include "request.h"
#include "scout/mcp/session.h"
#include "subscriptions.h"

struct mcp_session {
    struct mcp_config config;
    struct mcp_way own;                /* the session's own sink */
    struct mcp_way *way;               /* of the message that is being taken up; else &own */
    const struct mcp_headers *headers; /* of that message; NULL: none */
    struct mcp_fault fault;
    struct buf in;          /* bytes of lines not taken up yet */
    size_t scanned;         /* so many of them are known to hold no line break */
    const char *negotiated; /* revision of `initialize`, static; NULL before */
    bool shows_apps;        /* the client said so in it */
    uint32_t can;           /* likewise: TOOL_CAN_ */
    struct list asking;     /* calls that wait for answers of the client */
    uint64_t asked;         /* questions so far */
    struct request_table requests;
    struct subscriptions subscriptions;
    uint32_t in_flight;
    int broken;            /* why it must end: SCOUT_E_LIMIT, SCOUT_E_NOMEM; 0: it lives */
    bool processing;       /* taking up lines: `in` must not change */
    struct list unflushed; /* ways that have not been told of what was appended */
    bool freed;            /* by its owner: nobody is told anything any more */
    struct io_task flush_task;
    uint32_t entered; /* calls into the session that are on the stack: it must outlive them */
    void (*on_room)(void *context);
    void *room_context;
    void (*on_freed)(void *context);
    void *freed_context;
};

struct buf *way_out(const struct mcp_way *way);
/* Something was appended for it, or the last request that it was for has ended. */
void session_mark(struct mcp_session *s, struct mcp_way *way);
/* Which way an answer goes. */
struct mcp_way *session_way(struct mcp_session *s, const struct reply_to *to);

/* It cannot go on: its owner learns it from the next feed or continue. */
void session_break(struct mcp_session *s, int error);

/* {"name":…,"version":…} */
void session_write_server_info(struct json_writer *w, const struct mcp_session *s);

/* Around everything that may lead to the owner's code, which may free the session. After
 * session_leave the session may be gone. */
void session_enter(struct mcp_session *s);
void session_leave(struct mcp_session *s);

/* A request left the table from outside of feed and continue: flushes, and tells the owner when
 * there is room now. `wanted` says whether there was room before. */
void session_request_ended(struct mcp_session *s, bool wanted);

/* Flushes now what was marked. */
void session_flush(struct mcp_session *s);
/* Flushes the way at the end of the pass. There must be a loop. */
void session_flush_later(struct mcp_session *s, struct mcp_way *way);

#endif
