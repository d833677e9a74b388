/* The configuration in use, and how another one takes its place.
 *
 * A reload changes the hosts, the policy, roles and limits. What the pool was made with stays until
 * a restart; that a key of it differs is logged. Connections stay: the pool finds them by what a
 * host's configuration comes to, so one whose configuration changed is not found any more, and is
 * closed when it has been idle for its time. */
#include "server_state.h"

#include "scout/fleet/holdings.h"
#include "scout/resources/resource_watch.h"
#include <stdio.h>

int server_adopt(struct server *s, struct configuration *c, struct failure *why)
{
    const struct settings *settings = &c->settings;
    const struct server_view_config config = {.io = s->io,
                                              .pool = s->pool.pool,
                                              .resolver = s->pool.resolver,
                                              .transfer_base = s->config->source->paths.transfer,
                                              .settings = settings,
                                              .ssh_config = c->ssh_config,
                                              .holdings = s->holdings,
                                              .redact_key = s->redact_key};
    struct server_view *view;
    c->ssh_config = NULL;
    int error = server_view_new(&view, &config, why);
    c->settings.policy = NULL; /* the view's, or gone */
    if (error)
        return error;
    bool other_lists = s->view && server_view_lists_differ(s->view, view);
    server_view_replace(&s->view, view, &s->registry);
    holdings_set_max(s->holdings, settings->max_client_bytes);
    s->limits = (struct mcp_limits){.call_timeout_ns = settings->call_timeout_ns,
                                    .slow_threshold_ns = settings->slow_threshold_ns};
    s->log->log.level = settings->log_level;
    s->tokens = c->tokens;
    doors_apply(&s->doors, settings);
    web_apply(&s->web, settings, c->tls, c->jwks);
    jwks_unref(s->jwks);
    s->jwks = c->jwks;
    c->jwks = NULL;
    tls_server_unref(s->tls);
    s->tls = c->tls;
    c->tls = NULL;
    server_each_client(s, client_refresh);
    if (other_lists)
        resource_watches_lists_changed(s->registry.watches);
    if (s->control)
        control_use(s->control, server_view_ssh_config(view));
    for (size_t i = 0; i < c->warnings.count; i++)
        log_event(&s->log->log, LOG_WARN, "variable_ignored", "reason", c->warnings.text[i], NULL);
    return 0;
}

void server_tell_ready(struct server *s, const char *event)
{
    const struct paths *paths = &s->config->source->paths;
    char hosts[32], sockets[16];
    const char *const *names;
    size_t count = fleet_names(server_view_fleet(s->view), &names);
    snprintf(hosts, sizeof hosts, "%zu", count);
    snprintf(sockets, sizeof sockets, "%zu", s->config->handed->count);
    log_event(&s->log->log, LOG_INFO, event, "version", SCOUT_VERSION, "socket",
              s->config->handed->count ? NULL : paths->socket, "handed_sockets",
              s->config->handed->count ? sockets : NULL, "hosts", hosts, "ssh_config",
              paths->ssh_config, NULL);
    service_tell_ready(&s->service, count);
}

void server_on_read(struct reload *r, struct configuration *c, const struct failure *why)
{
    struct server *s = CONTAINER_OF(r, struct server, reload);
    struct failure own = *why;
    if (s->draining)
        return;
    const char *key = own.error ? NULL : settings_fixed_difference(&s->first, &c->settings);
    if (!own.error)
        own.error = server_adopt(s, c, &own);
    if (own.error)
        log_event(&s->log->log, LOG_ERROR, "reload_refused", "code", error_code(own.error),
                  "reason", own.text, "effect", "the configuration of before stays in use", NULL);
    if (key)
        log_event(&s->log->log, LOG_WARN, "restart_needed", "key", key, NULL);
    if (!own.error && r->outside[0])
        log_event(&s->log->log, LOG_WARN, "restart_needed", "path", r->outside, "reason",
                  "it lies outside of what the daemon may read since its start", NULL);
    server_tell_ready(s, own.error ? "unchanged" : "reloaded");
}
