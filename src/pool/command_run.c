/* A command's exec: waiting for a channel, starting, streaming, and what its end means.
 *
 * What is written to stdin is kept until the host has accepted the command, so that a command that
 * never began can begin elsewhere with all of its input. Afterwards `input` holds what the engine
 * had no room for, and is pushed whenever the engine has drained. */
#include "command_state.h"

#include <assert.h>

static const struct exec_events exec_events;

static struct pool_channels *channels_of(struct command *c)
{
    return &c->use.connection->channels;
}

static uint64_t now_of(const struct command *c)
{
    return io_now(pool_io(c->pool));
}

/* ---- starting ---- */

static int start_exec(struct command *c)
{
    struct pool_connection *conn = c->use.connection;
    if (c->as_is)
        return engine_exec(conn->engine, c->text, &exec_events, c, &c->exec);
    uint64_t nonce;
    io_random(pool_io(c->pool), &nonce, sizeof nonce);
    process_group_init(&c->group, nonce, &conn->channels.shell);
    struct buf line;
    buf_init(&line, EXEC_COMMAND_MAX);
    int error = process_group_wrap(&c->group, c->text, &line);
    if (!error)
        error = buf_append(&line, slice_of("", 1));
    if (!error)
        error = engine_exec(conn->engine, (const char *)buf_peek(&line).data, &exec_events, c,
                            &c->exec);
    buf_fini(&line);
    return error;
}

static bool on_turn(struct channel_user *u)
{
    struct command *c = CONTAINER_OF(u, struct command, channel);
    if (now_of(c) >= c->begin_by_ns) { /* its timer has not come round yet: nothing begins now */
        command_begin_stop(c, SCOUT_E_DEADLINE);
        return false;
    }
    c->accepted = false;
    int error = start_exec(c);
    if (error) {
        struct failure why;
        c->exec = NULL;
        command_loss(c, error, &why);
        if (error == SCOUT_E_CONNECTION_LOST)
            command_lost(c, &why, false);
        else
            command_fail(c, &why);
        return false;
    }
    c->state = COMMAND_OPENING;
    command_start_clock(c);
    if (!c->has_input)
        exec_end_input(c->exec);
    if (c->paused)
        exec_pause(c->exec, true);
    return true;
}

static void on_lost(struct channel_user *u)
{
    struct command *c = CONTAINER_OF(u, struct command, channel);
    struct failure why;
    command_loss(c, SCOUT_E_CONNECTION_LOST, &why);
    command_lost(c, &why, false);
}

static void on_elsewhere(struct channel_user *u)
{
    command_elsewhere(CONTAINER_OF(u, struct command, channel));
}

int command_run(struct command *c, struct failure *why)
{
    c->state = COMMAND_CHANNEL;
    c->since_ns = now_of(c);
    c->channel.on_turn = on_turn;
    c->channel.on_elsewhere = on_elsewhere;
    c->channel.on_lost = on_lost;
    c->channel.refusals = 0;
    if (channels_none(c->use.connection)) {
        command_elsewhere(c);
        return 0;
    }
    command_start_deadline(c);
    if (channels_wait(c->use.connection, &c->channel) == 0)
        return 0;
    failure_set(why, SCOUT_E_POOL_FULL,
                "Too many commands wait for a channel to %s: %u. Try again later",
                c->destination->host->name, COMMANDS_WAITING_MAX);
    why->stage = "channel";
    return why->error;
}

/* ---- input ---- */

void command_push_input(struct command *c)
{
    if (!c->accepted || c->state == COMMAND_STOPPING)
        return;
    struct slice bytes = buf_peek(&c->input);
    if (bytes.len > 0) {
        int error = exec_write(c->exec, bytes);
        if (error)
            return; /* it has not drained yet: from on_drain again */
        c->input_sent = true;
        buf_consume(&c->input, bytes.len);
    }
    if (c->input_ended && c->has_input)
        exec_end_input(c->exec);
    connection_flush(c->use.connection);
}

static void on_drain(void *context)
{
    struct command *c = context;
    if (buf_len(&c->input) > 0)
        command_push_input(c);
    else if (command_tells(c) && c->events->on_drain)
        c->events->on_drain(c->context);
}

/* ---- output ---- */

