/* Private to mcp: what the server asks of a client, and what of a call is kept meanwhile.
 *
 * A tool that needs to know something ends with questions. The modern client gets them as a result
 * (`input_required`) and calls again, with answers and the state that came with them (rounds.c). An
 * older one is asked by requests of the server's own, and the call begins anew with the answers
 * (ask.c): the tool does not see the difference. */
#ifndef SCOUT_MCP_ASK_H
#define SCOUT_MCP_ASK_H

#include "request.h"
#include "scout/tools/tool.h"

#define ASK_TIME_MS    600000         /* a person may have to be found */
#define ASK_KEPT_MAX   (256u * 1024u) /* bytes of arguments that are kept for another round */
#define ASK_ROUNDS_MAX 16             /* of one call */

/* A call of the older revisions that can be asked about: what it takes to begin it anew. */
struct asking {
    struct list node; /* of the session's, while it waits for answers */
    struct request *request;
    const struct tool *tool;
    struct slice arguments; /* behind this object */
    uint32_t can;
    unsigned rounds;
    uint64_t first; /* number of the first question that waits */
    size_t count, missing;
    char **keys;        /* of the questions */
    struct buf answers; /* members, with commas between them */
    struct buf state;
    bool failed; /* a question was answered with an error */
    struct io_timer timer;
};

/* What the capabilities that a client declares let it be asked for: TOOL_CAN_. */
uint32_t ask_capabilities(struct slice capabilities);
/* The bit that a question of this method needs. */
uint32_t ask_needs(const char *method);
/* Writes capabilities as an object: those of `needs`. */
void ask_write_capabilities(struct json_writer *w, uint32_t needs);

/* Keeps what a round more would take. NULL: it cannot be asked about. */
struct asking *asking_new(struct request *r, const struct tool *tool, struct slice arguments,
                          uint32_t can);
void asking_free(struct asking *a);

/* Sends the questions to the client of an older revision. 0, or why they cannot be asked. */
__attribute__((warn_unused_result)) int ask_send(struct mcp_session *s, struct asking *a,
                                                 const struct tool_questions *questions);
/* A response of the client. */
void ask_answered(struct mcp_session *s, struct slice text, struct slice id);

/* ---- rounds.c ---- */

/* The answers and the state that a request brings. False: it was answered with an error. */
__attribute__((warn_unused_result)) bool round_read(struct mcp_session *s,
                                                    const struct reply_to *to,
                                                    const struct tool *tool, struct slice params,
                                                    struct tool_round *out, struct buf *state);
/* Refuses a request for capabilities that the client lacks. */
void ask_refuse(struct mcp_session *s, const struct reply_to *to, uint32_t needs);
/* Answers with the questions. Returns the bytes that took. */
size_t round_answer(struct mcp_session *s, const struct reply_to *to, const struct tool *tool,
                    struct slice params, const struct tool_questions *questions);

/* ---- call.c ---- */

/* All is answered: the call begins anew. `answers` is an object. */
void call_go_on(struct mcp_session *s, struct request *r, const struct tool_round *round);
/* It cannot go on. */
void call_give_up(struct mcp_session *s, struct request *r, const char *why);

#endif
