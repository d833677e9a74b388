/* The daemon at work, and its orderly end.
 *
 *   SERVING --SIGTERM, SIGINT--> DRAINING --no client left--> control closed --> pool freed -->
 *                     kept states and audit log on the disk --> loop stopped
 *
 * Draining: no new client, no new input; calls in flight are answered, for SERVER_DRAIN_TIME_MS at
 * most, then ended, which is an answer, too; SERVER_END_TIME_MS later every client is closed. The
 * pool ends after the last client, the loop after the pool and what it uses. */
#include "server_state.h"

#include "scout/fleet/holdings.h"

#include "pool_log.h"
#include "scout/base/time.h"
#include "scout/fleet/path_lock.h"
#include "scout/fleet/undo.h"
#include "scout/pool/command.h"
#include "scout/resources/resource_watch.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void server_each_client(struct server *s, void (*fn)(struct client *))
{
    struct list *head = &s->clients.clients;
    for (struct list *n = head->next, *next; n != head; n = next) {
        next = n->next;
        fn(client_of(n));
    }
}

/* ---- stopping ---- */

static void on_audit_closed(void *context)
{
    struct server *s = context;
    service_stop(&s->service);
    log_sink_close(s->log);
    io_close(&s->signal_file, NULL);
    io_stop(s->io);
}

static void on_undo_closed(void *context)
{
    struct server *s = context;
    path_locks_free(s->registry.locks);
    audit_close(s->registry.audit, on_audit_closed, s);
}

static void on_pool_closed(void *context)
{
    struct server *s = context;
    undo_close(s->registry.undo, on_undo_closed, s);
}

static void on_control_closed(void *context)
{
    struct server *s = context;
    server_pool_close(&s->pool, on_pool_closed, s);
}

/* The pool outlives whoever may still have something stopped at a host: clients of the sockets, and
 * requests of HTTP, jobs. */
static void end_if_empty(struct server *s)
{
    if (!s->draining || s->clients.count > 0 || !s->web_closed || s->pool_ending ||
        !job_table_is_idle(s->registry.jobs))
        return;
    s->pool_ending = true;
    io_timer_stop(s->io, &s->drain);
    pool_log(&s->log->log, pool_stats(s->pool.pool));
    if (s->control)
        control_close(s->control, on_control_closed, s);
    else
        on_control_closed(s);
}

static void on_web_closed(void *context)
{
    struct server *s = context;
    s->web_closed = true;
    end_if_empty(s);
}

static void end_web(struct server *s)
{
    if (s->web_ending)
        return;
    s->web_ending = true;
    web_close(&s->web, on_web_closed, s);
}

_Static_assert(SERVER_END_TIME_MS > COMMAND_STOP_MS, "a stop that is given up is answered");

/* Nobody tells when the last request of HTTP has its answer. */
static void on_look(struct io_timer *timer)
{
    struct server *s = CONTAINER_OF(timer, struct server, look);
    if (web_is_idle(&s->web))
        end_web(s);
    if (!s->web_ending)
        io_timer_start(s->io, timer, io_now(s->io) + 10 * (uint64_t)NS_PER_MS, on_look);
}

static void on_drain_over(struct io_timer *timer)
{
    struct server *s = CONTAINER_OF(timer, struct server, drain);
    if (!s->calls_ended) {
        s->calls_ended = true;
        io_timer_start(s->io, timer, io_now(s->io) + SERVER_END_TIME_MS * (uint64_t)NS_PER_MS,
                       on_drain_over);
        server_each_client(s, client_end_calls);
        if (!s->web_ending)
            web_end_calls(&s->web);
        return;
    }
    server_each_client(s, client_close);
    end_web(s);
}

static void on_jobs_ended(void *context)
{
    end_if_empty(context);
}

static void drain(struct server *s, const char *signal)
{
    log_event(&s->log->log, LOG_INFO, "stopping", "signal", signal, NULL);
    service_tell_stopping(&s->service);
    s->draining = true;
    doors_close(&s->doors);
    io_timer_start(s->io, &s->drain, io_now(s->io) + SERVER_DRAIN_TIME_MS * (uint64_t)NS_PER_MS,
                   on_drain_over);
    server_each_client(s, client_drain);
    job_table_stop(s->registry.jobs, on_jobs_ended, s);
    web_drain(&s->web);
    on_look(&s->look);
}

