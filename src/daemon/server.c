/* The daemon at work, and its orderly end.
 *
 *   SERVING --SIGTERM, SIGINT--> DRAINING --no client left--> control closed --> pool freed -->
 *                                                                 resolver freed --> loop stopped
 *
 * Draining: no new client, no new input; calls in flight are answered, for SERVER_DRAIN_TIME_MS at
 * most; then every client is closed. The pool ends after the last client, the loop after the pool
 * and what it uses. */
#include "server.h"

#include "client.h"
#include "control.h"
#include "pool_log.h"
#include "scout/base/time.h"
#include "scout/net/listener.h"
#include "scout/net/resolver.h"
#include "scout/pool/key_store.h"
#include "scout/tools/scout_tool.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct server {
    struct io *io;
    struct log_sink *log;
    struct client_owner clients;
    struct listener listener;
    struct control *control; /* NULL: there is none */
    struct io_file signal_file;
    struct io_op signal_op;
    struct signalfd_siginfo signal;
    struct io_timer drain;
    struct resolver *resolver;
    struct key_store *keys;
    struct pool *pool;
    struct fleet *fleet;
    struct policy *policy;
    struct tool_env env;
    struct tool_view view;
    struct tool_registry registry;
    struct mcp_stats stats;
    bool draining, pool_ending;
    char known_hosts[SSH_CONFIG_PATH_MAX];
    struct pool_config pool_config;
};

static const struct tool *const tools[] = {&scout_tool};

static const char *const instructions =
    "Looks at remote hosts over SSH. Call the tool `scout` with target `hosts` to see which hosts "
    "there are, then with `host:/path` to read a file or list a directory.";

/* ---- stopping ---- */

static void on_resolver_freed(void *context)
{
    struct server *s = context;
    log_sink_close(s->log);
    io_close(&s->signal_file, NULL);
    io_stop(s->io);
}

static void on_pool_freed(void *context)
{
    struct server *s = context;
    key_store_free(s->keys);
    resolver_free(s->resolver, on_resolver_freed, s);
}

static void on_control_closed(void *context)
{
    struct server *s = context;
    pool_free(s->pool, on_pool_freed, s);
}

static void end_if_empty(struct server *s)
{
    if (!s->draining || s->clients.count > 0 || s->pool_ending)
        return;
    s->pool_ending = true;
    io_timer_stop(s->io, &s->drain);
    pool_log(&s->log->log, pool_stats(s->pool));
    if (s->control)
        control_close(s->control, on_control_closed, s);
    else
        on_control_closed(s);
}

static void for_each_client(struct server *s, void (*fn)(struct client *))
{
    struct list *head = &s->clients.clients;
    for (struct list *n = head->next, *next; n != head; n = next) {
        next = n->next; /* `fn` may free the client, though never another one */
        fn(client_of(n));
    }
}

static void on_drain_over(struct io_timer *timer)
{
    struct server *s = CONTAINER_OF(timer, struct server, drain);
    for_each_client(s, client_close);
}

static void on_signal(struct io_op *op, struct io_event event)
{
    struct server *s = CONTAINER_OF(op, struct server, signal_op);
    if (event.res == -ECANCELED || s->draining)
        return;
    log_event(&s->log->log, LOG_INFO, "stopping", "signal",
              s->signal.ssi_signo == 2 ? "SIGINT" : "SIGTERM", NULL);
    s->draining = true;
    listener_close(&s->listener);
    io_timer_start(s->io, &s->drain, io_now(s->io) + SERVER_DRAIN_TIME_MS * (uint64_t)NS_PER_MS,
                   on_drain_over);
    for_each_client(s, client_drain);
    end_if_empty(s);
}

static void on_client_gone(struct client_owner *owner)
{
    end_if_empty(CONTAINER_OF(owner, struct server, clients));
}

/* ---- serving ---- */

