/* The other end of a session in tests, and a registry of tools that do as they are told:
 *   echo {text}   answers at once with its text
 *   wait {text}   waits for client_finish or a cancel; on a cancel it ends as `cancel_mode` says
 *   big {bytes}   answers at once with that many letters
 *   fail          fails at once
 * A tool's texts come as one text block. */
#ifndef TESTS_MCP_CLIENT_H
#define TESTS_MCP_CLIENT_H

#include "scout/mcp/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#define CLIENT_WAITING_MAX 512

enum cancel_mode { CANCEL_AT_ONCE, CANCEL_LATER };

struct waiting_call {
    struct tool_call *call;
    char text[64];
};

struct client {
    struct mcp_session *session;
    struct client_world *world; /* the registry and its environment */
    struct mcp_stats stats;
    struct buf out;
    struct mcp_config config;
    bool crowded;   /* too much waits for all: MCP_OUT_HIGH bytes may for this one */
    size_t pending; /* added to what is in `out` */
    unsigned flushes, rooms, freed, cancels;
    bool free_on_flush, continue_on_room, approved;
    int room_result; /* of mcp_session_continue in on_room */
    enum cancel_mode cancel_mode;
    struct waiting_call waiting[CLIENT_WAITING_MAX];
    unsigned waiting_count;
};

/* A session whose sink holds at most `out_max` bytes. */
void client_open(struct client *c, size_t out_max);
void client_open_with(struct client *c, size_t out_max, const char *instructions);
/* The same over a loop, which progress needs, and with a log; either may be NULL. */
void client_open_in(struct client *c, size_t out_max, const char *instructions, struct io *io,
                    struct log *log);
/* From now on its tools are echo, wait, and
 *   ask      asks for a name, then for an age and the roots
 *   confirm  waits for a person's word, unless c->approved */
void client_use_asking_tools(struct client *c);
/* Frees the session if it is not yet, and checks that it is gone. */
void client_close(struct client *c);

/* Feeds `text` as it is: 0 or what mcp_session_feed returned. */
int client_feed(struct client *c, const char *text);
/* Feeds `line` and a line break, and expects exactly `expected` (lines, NULL: nothing). */
void client_expect(struct client *c, const char *line, const char *expected);
/* Takes what has come since the last time and compares it. */
void client_expect_out(struct client *c, const char *expected);

/* Ends the waiting call with that text. */
void client_finish(struct client *c, const char *text);

#endif