static void on_signal(struct io_op *op, struct io_event event)
{
    struct server *s = CONTAINER_OF(op, struct server, signal_op);
    if (event.res != (int)sizeof s->signal || s->draining)
        return;
    if (s->signal.ssi_signo == SIGHUP) {
        log_event(&s->log->log, LOG_INFO, "reloading", "signal", "SIGHUP", NULL);
        service_tell_reloading(&s->service);
        reload_start(&s->reload);
    } else {
        drain(s, s->signal.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
        return;
    }
    io_read(&s->signal_file, op, &s->signal, sizeof s->signal, -1, on_signal);
}

static void on_client_gone(struct client_owner *owner)
{
    end_if_empty(CONTAINER_OF(owner, struct server, clients));
}

/* ---- serving ---- */

/* Without it nothing can be unlocked; all else works. */
static void open_control(struct server *s)
{
    struct failure why;
    const struct control_config control = {.socket = s->config->source->paths.socket,
                                           .home = s->config->source->home,
                                           .ssh_config = server_view_ssh_config(s->view),
                                           .keys = s->pool.keys,
                                           .secrets = s->pool.secrets,
                                           .pool = &s->pool.config,
                                           .confirmations = s->confirmations,
                                           .audit = s->registry.audit,
                                           .log = &s->log->log};
    if (control_open(&s->control, s->io, &control, &why) != 0)
        log_event(&s->log->log, LOG_WARN, "control_unavailable", "reason", why.text, NULL);
}

static void wire(struct server *s)
{
    server_view_tools(&s->registry);
    s->registry.io = s->io;
    s->registry.confirmations = s->confirmations;
    io_random(s->io, s->state_key.bytes, sizeof s->state_key.bytes);
    s->registry.outputs = s->outputs;
    list_init(&s->clients.clients);
    s->clients.on_gone = on_client_gone;
    s->clients.tokens = &s->tokens;
    s->clients.mcp = (struct mcp_config){
        .registry = &s->registry,
        .log = &s->log->log,
        .server_name = "scout_mcp",
        .server_version = SCOUT_VERSION,
        .instructions = server_instructions,
        .limits = &s->limits,
        .stats = &s->stats,
        .state_key = &s->state_key,
    };
}

static void name_metrics(struct server *s)
{
    s->metrics = (struct metrics_source){.io = s->io,
                                         .pool = s->pool.pool,
                                         .resolver = s->pool.resolver,
                                         .audit = s->registry.audit,
                                         .mcp = &s->stats,
                                         .clients = &s->clients.count,
                                         .opened = &s->clients.opened,
                                         .unsent = &s->clients.unsent,
                                         .http = &s->web.stats,
                                         .access = &s->web.access.stats,
                                         .started_ms = io_wall_ms(s->io),
                                         .memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC),
                                         .version = SCOUT_VERSION};
}

/* What the tools need that change files. */
static int open_changes(struct server *s, struct failure *why)
{
    s->registry.undo = undo_new(s->io, s->config->source->paths.undo, &s->log->log);
    s->registry.locks = path_locks_new(s->io);
    if (s->registry.undo && s->registry.locks)
        return 0;
    return failure_set(why, SCOUT_E_NOMEM, "No memory");
}

int server_run(struct io *io, struct log_sink *log, const struct server_config *config,
               struct failure *why)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return failure_set(why, SCOUT_E_NOMEM, "No memory");
    s->io = io;
    s->log = log;
    log->log.now_ms = io_wall_ms(io); /* until it has a clock of its own, see log_sink_open */
    s->config = config;
    s->first = config->configuration->settings;
    s->first.policy = NULL; /* the view's */
    s->doors.on_client = server_admit;
    io_op_init(&s->signal_op);
    io_timer_init(&s->drain);
    io_timer_init(&s->look);
    reload_init(&s->reload, io, config->source, config->sandbox, server_on_read);
    uint64_t seed;
    io_random(io, &seed, sizeof seed);
    s->confirmations = confirmations_new(seed);
    io_random(io, s->redact_key, sizeof s->redact_key);
    s->outputs = output_store_new(io);
    s->registry.jobs = job_table_new(io, &log->log);
    if (!s->confirmations || !s->outputs || !s->registry.jobs ||
        holdings_new(&s->holdings, io, s->first.max_client_bytes) != 0)
        return failure_set(why, SCOUT_E_NOMEM, "No memory");
    wire(s);
    s->registry.watches = resource_watches_new(&s->registry);
    if (!s->registry.watches)
        return failure_set(why, SCOUT_E_NOMEM, "No memory");
    int error = server_pool_open(&s->pool, io, config, &log->log, why);
    if (server_pool_takes_agents(&s->first))
        s->clients.agents = s->pool.pool;
    if (!error)
        error = doors_open(&s->doors, io, config->handed, config->source->paths.socket, why);
    if (!error)
        error = server_adopt(s, config->configuration, why);
    if (!error)
        error = audit_open(&s->registry.audit, io, config->source->paths.audit, &log->log, why);
    if (!error)
        error = open_changes(s, why);
    if (error)
        return error; /* the process ends: there is nothing to undo that its end does not */
    io_file_adopt(io, &s->signal_file, config->signals);
    io_read(&s->signal_file, &s->signal_op, &s->signal, sizeof s->signal, -1, on_signal);
    log_sink_open(log, io, STDERR_FILENO);
    name_metrics(s);
    const struct web_config web = {.io = io,
                                   .start = config->web,
                                   .settings = &s->first,
                                   .tls = s->tls,
                                   .jwks = s->jwks,
                                   .tokens = &s->tokens,
                                   .mcp = &s->clients.mcp,
                                   .metrics = &s->metrics,
                                   .clients = &s->clients.opened};
    error = web_open(&s->web, &web);
    if (error)
        return failure_set(why, error, "No memory for the HTTP endpoint");
    open_control(s);
    server_pool_log_host_keys(&s->pool, &log->log);
    service_start(&s->service, io, config->notify);
    server_tell_ready(s, "ready");
    io_run(io);
    for (int i = 0; i < SERVER_CLOSE_PASSES && io_files_open(io) > 0; i++)
        io_run_once(io, 10 * (uint64_t)NS_PER_MS); /* the last files close */
    resource_watches_free(s->registry.watches);
    tls_server_unref(s->tls);
    jwks_unref(s->jwks);
    server_view_free(s->view);
    confirmations_free(s->confirmations);
    holdings_free(s->holdings);
    if (s->metrics.memory >= 0)
        close(s->metrics.memory);
    output_store_free(s->outputs);
    job_table_free(s->registry.jobs);
    if (!s->reload.active &&
        !s->web.access.watch.active) /* else a helper thread still reads into it */
        free(s);
    return 0;
}
