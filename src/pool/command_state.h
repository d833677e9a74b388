/* The inside of a command, shared by command.c (its life), command_run.c (its exec) and
 * command_stop.c (stopping it). Private to the layer. */
#ifndef SCOUT_POOL_COMMAND_STATE_H
#define SCOUT_POOL_COMMAND_STATE_H

#include "connection.h"
#include "process_group.h"
#include "scout/pool/command.h"
#include "stop.h"

_Static_assert(COMMAND_TEXT_MAX + PROCESS_GROUP_PREFIX_MAX < EXEC_COMMAND_MAX,
               "prefix and command must fit into one line");

/* What is kept for stopping of the time that a command has when it begins: this share, so much at
 * most. The killer needs it: a channel, SIGTERM, and where that is ignored SIGKILL. */
#define COMMAND_RESERVE_SHARE  6
#define COMMAND_RESERVE_MAX_MS 2000

/* A host that says nothing for so long after it was asked for a sign of life, while a command on it
 * is to be stopped, is taken for dead. */
#define COMMAND_SILENCE_MS 2000

enum command_state {
    COMMAND_QUEUED,  /* use.waiting: for a connection, or for its turn */
    COMMAND_CHANNEL, /* in the queue of its connection's channels */
    COMMAND_OPENING, /* its exec was started; the host has not accepted it yet */
    COMMAND_RUNNING,
    COMMAND_STOPPING, /* no output is delivered any more */
    COMMAND_AGAIN,    /* the task asks for another connection: it was lost, or has no channel */
    COMMAND_ENDING,   /* the task delivers the result */
};

struct command {
    struct pool *pool;
    struct pool_use use;
    struct destination *destination; /* to ask for it again */
    struct channel_user channel;
    struct exec *exec; /* OPENING, RUNNING; STOPPING until it ends */
    struct process_group group;
    struct stop stop;
    struct pool_use stop_use; /* of POOL_LANE_STOPS, when the stop has to go over that */
    enum pool_lane lane;      /* where it asks for a connection */
    const struct command_events *events;
    void *context;
    struct io_timer timer;
    struct io_task task;
    uint64_t deadline_ns;
    uint64_t begin_by_ns; /* until it has its channel */
    uint64_t since_ns;    /* when the state was entered */
    uint64_t stop_ns;     /* from OPENING on: when stopping is to begin */
    uint64_t stopped_ns;  /* when it began */
    uint64_t asked_ns;    /* since when the host owes a sign of life; 0: it was not asked */
    enum command_state state;
    bool has_input, repeatable, as_is; /* as requested */
    bool silent;                       /* abandoned or answered: no event comes any more */
    bool paused, input_ended;
    bool accepted; /* by the host, on this connection */
    bool retried, output_seen, input_sent;
    bool answered; /* STOPPING: the deadline came first, the result was told */
    bool asked_sign, silence_seen;
    int stop_error;   /* STOPPING: why */
    struct buf input; /* until the host has accepted the command */
    struct command_result result;
    char text[];
};

/* ---- command.c ---- */

/* Lets everything go and delivers c->result: at once, or from the task. It is freed then. */
void command_finish(struct command *c);
void command_finish_soon(struct command *c);
/* Fills c->result with a failure and finishes soon. */
void command_fail(struct command *c, const struct failure *why);
/* Asks the pool for a connection of `lane` for `use`, as pool_acquire. */
__attribute__((warn_unused_result)) int
command_acquire(struct command *c, enum pool_lane lane, uint64_t deadline_ns, struct pool_use *use,
                void (*on_ready)(struct pool_use *, const struct failure *), struct failure *why);
/* The connection has no channel for commands: one that is for commands alone. */
void command_elsewhere(struct command *c);
/* The connection is of no use: another one, or the end for the reason given. */
void command_lost(struct command *c, const struct failure *why, bool requested);
/* Whether output and the like are told: not any more once it is being stopped. */
static inline bool command_tells(const struct command *c)
{
    return !c->silent && (c->state == COMMAND_OPENING || c->state == COMMAND_RUNNING);
}

/* ---- command_run.c ---- */

/* It holds a connection: waits for a channel. SCOUT_E_POOL_FULL: too many do. */
__attribute__((warn_unused_result)) int command_run(struct command *c, struct failure *why);
void command_push_input(struct command *c);
/* Ends the exec without its on_end, if there is one. */
void command_drop_exec(struct command *c);
/* Why the connection was lost. */
void command_loss(struct command *c, int error, struct failure *out);

/* ---- command_stop.c ---- */

/* Stops it, wherever it is; `error`: SCOUT_E_DEADLINE or SCOUT_E_CANCELLED. */
void command_begin_stop(struct command *c, int error);
/* While STOPPING: the group is known now; the exec has ended by itself; it is lost. */
void command_stop_reported(struct command *c);
void command_stop_ended(struct command *c, const struct exec_result *result);
/* Arms the timer for the deadline: while there is nothing to stop. */
void command_start_deadline(struct command *c);
/* It is OPENING: arms the timer for the stop before the deadline. */
void command_start_clock(struct command *c);

#endif
