/* The way of a connection from its place to its engine.
 *
 *   files are read --\
 *                     >-- both known: keys in order --> dial --> engine
 *   agent is asked --/
 *
 * Everything here is needed until the host has let the user in, and freed then: an idle connection
 * keeps neither keys nor known_hosts. The engine's identities point into the files' keys and the
 * agent's list, so both outlive its authentication. The agent is asked anew for each connect, since
 * its keys come and go; one that is silent is left in peace for AGENT_RETRY_MS. */
#include "pool_state.h"

#include "agent_client.h"
#include "credentials.h"
#include "handed_agent.h"
#include "hop.h"
#include "new_host.h"
#include "scout/base/time.h"
#include "scout/net/dial.h"
#include "scout/pool/key_store.h"
#include "scout/pool/secrets.h"
#include "scout/ssh/session.h"
#include "signing.h"
#include <stdio.h>
#include <stdlib.h>

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

/* ---- the end of it ---- */

bool connect_is_over(const struct pool_connection *c)
{
    return !c->connect || (!c->connect->dialing && !c->connect->agent_open);
}

static void free_if_over(struct pool_connection *c)
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
    free_if_over(c);
}

/* It is not dialled: a bastion or a program leads to it. */
static bool is_led(const struct pool_connection *c)
{
    return c->destination->host->via || c->destination->host->proxy_command;
}

enum pool_stage connect_stage(const struct pool_connection *c)
{
    if (c->state == CONNECTION_DIALING && !is_led(c) && c->connect->dial.address_count > 0)
        return POOL_STAGE_CONNECTING;
    return c->stage;
}

void connect_follow(struct pool_connection *c)
{
    if (!is_led(c) && connect_stage(c) == POOL_STAGE_CONNECTING)
        connection_enter(c, POOL_STAGE_CONNECTING, c->connect->dial.resolved_ns);
}

/* ---- messages ---- */

static const char *agent_note(const struct connect *w)
{
    return w->agent ? agent_client_note(w->agent) : w->note;
}

void connect_explain(const struct pool_connection *c, struct failure *f)
{
    const struct connect *w = c->connect;
    if (w && w->credentials && w->credentials->loaded)
        identities_explain(&w->identities, w->credentials->files, w->credentials->file_count,
                           agent_note(w), f);
}

static void end_without_memory(struct pool_connection *c)
{
    struct failure why;
    failure_set(&why, SCOUT_E_NOMEM, "No memory to connect to %s", c->name);
    connection_end(c, &why);
}

/* ---- engine ---- */

static void on_signed(void *context, struct slice signature)
{
    struct pool_connection *c = context;
    if (c->connect)
        c->connect->signing = NULL;
    if (c->state != CONNECTION_SSH)
        return;
    engine_signed(c->engine, signature);
    connection_flush(c);
}

static bool sign_later(struct pool_connection *c, size_t identity, struct slice data)
{
    struct connect *w = c->connect;
    struct ssh_key *key = w->identities.keys[identity];
    if (key) {
        w->signing = signing_start(c->pool->io, key, data, on_signed, c);
        return w->signing != NULL;
    }
    /* Half of what is left: if the agent does not sign, another key may still do. */
    uint64_t now = io_now(c->pool->io), end = c->timer.node.key;
    uint64_t deadline = end > now ? now + (end - now) / 2 : now;
    return w->agent &&
           agent_client_sign(w->agent, w->identities.agent_blobs[identity], data, deadline);
}

static void on_sign(void *context, size_t identity, struct slice data)
{
    struct pool_connection *c = context;
    if (sign_later(c, identity, data))
        return;
    engine_signed(c->engine, slice_of(NULL, 0));
    connection_flush(c);
}

static void on_written_down(void *context, const struct new_host_end *end)
{
    struct pool_connection *c = context;
    const struct pool_config *config = &c->pool->config;
    c->connect->new_host = NULL;
    if (!end->why.error && end->file && config->on_accepted)
        config->on_accepted(config->accepted_context, c->destination->host, end->file, end->key);
    engine_host_key_settled(c->engine, &end->why);
    connection_flush(c);
}

static void on_new_host(void *context, struct slice key)
{
    struct pool_connection *c = context;
    struct connect *w = c->connect;
    struct failure why;
    w->new_host =
        new_host_start(c->pool->io, c->destination, &c->pool->config, key, on_written_down, c);
    if (w->new_host)
        return;
    failure_set(&why, SCOUT_E_NOMEM, "The key of %s cannot be written down", c->name);
    engine_host_key_settled(c->engine, &why);
}

/* The service manager's password answers where no person does. */
static bool on_prompts(void *context, const struct auth_prompt *prompts, size_t count,
                       struct slice *answers)
{
    struct pool_connection *c = context;
    const struct credentials *credentials = c->connect ? c->connect->credentials : NULL;
    struct secrets *secrets = c->pool->config.secrets;
    if (!credentials)
        return false; /* it has ended meanwhile */
    if (secrets && secrets_answer(secrets, c->name, prompts, count, answers))
        return true;
    if (!credentials->password || count != 1 || prompts[0].echo)
        return false;
    answers[0] = slice_of(credentials->password, credentials->password_len);
    return true;
}

