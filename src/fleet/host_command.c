/* A command whose output is collected.
 *
 * The pool's command does the work and knows the deadline. Here are the caps, the time that it may
 * run, and the feeding of its stdin. The first reason to stop is the one that is told. Stopping is
 * left to a task, since the reason mostly shows within an event of the command. */
#include "scout/fleet/host_command.h"

#include <stdlib.h>

struct host_command {
    struct io *io;
    struct command *command;
    const struct host_command_events *events;
    host_command_data_fn *on_data; /* NULL: nobody follows it */
    void *context;
    struct buf out, err;
    struct slice input; /* what the command has not taken yet */
    struct io_timer timer;
    struct io_task task;
    uint64_t bytes, started_ns, run_max_ns;
    uint64_t client;
    struct holdings *holdings; /* NULL: what it keeps is not counted */
    struct holding holding;
    enum host_command_stop stop;
    bool held_back; /* by its follower */
    bool has_input, out_truncated, err_truncated;
};

/* ---- stopping ---- */

static void on_task(struct io_task *task)
{
    command_stop(CONTAINER_OF(task, struct host_command, task)->command);
}

static void stop_for(struct host_command *h, enum host_command_stop why)
{
    if (h->stop != HOST_COMMAND_UNSTOPPED)
        return;
    h->stop = why;
    io_defer(h->io, &h->task, on_task);
}

void host_command_stop(struct host_command *h)
{
    stop_for(h, HOST_COMMAND_CALLER);
}

static void on_time(struct io_timer *timer)
{
    stop_for(CONTAINER_OF(timer, struct host_command, timer), HOST_COMMAND_TIME);
}

/* ---- input ---- */

/* Gives the command as much as it takes at a time; from on_drain again. */
static void push_input(struct host_command *h)
{
    if (!h->has_input)
        return;
    size_t len = h->input.len < EXEC_INPUT_MAX ? h->input.len : EXEC_INPUT_MAX;
    if (len > 0 && command_write(h->command, slice_of(h->input.data, len)) != 0)
        return; /* it has not drained yet */
    h->input = slice_skip(h->input, len);
    if (h->input.len == 0) {
        h->has_input = false;
        command_end_input(h->command);
    }
}

/* ---- events of the command ---- */

static void on_started(void *context)
{
    struct host_command *h = context;
    h->started_ns = io_now(h->io);
    if (h->run_max_ns)
        io_timer_start(h->io, &h->timer, h->started_ns + h->run_max_ns, on_time);
    h->events->on_started(h->context);
}

static void pause_or_go_on(struct host_command *h)
{
    command_pause(h->command, h->holding.waits || h->held_back);
}

static void on_granted(struct holding *x)
{
    pause_or_go_on(CONTAINER_OF(x, struct host_command, holding));
}

/* Once it has printed more than little, all that it may print is asked for, and it waits until that
 * is granted: it holds nothing that others could wait for. */
static void hold(struct host_command *h)
{
    if (h->holdings && !h->holding.of && h->bytes > HOLDINGS_SMALL &&
        h->stop == HOST_COMMAND_UNSTOPPED &&
        !holding_ask(&h->holding, h->holdings, h->client, h->out.max + h->err.max, on_granted))
        pause_or_go_on(h);
}

void host_command_hold_back(struct host_command *h, bool held)
{
    h->held_back = held;
    pause_or_go_on(h);
}

/* Keeps what fits; true when something did not. */
static bool keep(struct buf *b, struct slice data)
{
    size_t room = buf_room(b), len = data.len < room ? data.len : room;
    return buf_append(b, slice_of(data.data, len)) != 0 || len < data.len;
}