static void turn_away(struct server *s, int fd)
{
    static const char text[] = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32603,\"message\":\"too "
                               "many clients\",\"data\":{\"code\":\"limit-exceeded\"}}}\n";
    ssize_t n = send(fd, text, sizeof text - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    log_event(&s->log->log, LOG_WARN, "client_refused", "reason", "too many clients", "told",
              n > 0 ? "yes" : "no", NULL);
    io_discard(s->io, fd);
}

static void on_accept(struct listener *l, int fd)
{
    struct server *s = CONTAINER_OF(l, struct server, listener);
    if (s->draining)
        io_discard(s->io, fd);
    else if (s->clients.count >= SERVER_CLIENTS_MAX)
        turn_away(s, fd);
    else if (client_open(&s->clients, s->io, fd) != 0)
        log_event(&s->log->log, LOG_ERROR, "client_refused", "reason", "out of memory", NULL);
}

static const struct listener_events listener_events = {on_accept, NULL};

static int open_socket(struct server *s, const char *path, struct failure *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    mode_t mask = umask(0177); /* so that the socket is never open to others, not even at first */
    int error = listener_open(&s->listener, s->io, (struct sockaddr *)&address, sizeof address,
                              &listener_events);
    umask(mask);
    if (error)
        return failure_set(why, SCOUT_E_INVALID_ARGUMENT, "Cannot listen on %s: %s", path,
                           strerror(-error));
    return 0;
}

/* Without it nothing can be unlocked; all else works. */
static void open_control(struct server *s, const struct server_config *config)
{
    struct failure why;
    const struct control_config control = {.socket = config->paths->socket,
                                           .home = config->home,
                                           .ssh_config = config->ssh_config,
                                           .keys = s->keys,
                                           .log = &s->log->log};
    if (control_open(&s->control, s->io, &control, &why) != 0)
        log_event(&s->log->log, LOG_WARN, "control_unavailable", "reason", why.text, NULL);
}

static const char *agent_of(const struct server_config *config)
{
    bool is_auto = strcmp(config->settings->agent, SETTINGS_AGENT_AUTO) == 0;
    return is_auto ? config->agent_socket : config->settings->agent;
}

static void configure_pool(struct server *s, const struct server_config *config)
{
    const struct settings *settings = config->settings;
    if (settings->known_hosts[0])
        snprintf(s->known_hosts, sizeof s->known_hosts, "%s", settings->known_hosts);
    else
        snprintf(s->known_hosts, sizeof s->known_hosts, "%s/.ssh/known_hosts", config->home);
    s->pool_config = (struct pool_config){
        .connections_max = (uint32_t)settings->max_connections,
        .requests_max = (uint32_t)settings->max_requests,
        .queue_max = (uint32_t)settings->max_queue,
        .connect_timeout_ns = settings->connect_timeout_ns,
        .idle_timeout_ns = settings->idle_timeout_ns,
        .ping_interval_ns = settings->ping_interval_ns,
        .ping_timeout_ns = settings->ping_timeout_ns,
        .known_hosts = s->known_hosts,
        .known_hosts_global = "/etc/ssh/ssh_known_hosts",
        .home = config->home,
        .agent_socket = agent_of(config),
        .keys = s->keys,
        .resolver = s->resolver,
    };
}

static int start_pool(struct server *s, const struct server_config *config, struct failure *why)
{
    /* An attempt every two seconds: with c-ares' own five, doubled, a silent name server would take
     * a call's whole time. */
    const struct resolver_config resolver_config = {.timeout_ms = 2000, .tries = 3};
    int error = key_store_new(&s->keys);
    if (!error)
        error = resolver_new(&s->resolver, s->io, &resolver_config);
    if (!error) {
        configure_pool(s, config);
        error = pool_new(&s->pool, s->io, &s->pool_config);
    }
    if (error) {
        ssh_config_free(config->ssh_config);
        return failure_set(why, error, "The pool cannot be made: %s", error_text(error));
    }
    s->policy = policy_new();
    if (!s->policy) {
        ssh_config_free(config->ssh_config);
        return failure_set(why, SCOUT_E_NOMEM, "No memory for the policy");
    }
    error = fleet_new(&s->fleet, s->io, s->pool, s->resolver, config->ssh_config);
    return error ? failure_set(why, error, "The fleet cannot be made: %s", error_text(error)) : 0;
}

static void wire(struct server *s, const struct settings *settings)
{
    s->env = (struct tool_env){.fleet = s->fleet, .file_size_max = settings->max_file_size};
    s->view = (struct tool_view){.env = &s->env, .policy = s->policy};
    s->registry = (struct tool_registry){
        .tools = tools,
        .count = sizeof tools / sizeof tools[0],
        .io = s->io,
        .view = &s->view,
    };
    list_init(&s->clients.clients);
    s->clients.on_gone = on_client_gone;
    s->clients.mcp = (struct mcp_config){
        .registry = &s->registry,
        .log = &s->log->log,
        .server_name = "scout_mcp",
        .server_version = SCOUT_VERSION,
        .instructions = instructions,
        .call_timeout_ns = settings->call_timeout_ns,
        .stats = &s->stats,
    };
}

static void log_ready(struct server *s, const struct server_config *config)
{
    char hosts[32];
    const char *const *names;
    snprintf(hosts, sizeof hosts, "%zu", fleet_names(s->fleet, &names));
    log_event(&s->log->log, LOG_INFO, "ready", "version", SCOUT_VERSION, "socket",
              config->paths->socket, "hosts", hosts, "ssh_config", config->paths->ssh_config, NULL);
}

int server_run(struct io *io, struct log_sink *log, const struct server_config *config,
               struct failure *why)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return failure_set(why, SCOUT_E_NOMEM, "No memory");
    s->io = io;
    s->log = log;
    io_op_init(&s->signal_op);
    io_timer_init(&s->drain);
    int error = start_pool(s, config, why);
    if (!error) {
        wire(s, config->settings);
        error = open_socket(s, config->paths->socket, why);
    }
    if (error)
        return error; /* the process ends: there is nothing to undo that its end does not */
    io_file_adopt(io, &s->signal_file, config->signals);
    io_read(&s->signal_file, &s->signal_op, &s->signal, sizeof s->signal, -1, on_signal);
    log_sink_open(log, io, STDERR_FILENO);
    open_control(s, config);
    log_ready(s, config);
    io_run(io);
    for (int i = 0; i < SERVER_CLOSE_PASSES && io_files_open(io) > 0; i++)
        io_run_once(io, 10 * (uint64_t)NS_PER_MS); /* the last files close */
    fleet_free(s->fleet);
    policy_free(s->policy);
    unlink(config->paths->socket);
    free(s);
    return 0;
}
