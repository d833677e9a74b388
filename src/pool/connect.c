/* The way of a connection from its place to its engine.
 *
 *   files are read --\
 *                     >-- both known: keys in order --> dial --> engine
 *   agent is asked --/
 *
 * Everything here is needed until the host has let the user in, and freed then: an idle connection
 * keeps neither keys nor known_hosts. The engine's identities point into the files' keys and the
 * agent's list, so both outlive its authentication. The agent is asked anew
 * for each connect, since its keys come and go. */
#include "connect_state.h"

#include "scout/base/time.h"
#include "scout/pool/key_store.h"
#include <stdlib.h>

/* ---- the end of it ---- */

bool connect_is_over(const struct pool_connection *c)
{
    return !c->connect || (!c->connect->dialing && !c->connect->agent_open);
}

void connect_free_if_over(struct pool_connection *c)
{
    struct connect *w = c->connect;
    if (!w || !w->over || w->dialing || w->agent_open)
        return;
    free(w);
    c->connect = NULL;
}

void connect_stop(struct pool_connection *c)
{
    struct connect *w = c->connect;
    if (!w || w->over)
        return;
    w->over = true;
    io_timer_stop(c->pool->io, &w->again);
    if (w->dialing)
        dial_cancel(&w->dial);
    if (w->signing)
        signing_leave(w->signing);
    w->signing = NULL;
    if (w->new_host)
        new_host_leave(w->new_host);
    w->new_host = NULL;
    identities_free(&w->identities);
    if (w->credentials)
        credentials_drop(w->credentials);
    w->credentials = NULL;
    if (w->agent)
        agent_client_close(w->agent);
    w->agent = NULL;
    connect_free_if_over(c);
}

enum pool_stage connect_stage(const struct pool_connection *c)
{
    if (c->state == CONNECTION_DIALING && !connect_is_led(c) && c->connect->dial.address_count > 0)
        return POOL_STAGE_CONNECTING;
    return c->stage;
}

void connect_follow(struct pool_connection *c)
{
    if (!connect_is_led(c) && connect_stage(c) == POOL_STAGE_CONNECTING)
        connection_enter(c, POOL_STAGE_CONNECTING, c->connect->dial.resolved_ns);
}

/* ---- messages ---- */

void connect_explain(const struct pool_connection *c, struct failure *f)
{
    const struct connect *w = c->connect;
    if (w && w->credentials && w->credentials->loaded)
        identities_explain(&w->identities, w->credentials->files, w->credentials->file_count,
                           connect_agent_note(w), f);
}

void connect_without_memory(struct pool_connection *c)
{
    struct failure why;
    failure_set(&why, SCOUT_E_NOMEM, "No memory to connect to %s", c->name);
    connection_end(c, &why);
}

/* ---- keys ---- */

static void unlock_files(struct credentials *credentials, const struct key_store *keys)
{
    for (size_t i = 0; keys && i < credentials->file_count; i++)
        if (credentials->files[i].state == KEY_FILE_LOCKED)
            credentials->files[i].unlocked = key_store_get(keys, credentials->files[i].path);
}

void connect_go_on(struct pool_connection *c)
{
    struct connect *w = c->connect;
    struct credentials *credentials = w->credentials;
    if (c->state != CONNECTION_LOADING || !credentials->loaded || !w->agent_known)
        return;
    unlock_files(credentials, c->pool->config.keys);
    const struct identity_sources sources = {
        .files = credentials->files,
        .file_count = credentials->file_count,
        .certificates = credentials->certificates,
        .certificate_count = credentials->certificate_count,
        .agent = w->agent ? agent_client_keys(w->agent) : slice_of(NULL, 0),
        .accepted = c->destination->host->pubkey_accepted_algorithms,
        .only_files = c->destination->host->identities_only && credentials->may_use_files,
        .now_s = io_wall_ms(c->pool->io) / 1000,
    };
    identities_merge(&w->identities, &sources);
    if (w->identities.count > 0 || connect_may_answer(c)) {
        connect_dial(c);
        return;
    }
    struct failure why;
    identities_none(&w->identities, credentials->files, credentials->file_count, c->name,
                    connect_agent_note(w), &why);
    connection_end(c, &why);
}

static void on_loaded(struct credentials *credentials)
{
    struct pool_connection *c = credentials->owner;
    if (credentials->failure.error)
        connection_end(c, &credentials->failure);
    else
        connect_go_on(c);
}

/* ---- the begin ---- */

void connect_start(struct pool_connection *c)
{
    struct connect *w = c->connect = calloc(1, sizeof *w);
    if (!w) {
        connect_without_memory(c);
        return;
    }
    w->connection = c;
    io_timer_init(&w->again);
    struct failure why;
    if (c->destination->host->via && !hop_start(c, &why)) {
        connection_end(c, &why);
        return;
    }
    if (c->pool->config.no_credentials) {
        connect_dial(c);
        return;
    }
    w->credentials = credentials_load(c->pool->io, c->destination, &c->pool->config, on_loaded, c);
    if (w->credentials)
        connect_ask_agent(c);
    else
        connect_without_memory(c);
}