static void on_output(void *context, bool is_stderr, struct slice data)
{
    struct host_command *h = context;
    if (h->stop != HOST_COMMAND_UNSTOPPED)
        return;
    h->bytes += data.len;
    if (is_stderr) {
        h->err_truncated |= keep(&h->err, data);
    } else if (keep(&h->out, data)) {
        h->out_truncated = true;
        if (!h->on_data)
            stop_for(h, HOST_COMMAND_OUTPUT);
    }
    hold(h);
    if (h->on_data)
        h->on_data(h->context, is_stderr, data);
    h->events->on_output(h->context, h->bytes);
}

void host_command_follow(struct host_command *h, host_command_data_fn *on_data)
{
    if (buf_len(&h->out) > 0)
        on_data(h->context, false, buf_peek(&h->out));
    if (buf_len(&h->err) > 0)
        on_data(h->context, true, buf_peek(&h->err));
    h->on_data = on_data;
}

static void on_drain(void *context)
{
    push_input(context);
}

static void host_command_free(struct host_command *h)
{
    io_task_cancel(&h->task);
    io_timer_stop(h->io, &h->timer);
    holding_end(&h->holding);
    buf_fini(&h->out);
    buf_fini(&h->err);
    free(h);
}

void host_command_abandon(struct host_command *h)
{
    command_abandon(h->command);
    host_command_free(h);
}

static void on_end(void *context, const struct command_result *command)
{
    struct host_command *h = context;
    struct host_command_result result = {
        .command = command,
        .stop = h->stop,
        .out = buf_peek(&h->out),
        .err = buf_peek(&h->err),
        .out_truncated = h->out_truncated,
        .err_truncated = h->err_truncated,
        .run_ns = h->started_ns ? io_now(h->io) - h->started_ns : 0,
    };
    bool stopped = command->end == COMMAND_STOPPED || command->end == COMMAND_STOP_UNCONFIRMED;
    if (stopped && h->stop == HOST_COMMAND_UNSTOPPED)
        result.stop = HOST_COMMAND_TIME;
    h->events->on_end(h->context, &result);
    host_command_free(h);
}

int host_command_error(const struct host_command_result *result)
{
    if (result->command->end == COMMAND_EXITED)
        return SCOUT_OK;
    if (result->command->end == COMMAND_FAILED)
        return result->command->failure.error;
    return result->stop == HOST_COMMAND_OUTPUT ? SCOUT_E_LIMIT
           : result->stop == HOST_COMMAND_TIME ? SCOUT_E_DEADLINE
                                               : SCOUT_E_CANCELLED;
}

static const struct command_events command_events = {on_started, on_output, on_drain, on_end};

void host_command_expect(struct fleet *f, const struct ssh_host *host, const char *principal)
{
    command_expect(fleet_pool(f), host, principal);
}

struct host_command *host_command_start(struct fleet *f, const struct host_command_request *request,
                                        const struct host_command_events *events, void *context,
                                        struct failure *why)
{
    struct command_request command = {
        .host = request->host,
        .principal = request->principal,
        .client = request->client,
        .command = request->line,
        .deadline_ns = request->deadline_ns,
        .begin_by_ns = request->begin_by_ns,
        .has_input = request->has_input,
        .repeatable = request->repeatable,
    };
    struct host_command *h = calloc(1, sizeof *h);
    if (!h) {
        failure_set(why, SCOUT_E_NOMEM, "No memory for a command on %s", request->host->name);
        return NULL;
    }
    h->io = fleet_io(f);
    h->events = events;
    h->context = context;
    h->input = request->input;
    h->has_input = request->has_input;
    h->run_max_ns = request->run_max_ns;
    h->client = request->client;
    h->holdings = request->holdings;
    buf_init(&h->out, request->stdout_max);
    buf_init(&h->err, HOST_COMMAND_STDERR_MAX);
    io_timer_init(&h->timer);
    io_task_init(&h->task);
    if (command_start(fleet_pool(f), &command, &command_events, h, &h->command, why) != 0) {
        if (!why->stage)
            why->stage = "queued";
        host_command_free(h);
        return NULL;
    }
    push_input(h);
    return h;
}
