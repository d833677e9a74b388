/* A client's first bytes: who it is, if it shows a token, and its ssh agent, if it hands one over.
 * Nothing of it has reached the session before. */
#include "client_state.h"

#include "greeting.h"
#include "refusal.h"
#include <stdio.h>
#include <string.h>

/* Its calls then log in as itself, with its own agent: a login of theirs is nobody else's. */
static void take_agent(struct client *c, const struct greeting *g)
{
    struct client_owner *owner = c->owner;
    char principal[POOL_PRINCIPAL_MAX + 1], count[16];
    snprintf(principal, sizeof principal, "uid:%u", c->identity.uid);
    if (g->refused)
        log_event(owner->mcp.log, LOG_WARN, "agent_refused", "identity", c->identity.name, "reason",
                  g->refused, NULL);
    if (g->fd_count == 0)
        return;
    if (owner->agents)
        c->agent = handed_agent_new(owner->agents, principal, g->fds, g->fd_count);
    for (size_t i = 0; !c->agent && i < g->fd_count; i++)
        io_discard(c->file.io, g->fds[i]);
    if (!c->agent)
        return;
    strcpy(c->identity.principal, principal);
    snprintf(count, sizeof count, "%zu", g->fd_count);
    log_event(owner->mcp.log, LOG_DEBUG, "agent_taken", "principal", principal, "sockets", count,
              NULL);
}

/* Who brings a token is who the token says. It stands in the first line, or it is none; `bytes` is
 * what follows it. */
static int take_token(struct client *c, struct slice *bytes, struct failure *why)
{
    char text[TOKEN_LEN_MAX + 1];
    int taken = tokens_take_line(bytes, text);
    if (taken == 0)
        return 0;
    const struct token *token = taken > 0 ? tokens_find(c->owner->tokens, slice_str(text)) : NULL;
    explicit_bzero(text, sizeof text);
    if (!token)
        return failure_set(why, SCOUT_E_NOT_ADMITTED, "The token is not known here");
    c->token = *token;
    c->identity.role = token->role;
    c->identity.is_owner = false;
    strcpy(c->identity.name, token->name);
    return 0;
}

void client_on_greeting(struct io_op *op, struct io_event event)
{
    struct client *c = CONTAINER_OF(op, struct client, first);
    struct greeting g;
    struct failure why;
    (void)event; /* an end or an error is found by the stream */
    if (c->closing)
        return;
    greeting_take(c->file.fd, &g);
    struct slice bytes = slice_of(g.bytes, g.len);
    if (take_token(c, &bytes, &why) != 0) {
        for (size_t i = 0; i < g.fd_count; i++)
            io_discard(c->file.io, g.fds[i]);
        refusal_send(c->file.fd, &why, c->owner->mcp.log);
        client_close(c);
        return;
    }
    take_agent(c, &g);
    client_begin(c, bytes);
    explicit_bzero(g.bytes, sizeof g.bytes);
}
