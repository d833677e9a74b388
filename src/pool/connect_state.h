/* The inside of a connect: connect.c (its life, and what has to be known before dialling),
 * connect_agent.c (the agent), connect_dial.c (the way to a carrier), connect_engine.c (the engine
 * and its questions). */
#ifndef SCOUT_POOL_CONNECT_STATE_H
#define SCOUT_POOL_CONNECT_STATE_H

#include "agent_client.h"
#include "credentials.h"
#include "new_host.h"
#include "pool_state.h"
#include "scout/net/dial.h"
#include "signing.h"

struct connect {
    struct pool_connection *connection;
    struct credentials *credentials;
    struct agent_client *agent;
    struct new_host *new_host; /* is being written down; NULL: none is */
    struct signing *signing;   /* with a file's key that is slow; NULL: none under way */
    bool agent_known;          /* it has listed its keys, or nobody asks it */
    bool agent_open;           /* not gone yet */
    bool dialing, over;
    struct identities identities;
    struct dial dial;
    struct io_timer again; /* the next attempt of ConnectionAttempts */
    uint32_t attempts;     /* that have failed */
    uint32_t retries;      /* of handshakes that were cut off */
    char note[256];        /* of an agent that was not asked */
};

/* Frees it when it is over and nothing of it is in flight. */
void connect_free_if_over(struct pool_connection *c);
void connect_without_memory(struct pool_connection *c);
/* Something that dialling waits for has come: dials when all of it has. */
void connect_go_on(struct pool_connection *c);

/* ---- connect_agent.c ---- */

/* Asks the agent, if there is one, for its keys: w->agent_known when it has answered. */
void connect_ask_agent(struct pool_connection *c);
/* What is to be said of the agent where keys are missing; "": nothing. */
const char *connect_agent_note(const struct connect *w);

/* ---- connect_dial.c ---- */

/* It is not dialled: a bastion or a program leads to it. */
static inline bool connect_is_led(const struct pool_connection *c)
{
    return c->destination->host->via || c->destination->host->proxy_command;
}
void connect_dial(struct pool_connection *c);

/* ---- connect_engine.c ---- */

/* Makes c->engine, or ends the connection. */
void connect_make_engine(struct pool_connection *c);
/* Whether there is somebody, or something, to answer what the host asks. */
bool connect_may_answer(const struct pool_connection *c);
/* A signature came, of the agent or of a key's helper thread; empty: none. */
void connect_signed(void *context, struct slice signature);

#endif
