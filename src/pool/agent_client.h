/* The user's ssh agent, as one login sees it: its keys are listed once, then it signs.
 * Private to the layer. The codec is ssh/agent.h.
 *
 * An agent that is missing, silent or broken costs a note for messages, and nothing else. */
#ifndef SCOUT_POOL_AGENT_CLIENT_H
#define SCOUT_POOL_AGENT_CLIENT_H

#include "scout/base/slice.h"
#include "scout/io/io.h"

#define AGENT_TIMEOUT_MS 3000  /* to connect and list the keys */
#define AGENT_RETRY_MS   30000 /* a silent agent is not asked again before */

struct agent_client;
struct handed_agent;

/* Never from within a call on the client. After agent_client_close only on_gone comes. */
struct agent_client_events {
    /* Once: agent_client_keys is known, and agent_client_note. */
    void (*on_listed)(void *context);
    /* The answer to agent_client_sign; empty: it does not sign with that key. */
    void (*on_signed)(void *context, struct slice signature);
    void (*on_gone)(void *context); /* last; the client is freed */
};

/* Connects to the Unix socket `path` and asks for the keys. NULL without memory. */
struct agent_client *agent_client_open(struct io *io, const char *path,
                                       const struct agent_client_events *events, void *context);

/* The same with an agent that was handed over by `owner` (handed_agent_find): the hold on it moves
 * into the client. NULL without memory: then it stays the caller's. */
struct agent_client *agent_client_share(struct io *io, struct handed_agent *handed,
                                        const char *owner, const struct agent_client_events *events,
                                        void *context);

/* What it listed, for agent_next_identity; valid as long as the client. Empty: nothing. */
struct slice agent_client_keys(const struct agent_client *a);
/* What is wrong with it, as part of a sentence; "" when nothing is. */
const char *agent_client_note(const struct agent_client *a);
bool agent_client_was_silent(const struct agent_client *a);

/* Asks for a signature of the data of RFC 4252, section 7, until `deadline_ns`; one at a time. The
 * algorithm that the data names chooses the hash for an RSA key. False: it cannot be asked (any
 * more). */
__attribute__((warn_unused_result)) bool agent_client_sign(struct agent_client *a,
                                                           struct slice blob, struct slice data,
                                                           uint64_t deadline_ns);
void agent_client_close(struct agent_client *a);

#endif
