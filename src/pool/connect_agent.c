/* The agent of a connection: the host's own (IdentityAgent), the daemon's, or the one that a client
 * of the principal handed over. One that is silent is left in peace for AGENT_RETRY_MS. */
#include "connect_state.h"

#include "handed_agent.h"
#include "scout/base/time.h"
#include <stdio.h>
#include <string.h>

const char *connect_agent_note(const struct connect *w)
{
    return w->agent ? agent_client_note(w->agent) : w->note;
}

static void on_listed(void *context)
{
    struct pool_connection *c = context;
    struct connect *w = c->connect;
    w->agent_known = true;
    if (agent_client_was_silent(w->agent) && !c->destination->principal[0] &&
        !c->destination->host->identity_agent)
        c->pool->agent_retry_ns = io_now(c->pool->io) + AGENT_RETRY_MS * NS_PER_MS;
    connect_go_on(c);
}

static void on_agent_gone(void *context)
{
    struct pool_connection *c = context;
    c->connect->agent_open = false;
    connect_free_if_over(c);
    connection_settle(c);
}

static const struct agent_client_events agent_events = {on_listed, connect_signed, on_agent_gone};

/* The host's agent, or the daemon's own. */
static struct agent_client *open_agent(struct pool_connection *c)
{
    struct connect *w = c->connect;
    const char *own = c->destination->host->identity_agent;
    const char *path = own ? own : c->pool->config.agent_socket;
    if (!path || !path[0] || strcmp(path, "none") == 0)
        return NULL;
    if (own || io_now(c->pool->io) >= c->pool->agent_retry_ns)
        return agent_client_open(c->pool->io, path, &agent_events, c);
    snprintf(w->note, sizeof w->note,
             "the ssh agent at %s was not asked, because it did not answer a moment ago", path);
    return NULL;
}

/* The one that a client of the principal handed over. */
static struct agent_client *share_agent(struct pool_connection *c)
{
    struct connect *w = c->connect;
    const char *principal = c->destination->principal;
    struct agent_client *client = NULL;
    struct handed_agent *agent = handed_agent_find(c->pool, principal);
    const char *why = !agent ? "has gone"
                      : io_now(c->pool->io) < handed_agent_silent_until(agent)
                          ? "was not asked, because it did not answer a moment ago"
                          : NULL;
    if (!why)
        client = agent_client_share(c->pool->io, agent, principal, &agent_events, c);
    else
        snprintf(w->note, sizeof w->note, "the ssh agent of %s %s", principal, why);
    if (agent && !client)
        handed_agent_release(agent);
    return client;
}

/* What our own user hands over stands for SSH_AUTH_SOCK, which IdentityAgent replaces. */
static bool wants_handed_agent(const struct pool_connection *c)
{
    const char *principal = c->destination->principal, *own = c->pool->config.own_principal;
    bool is_own = own && strcmp(principal, own) == 0;
    return principal[0] && !(is_own && c->destination->host->identity_agent);
}

void connect_ask_agent(struct pool_connection *c)
{
    struct connect *w = c->connect;
    w->agent = wants_handed_agent(c) ? share_agent(c) : open_agent(c);
    w->agent_open = w->agent != NULL;
    w->agent_known = !w->agent;
}
