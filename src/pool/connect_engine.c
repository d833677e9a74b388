/* The engine of a connection: what it is made of, and what it asks while the host lets the user in.
 *
 * It asks for signatures (the agent's, or a file's key on a helper thread), whether the first key
 * of a host counts, and for answers to what the host asks a person. Each answer may come at once or
 * later; when the connection has ended meanwhile, nobody waits for it any more. */
#include "connect_state.h"

#include "scout/base/time.h"
#include "scout/pool/secrets.h"
#include "scout/ssh/session.h"

void connect_signed(void *context, struct slice signature)
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
        w->signing = signing_start(c->pool->io, key, data, connect_signed, c);
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

/* The address that is looked up in known_hosts, too; "": none is. */
static void address_to_check(const struct pool_connection *c, char out[ADDRESS_TEXT_MAX])
{
    const struct ssh_host *host = c->destination->host;
    const struct address *peer = &c->connect->dial.peer;
    struct address literal;
    out[0] = '\0';
    if (ssh_host_checks_address(host) && !address_is_loopback(peer) &&
        !address_literal(host->hostname, &literal))
        address_text(peer, out);
}

static void settle_key(struct pool_connection *c, struct slice key, bool is_new)
{
    struct connect *w = c->connect;
    char address[ADDRESS_TEXT_MAX];
    struct failure why = {0};
    address_to_check(c, address);
    if (is_new || address[0]) {
        const struct new_host_key k = {.key = key, .is_new = is_new, .address = address};
        w->new_host =
            new_host_start(c->pool->io, c->destination, &c->pool->config, &k, on_written_down, c);
        if (w->new_host)
            return;
        failure_set(&why, SCOUT_E_NOMEM, "The key of %s cannot be checked or written down",
                    c->name);
    }
    engine_host_key_settled(c->engine, &why);
}

static void on_new_host(void *context, struct slice key)
{
    settle_key(context, key, true);
}

static void on_known_host(void *context, struct slice key)
{
    settle_key(context, key, false);
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
bool connect_may_answer(const struct pool_connection *c)
{
    const struct credentials *credentials = c->connect->credentials;
    const struct secrets *secrets = c->pool->config.secrets;
    return credentials && credentials->may_use_files &&
           (credentials->password || (secrets && secrets_has(secrets, c->name)));
}

/* Whether first keys count; whether an address is checked; whether questions are answered. */
static const struct engine_events engine_events[2][2][2] = {
    {
        {{.on_sign = on_sign}, {.on_sign = on_sign, .on_prompts = on_prompts}},
        {{.on_sign = on_sign, .on_known_host = on_known_host},
         {.on_sign = on_sign, .on_known_host = on_known_host, .on_prompts = on_prompts}},
    },
    {
        {{.on_sign = on_sign, .on_new_host = on_new_host},
         {.on_sign = on_sign, .on_new_host = on_new_host, .on_prompts = on_prompts}},
        {{.on_sign = on_sign, .on_new_host = on_new_host, .on_known_host = on_known_host},
         {.on_sign = on_sign,
          .on_new_host = on_new_host,
          .on_known_host = on_known_host,
          .on_prompts = on_prompts}},
    },
};

void connect_make_engine(struct pool_connection *c)
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
        .events = &engine_events[ssh_host_accepts_new(host)][ssh_host_checks_address(host)]
                                [connect_may_answer(c)],
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
