/* Wires the pool: the resolver and the unlocked keys below it, the settings into it. */
#include "server_pool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A name server is asked every two seconds: with c-ares' own five, doubled, a silent one would take
 * a call's whole time. */
#define RESOLVER_TIMEOUT_MS 2000
#define RESOLVER_TRIES      3

/* NULL: none is asked. */
static const char *agent_of(const struct server_config *config)
{
    const char *agent = config->configuration->settings.agent;
    if (strcmp(agent, SETTINGS_AGENT_AUTO) == 0)
        return config->agent_socket;
    return strcmp(agent, SETTINGS_NONE) == 0 ? NULL : agent;
}

bool server_pool_takes_agents(const struct settings *settings)
{
    return strcmp(settings->agent, SETTINGS_AGENT_AUTO) == 0;
}

static void on_accepted(void *context, const struct ssh_host *host, const char *file,
                        struct slice key)
{
    struct server_pool *p = context;
    char fingerprint[KEY_FINGERPRINT_SIZE];
    ssh_key_fingerprint(key, fingerprint);
    log_event(p->log, LOG_WARN, "host_accepted", "host", host->name, "file", file, "fingerprint",
              fingerprint, "reason", "StrictHostKeyChecking of the host accepts its first key",
              NULL);
}

static void configure(struct server_pool *p, const struct server_config *config)
{
    const struct settings *settings = &config->configuration->settings;
    bool checked = settings_known_hosts(settings, config->source->home, p->known_hosts);
    snprintf(p->own_principal, sizeof p->own_principal, "uid:%u", (unsigned)geteuid());
    p->config = (struct pool_config){
        .connections_max = (uint32_t)settings->max_connections,
        .requests_max = (uint32_t)settings->max_requests,
        .queue_max = (uint32_t)settings->max_queue,
        .connect_timeout_ns = settings->connect_timeout_ns,
        .idle_timeout_ns = settings->idle_timeout_ns,
        .ping_interval_ns = settings->ping_interval_ns,
        .ping_timeout_ns = settings->ping_timeout_ns,
        .known_hosts = p->known_hosts,
        .known_hosts_global = "/etc/ssh/ssh_known_hosts",
        .host_keys = !checked           ? POOL_HOST_KEYS_UNCHECKED
                     : settings->strict ? POOL_HOST_KEYS_STRICT
                                        : POOL_HOST_KEYS_WHERE_KNOWN,
        .home = config->source->home,
        .agent_socket = agent_of(config),
        .own_principal = p->own_principal,
        .keys = p->keys,
        .secrets = p->secrets,
        .credentials = config->source->credentials,
        .resolver = p->resolver,
        .on_accepted = on_accepted,
        .accepted_context = p,
    };
}

int server_pool_open(struct server_pool *p, struct io *io, const struct server_config *config,
                     struct log *log, struct failure *why)
{
    const struct resolver_config resolver = {.timeout_ms = RESOLVER_TIMEOUT_MS,
                                             .tries = RESOLVER_TRIES};
    p->log = log;
    int error = key_store_new(&p->keys);
    if (!error)
        error = secrets_new(&p->secrets, io);
    if (!error)
        error = resolver_new(&p->resolver, io, &resolver);
    if (!error) {
        configure(p, config);
        error = pool_new(&p->pool, io, &p->config);
    }
    return error ? failure_set(why, error, "The pool cannot be made: %s", error_text(error)) : 0;
}

void server_pool_log_host_keys(const struct server_pool *p, struct log *log)
{
    if (p->config.host_keys == POOL_HOST_KEYS_UNCHECKED)
        log_event(
            log, LOG_ERROR, "host_keys_unchecked", "severity", "critical", "reason",
            "known_hosts is none: any host can be impersonated, and whoever is in between can "
            "read and change everything (MITM)",
            NULL);
    else if (access(p->known_hosts, R_OK) != 0)
        log_event(log, LOG_WARN, "known_hosts_missing", "path", p->known_hosts, "reason",
                  strerror(errno), "effect",
                  p->config.host_keys == POOL_HOST_KEYS_STRICT
                      ? "hosts that have no known_hosts file of their own are refused"
                      : "hosts that have no known_hosts file of their own are not checked",
                  NULL);
}

static void on_pool_freed(void *context)
{
    struct server_pool *p = context;
    key_store_free(p->keys);
    secrets_free(p->secrets);
    resolver_free(p->resolver, p->on_closed, p->context);
}

void server_pool_close(struct server_pool *p, void (*on_closed)(void *context), void *context)
{
    p->on_closed = on_closed;
    p->context = context;
    pool_free(p->pool, on_pool_freed, p);
}