static void on_started(void *context)
{
    struct command *c = context;
    uint64_t now = now_of(c);
    channels_opened(c->use.connection, &c->channel);
    histogram_add(&pool_stats_of(c->pool)->stages[POOL_STAGE_CHANNEL], now - c->since_ns);
    c->accepted = true;
    c->since_ns = now;
    c->result.may_have_run = true;
    if (c->state == COMMAND_STOPPING)
        return;
    c->state = COMMAND_RUNNING;
    if (c->has_input)
        command_push_input(c);
    if (command_tells(c) && c->events->on_started)
        c->events->on_started(c->context);
}

struct pass {
    struct command *command;
    bool is_stderr;
};

static void pass_on(void *context, struct slice data)
{
    struct pass *pass = context;
    struct command *c = pass->command;
    if (!command_tells(c))
        return;
    c->output_seen = true;
    c->events->on_output(c->context, pass->is_stderr, data);
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct pass pass = {context, is_stderr};
    struct command *c = context;
    if (!is_stderr || c->as_is || !c->group.looking) {
        pass_on(&pass, data);
        return;
    }
    process_group_filter(&c->group, data, pass_on, &pass);
    if (c->group.looking || !c->group.id || !c->exec) /* no exec: whoever got it ended it */
        return;
    if (!channels_of(c)->shell.known)
        channels_of(c)->shell = c->group.shell;
    if (c->state == COMMAND_STOPPING)
        command_stop_reported(c);
}

/* ---- the end ---- */

void command_drop_exec(struct command *c)
{
    if (!c->exec)
        return;
    exec_abandon(c->exec);
    c->exec = NULL;
    channels_done(c->use.connection, &c->channel);
    connection_flush(c->use.connection);
}

void command_loss(struct command *c, int error, struct failure *out)
{
    const struct pool_connection *conn = c->use.connection;
    const struct failure *f = conn->engine ? &conn->engine->failure : &conn->failure;
    if (conn->failure.error)
        f = &conn->failure;
    if (error != SCOUT_E_CONNECTION_LOST)
        failure_set(out, error, "The command on %s could not be run: %s", conn->name,
                    error_text(error));
    else if (f->error)
        *out = *f;
    else
        failure_set(out, error, "The connection to %s was lost", conn->name);
    if (out->error != SCOUT_E_SHUTTING_DOWN)
        out->error = error;
    out->stage = c->accepted ? "running" : "channel";
}

static void exited(struct command *c, const struct exec_result *result)
{
    histogram_add(&pool_stats_of(c->pool)->stages[POOL_STAGE_RUNNING], now_of(c) - c->since_ns);
    c->result.end = COMMAND_EXITED;
    c->result.may_have_run = true;
    c->result.has_status = result->has_status;
    c->result.status = result->status;
    memcpy(c->result.signal, result->signal, sizeof c->result.signal);
    command_finish(c);
}

static void no_channel(struct command *c)
{
    struct pool_connection *conn = c->use.connection;
    if (channels_refused(conn, &c->channel)) {
        c->state = COMMAND_CHANNEL;
        command_start_deadline(c);
        return;
    }
    struct failure why;
    failure_set(&why, SCOUT_E_NO_CHANNEL,
                "%s opens no channel for commands, although none runs there: check MaxSessions in "
                "its sshd_config, or whether commands of earlier calls still run there",
                conn->name);
    why.stage = "channel";
    command_fail(c, &why);
}

static void ended_early(struct command *c, const struct exec_result *result)
{
    struct failure why;
    command_loss(c, result->error, &why);
    if (result->error == SCOUT_E_EXEC_REFUSED)
        command_fail(c, &why);
    else
        command_lost(c, &why, result->requested);
}

static void on_end(void *context, const struct exec_result *result)
{
    struct command *c = context;
    struct pass pass = {c, true};
    c->exec = NULL;
    if (!c->as_is)
        process_group_end(&c->group, pass_on, &pass);
    if (result->error == SCOUT_E_NO_CHANNEL && c->state != COMMAND_STOPPING) {
        no_channel(c);
        return;
    }
    channels_done(c->use.connection, &c->channel);
    if (c->state == COMMAND_STOPPING)
        command_stop_ended(c, result);
    else if (result->error)
        ended_early(c, result);
    else
        exited(c, result);
}

static const struct exec_events exec_events = {on_started, on_output, on_drain, on_end};