/* Whether there is somebody, or something, to answer what the host asks. */
static bool may_answer(const struct pool_connection *c)
{
    const struct credentials *credentials = c->connect->credentials;
    const struct secrets *secrets = c->pool->config.secrets;
    return credentials && credentials->may_use_files &&
           (credentials->password || (secrets && secrets_has(secrets, c->name)));
}

static const struct engine_events engine_events[2][2] = {
    {{.on_sign = on_sign}, {.on_sign = on_sign, .on_prompts = on_prompts}},
    {{.on_sign = on_sign, .on_new_host = on_new_host},
     {.on_sign = on_sign, .on_new_host = on_new_host, .on_prompts = on_prompts}},
};

static void make_engine(struct pool_connection *c)
{
    const struct connect *w = c->connect;
    const struct pool_config *pool = &c->pool->config;
    const struct ssh_host *host = c->destination->host;
    const struct engine_config config = {
        .name = c->name,
        .host = ssh_host_key_name(host),
        .port = ssh_host_key_port(host),
        .user = host->user,
        .kex_algorithms = host->kex_algorithms,
        .ciphers = host->ciphers,
        .macs = host->macs,
        .host_key_algorithms = host->host_key_algorithms,
        .environment = host->environment,
        .known_hosts = w->credentials ? w->credentials->known_hosts : NULL,
        .host_key_unchecked = w->credentials && w->credentials->unchecked,
        .identities = w->identities.list,
        .identity_count = w->identities.count,
        .no_anchor = c->lane != POOL_LANE_FIRST,
        .events = &engine_events[ssh_host_accepts_new(host)][may_answer(c)],
        .context = c,
    };
    int error = pool->engine_new ? pool->engine_new(&c->engine, &config)
                                 : ssh_session_new(&c->engine, &config);
    if (error) {
        struct failure why;
        if (error == SCOUT_E_NO_COMMON_ALGORITHM)
            failure_set(&why, error,
                        "No algorithm is left for %s: nothing of KexAlgorithms, Ciphers, MACs or "
                        "HostKeyAlgorithms in its ssh configuration can be used here (key "
                        "exchange is by elliptic curves only)",
                        c->name);
        else
            failure_set(&why, error, "No SSH session for %s: %s", c->name, error_text(error));
        connection_end(c, &why);
    }
}

/* ---- dial ---- */

#define HANDSHAKE_RETRIES_MAX    4
#define HANDSHAKE_RETRY_FIRST_MS 50

static void pass_gate(struct pool_connection *c);

static void on_again(struct io_timer *timer)
{
    struct connect *w = CONTAINER_OF(timer, struct connect, again);
    pass_gate(w->connection);
}

/* A server that has too many connections that are not logged in yet (MaxStartups) drops some, so
 * the next attempt comes after a while that is longer each time, and not the same for everybody. */
bool connect_may_retry(struct pool_connection *c, const struct failure *why)
{
    struct connect *w = c->connect;
    return c->state == CONNECTION_SSH && why->error == SCOUT_E_CONNECTION_LOST &&
           c->stage == POOL_STAGE_HANDSHAKE && !c->process && w && !w->over && !w->new_host &&
           w->retries++ < HANDSHAKE_RETRIES_MAX;
}

void connect_retry(struct pool_connection *c)
{
    struct connect *w = c->connect;
    struct io *io = c->pool->io;
    uint64_t base = (HANDSHAKE_RETRY_FIRST_MS * NS_PER_MS) << (w->retries - 1), jitter;
    io_random(io, &jitter, sizeof jitter);
    gate_leave(c);
    io_timer_start(io, &w->again, io_now(io) + base / 2 + jitter % base, on_again);
}

/* ConnectionAttempts: one a second, as long as the connection's time lasts. */
static bool dial_again(struct pool_connection *c, const struct failure *failure)
{
    struct connect *w = c->connect;
    if (failure->error != SCOUT_E_CONNECT || c->state != CONNECTION_DIALING ||
        ++w->attempts >= c->destination->host->connection_attempts)
        return false;
    gate_leave(c);
    io_timer_start(c->pool->io, &w->again, io_now(c->pool->io) + NS_PER_S, on_again);
    return true;
}

static void on_dialed(struct dial *d, const struct failure *failure)
{
    struct connect *w = CONTAINER_OF(d, struct connect, dial);
    struct pool_connection *c = w->connection;
    w->dialing = false;
    connect_follow(c);
    if (dial_again(c, failure))
        return;
    if (failure->error && c->state != CONNECTION_ENDING) {
        struct failure named;
        failure_set(&named, failure->error, "%s: %s", c->name, failure->text);
        named.stage = failure->stage;
        connection_end(c, &named);
    }
    if (failure->error == 0) {
        if (c->state != CONNECTION_ENDING)
            make_engine(c);
        connection_opened(c, &d->file);
    }
    free_if_over(c);
    connection_settle(c);
}

