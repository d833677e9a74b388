/* Asking an agent that was handed over; private to the layer. Who brings it: scout/pool. */
#ifndef SCOUT_POOL_HANDED_AGENT_PRIVATE_H
#define SCOUT_POOL_HANDED_AGENT_PRIVATE_H

#include "scout/pool/handed_agent.h"
#include "scout/ssh/agent.h"

struct handed_line;

/* One request, embedded in its owner, zeroed before its first use. */
struct handed_request {
    struct list node;         /* among those who wait for a line */
    struct handed_line *line; /* which has sent it; NULL: none yet */
    bool pending;             /* readable by its owner */
    struct slice ask;         /* the packet; it lives until one of the two is called */
    /* Exactly one of them, once, unless it is cancelled; never from within handed_agent_ask. */
    void (*on_reply)(struct handed_request *r, const struct agent_reply *reply);
    void (*on_failed)(struct handed_request *r, const char *what); /* "hung up": part of a text */
};

/* The newest living one of the principal, held until handed_agent_release; NULL: there is none. */
struct handed_agent *handed_agent_find(struct pool *p, const char *principal);
void handed_agent_release(struct handed_agent *a);

/* Queues the request. False: no socket of the agent is open any more. */
__attribute__((warn_unused_result)) bool handed_agent_ask(struct handed_agent *a,
                                                          struct handed_request *r);
/* Neither function is called any more. What was sent is still answered, to nobody. */
void handed_agent_cancel(struct handed_agent *a, struct handed_request *r);

/* It did not answer in time: it is left in peace until then. 0 at first. */
void handed_agent_set_silent(struct handed_agent *a, uint64_t until_ns);
uint64_t handed_agent_silent_until(const struct handed_agent *a);

#endif
