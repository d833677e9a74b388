/* The daemon at work, and its orderly end.
 *
 *   SERVING --SIGTERM, SIGINT--> DRAINING --no client left--> control closed --> pool freed -->
 *                                                                 loop stopped
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
#include "server_pool.h"
#include "server_view.h"
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
    struct server_pool pool;
    struct server_view *view; /* the current one */
    struct tool_registry registry;
    struct mcp_stats stats;
    struct mcp_limits limits;
    bool draining, pool_ending;
};

/* ---- stopping ---- */

static void on_pool_closed(void *context)
{
    struct server *s = context;
    log_sink_close(s->log);
    io_close(&s->signal_file, NULL);
    io_stop(s->io);
}

static void on_control_closed(void *context)
{
    struct server *s = context;
    server_pool_close(&s->pool, on_pool_closed, s);
}

static void end_if_empty(struct server *s)
{
    if (!s->draining || s->clients.count > 0 || s->pool_ending)
        return;
    s->pool_ending = true;
    io_timer_stop(s->io, &s->drain);
    pool_log(&s->log->log, pool_stats(s->pool.pool));
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
                                           .keys = s->pool.keys,
                                           .log = &s->log->log};
    if (control_open(&s->control, s->io, &control, &why) != 0)
        log_event(&s->log->log, LOG_WARN, "control_unavailable", "reason", why.text, NULL);
}

static void wire(struct server *s)
{
    server_view_tools(&s->registry);
    s->registry.io = s->io;
    list_init(&s->clients.clients);
    s->clients.on_gone = on_client_gone;
    s->clients.mcp = (struct mcp_config){
        .registry = &s->registry,
        .log = &s->log->log,
        .server_name = "scout_mcp",
        .server_version = SCOUT_VERSION,
        .instructions = server_instructions,
        .limits = &s->limits,
        .stats = &s->stats,
    };
}

/* Takes a reading of the configuration into use, the first as well as each later one: all that
 * depends on it is made here. On failure what was in use stays in use. */
static int adopt(struct server *s, const struct settings *settings, struct ssh_config *ssh_config,
                 struct failure *why)
{
    const struct server_view_config config = {.io = s->io,
                                              .pool = s->pool.pool,
                                              .resolver = s->pool.resolver,
                                              .settings = settings,
                                              .ssh_config = ssh_config};
    struct server_view *view;
    int error = server_view_new(&view, &config, why);
    if (error)
        return error;
    server_view_replace(&s->view, view, &s->registry);
    s->limits = (struct mcp_limits){.call_timeout_ns = settings->call_timeout_ns,
                                    .slow_threshold_ns = settings->slow_threshold_ns};
    s->clients.role = settings->role;
    return 0;
}

static void log_ready(struct server *s, const struct server_config *config)
{
    char hosts[32];
    const char *const *names;
    snprintf(hosts, sizeof hosts, "%zu", fleet_names(server_view_fleet(s->view), &names));
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
    wire(s);
    int error = server_pool_open(&s->pool, io, config, why);
    if (!error)
        error = adopt(s, config->settings, config->ssh_config, why);
    if (!error)
        error = open_socket(s, config->paths->socket, why);
    if (error)
        return error; /* the process ends: there is nothing to undo that its end does not */
    io_file_adopt(io, &s->signal_file, config->signals);
    io_read(&s->signal_file, &s->signal_op, &s->signal, sizeof s->signal, -1, on_signal);
    log_sink_open(log, io, STDERR_FILENO);
    open_control(s, config);
    server_pool_log_host_keys(&s->pool, &log->log);
    log_ready(s, config);
    io_run(io);
    for (int i = 0; i < SERVER_CLOSE_PASSES && io_files_open(io) > 0; i++)
        io_run_once(io, 10 * (uint64_t)NS_PER_MS); /* the last files close */
    server_view_free(s->view);
    unlink(config->paths->socket);
    free(s);
    return 0;
}
