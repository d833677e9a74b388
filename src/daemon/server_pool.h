/* The pool and what it works with, from the settings of the start. */
#ifndef SCOUT_DAEMON_SERVER_POOL_H
#define SCOUT_DAEMON_SERVER_POOL_H

#include "scout/net/resolver.h"
#include "scout/pool/key_store.h"
#include "scout/pool/pool.h"
#include "scout/pool/secrets.h"
#include "server.h"

struct server_pool {
    struct resolver *resolver;
    struct key_store *keys;
    struct secrets *secrets;
    struct pool *pool;
    struct pool_config config;
    struct log *log;
    char known_hosts[SETTINGS_PATH_MAX];
    char own_principal[POOL_PRINCIPAL_MAX + 1];
    void (*on_closed)(void *context);
    void *context;
};

/* 0, or a negative error with *why; then the process ends, and nothing is undone. */
__attribute__((warn_unused_result)) int server_pool_open(struct server_pool *p, struct io *io,
                                                         const struct server_config *config,
                                                         struct log *log, struct failure *why);

/* Logs what a user should know about host keys: that they are not checked, or that the file to
 * check them by is missing. Blocking: for the start only. */
void server_pool_log_host_keys(const struct server_pool *p, struct log *log);

/* Whether clients may hand over their agents: not where the configuration names one, or none. */
bool server_pool_takes_agents(const struct settings *settings);

/* Frees all of it. `on_closed` comes once, last. Nobody may use the pool any more. */
void server_pool_close(struct server_pool *p, void (*on_closed)(void *context), void *context);

#endif