static void dial_once(struct pool_connection *c)
{
    struct connect *w = c->connect;
    const struct ssh_host *host = c->destination->host;
    const struct dial_target target = {host->hostname, host->bind_address, ssh_host_family(host),
                                       host->port};
    w->dialing = true;
    /* The connection's own time-out comes first: it says more. */
    dial_start(&w->dial, c->pool->io, c->pool->config.resolver, &target,
               c->timer.node.key + NS_PER_MS, on_dialed);
}

void connect_hop_opened(struct pool_connection *c)
{
    if (c->state == CONNECTION_ENDING)
        return;
    make_engine(c);
    connection_opened(c, NULL);
}

/* ---- ProxyCommand ---- */

static void on_started(void *context, struct io_file *file, const struct failure *failure)
{
    struct pool_connection *c = context;
    if (!file && c->state != CONNECTION_ENDING) {
        struct failure why;
        failure_set(&why, failure->error, "%s: %s", c->name, failure->text);
        why.stage = pool_stage_name(POOL_STAGE_CONNECTING);
        connection_end(c, &why);
    }
    if (!file)
        return;
    if (c->state != CONNECTION_ENDING)
        make_engine(c);
    connection_opened(c, file);
}

static void on_over(void *context)
{
    connection_process_over(context);
}

static void on_process_gone(void *context)
{
    struct pool_connection *c = context;
    c->process = NULL;
    connection_settle(c);
}

static const struct process_events process_events = {on_started, on_over, on_process_gone};

static void start_process(struct pool_connection *c)
{
    c->process =
        process_start(c->pool->io, c->destination->host->proxy_command, &process_events, c);
    if (!c->process)
        end_without_memory(c);
}

void connect_admitted(struct pool_connection *c)
{
    if (c->hop)
        hop_open(c->hop);
    else if (c->destination->host->proxy_command)
        start_process(c);
    else
        dial_once(c);
}

/* Who goes through a bastion waits there. */
static void pass_gate(struct pool_connection *c)
{
    if (c->hop || gate_enter(c))
        connect_admitted(c);
}

static void dial(struct pool_connection *c)
{
    c->state = CONNECTION_DIALING;
    connection_enter(c, POOL_STAGE_RESOLVING, io_now(c->pool->io));
    if (is_led(c))
        connection_enter(c, POOL_STAGE_CONNECTING, io_now(c->pool->io));
    pass_gate(c);
}

/* ---- keys ---- */

static void unlock_files(struct credentials *credentials, const struct key_store *keys)
{
    for (size_t i = 0; keys && i < credentials->file_count; i++)
        if (credentials->files[i].state == KEY_FILE_LOCKED)
            credentials->files[i].unlocked = key_store_get(keys, credentials->files[i].path);
}

static void go_on(struct pool_connection *c)
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
    if (w->identities.count > 0 || may_answer(c)) {
        dial(c);
        return;
    }
    struct failure why;
    identities_none(&w->identities, credentials->files, credentials->file_count, c->name,
                    agent_note(w), &why);
    connection_end(c, &why);
}

static void on_loaded(struct credentials *credentials)
{
    struct pool_connection *c = credentials->owner;
    if (credentials->failure.error)
        connection_end(c, &credentials->failure);
    else
        go_on(c);
}

/* ---- the agent ---- */

static void on_listed(void *context)
{
    struct pool_connection *c = context;
    struct connect *w = c->connect;
    w->agent_known = true;
    if (agent_client_was_silent(w->agent) && !c->destination->principal[0] &&
        !c->destination->host->identity_agent)
        c->pool->agent_retry_ns = io_now(c->pool->io) + AGENT_RETRY_MS * NS_PER_MS;
    go_on(c);
}

static void on_agent_gone(void *context)
{
    struct pool_connection *c = context;
    c->connect->agent_open = false;
    free_if_over(c);
    connection_settle(c);
}

static const struct agent_client_events agent_events = {on_listed, on_signed, on_agent_gone};

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

static void ask_agent(struct pool_connection *c)
{
    struct connect *w = c->connect;
    w->agent = wants_handed_agent(c) ? share_agent(c) : open_agent(c);
    w->agent_open = w->agent != NULL;
    w->agent_known = !w->agent;
}

void connect_start(struct pool_connection *c)
{
    struct connect *w = c->connect = calloc(1, sizeof *w);
    if (!w) {
        end_without_memory(c);
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
        dial(c);
        return;
    }
    w->credentials = credentials_load(c->pool->io, c->destination, &c->pool->config, on_loaded, c);
    if (w->credentials)
        ask_agent(c);
    else
        end_without_memory(c);
}
