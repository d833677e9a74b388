/* Who gets the next channel of a connection. One scheduler for each connection; private to the
 * layer.
 *
 * A host allows so many channels on a connection (OpenSSH: MaxSessions, 10) and says so only by
 * refusing one more. The scheduler starts from an assumption, learns from refusals and tries again
 * later. Commands that find no channel free wait: in order within a client, in turn between
 * clients. One channel is kept free for stopping commands, where there are some. Where the anchor
 * takes the only one, commands are sent elsewhere: to the destination's connection for commands.
 * Where a round trip is long, one is kept open ahead while commands come, so that the next one need
 * not wait for it; never the last one, nor the one that is kept free. */
#ifndef SCOUT_POOL_CHANNELS_H
#define SCOUT_POOL_CHANNELS_H

#include "channel_queue.h"
#include "scout/io/io.h"
#include "shell.h"

#define COMMANDS_WAITING_MAX    1024   /* for a channel of one connection; more: POOL_FULL */
#define CHANNELS_DEFAULT        10     /* assumed to be allowed: OpenSSH's MaxSessions */
#define CHANNELS_MAX            64     /* never tried beyond */
#define CHANNELS_RESERVE_FROM   3      /* from this limit on, one channel is kept for stops */
#define CHANNELS_PROBE_FIRST_MS 10000  /* all in use for so long: one more is tried */
#define CHANNELS_PROBE_NEXT_MS  1000   /* after one more was opened: until the next is tried */
#define CHANNELS_PROBE_MAX_MS   300000 /* each refusal doubles it up to this */
#define CHANNELS_ALONE_FIRST_MS 10     /* the same, while no command has a channel; doubles, too */
#define CHANNELS_AHEAD_RTT_MS   5      /* a round trip so long is worth a channel opened ahead */
#define CHANNELS_EXPECT_MS      250    /* so long one is kept for a command that was announced */
#define CHANNELS_AHEAD_MS       10000  /* so long after the last command began it is kept */
#define CHANNELS_REFUSALS_MAX   8      /* of one command while none has a channel; then it fails */
#define CHANNELS_REFUSALS_NONE  5      /* the same, where commands were served before: elsewhere */

struct pool_connection;

/* A command's place in the queue and among those that have a channel; embedded in it. Zeroed before
 * the first use. */
struct channel_user {
    struct channel_wait wait;
    /* Its turn has come: it starts an exec and returns true, or gives up and returns false. An exec
     * is followed by channels_opened or not, then by channels_refused or channels_done. */
    bool (*on_turn)(struct channel_user *u);
    /* It is out of the queue: the host leaves commands no channel on this connection. */
    void (*on_elsewhere)(struct channel_user *u);
    /* It is out of the queue, since the connection is gone. */
    void (*on_lost)(struct channel_user *u);
    uint32_t refusals; /* while no other command had a channel */
    bool opening;
};

/* The one that is kept open for the next command: channel_ahead.c. */
struct channel_ahead {
    bool pays;             /* the host is so far away */
    bool on;               /* the engine was told so */
    uint64_t until_ns;     /* since the last command began; 0: none did */
    uint64_t expected_ns;  /* a command is to come until then; 0: none is */
    struct io_timer timer; /* armed while it is on */
};

struct pool_channels {
    struct list stops;     /* struct stop: they wait for a channel */
    struct list killers;   /* struct killer: they have one */
    uint32_t running;      /* commands that have an exec */
    uint32_t killing;      /* killers */
    uint32_t opening;      /* of both: execs that the host has not accepted yet */
    uint32_t limit;        /* channels, the anchor included, that the host is believed to allow */
    bool learned;          /* by a refusal: not just assumed */
    bool served;           /* the host has opened one that was not the anchor's */
    bool none;             /* there is none for commands: they are sent elsewhere */
    bool probing;          /* one more is tried, with the reserve in use */
    struct io_timer timer; /* armed while commands wait: to probe */
    struct channel_queue queue;
    struct channel_ahead ahead;
    uint64_t probe_at_ns; /* 0: they were never all in use */
    uint64_t probe_ms;
    struct shell shell; /* the host's login shell, once a command has reported it */
};

/* ---- for the connection ---- */

void channels_init(struct pool_channels *ch);
/* After each engine_step while the connection is READY: hands free channels out. Cheap when nobody
 * waits. What it starts is flushed by connection_flush. */
void channels_step(struct pool_connection *c);
/* What the anchor's opening took, which is three round trips: open, subsystem, version. */
void channels_measured(struct pool_connection *c, uint64_t anchor_ns);
/* In the tear-down, before engine_free (which ends the commands that have an exec): all who wait
 * are told. */
void channels_fail(struct pool_connection *c);
/* Whether commands wait, run or are being stopped on it. */
bool channels_busy(const struct pool_connection *c);

/* ---- between channels.c and channel_ahead.c ---- */

/* The channels that the host is believed to allow. */
uint32_t channels_limit(const struct pool_connection *c);
bool channels_usable(const struct pool_connection *c);
/* A command has got a channel. */
void channel_ahead_touch(struct pool_connection *c);
/* After each change: wants one, or none any more. */
void channel_ahead_step(struct pool_connection *c);

/* ---- for commands (command.c) ---- */

/* A command is going to come in a moment: a channel is opened for it, where there is room. */
void channels_expect(struct pool_connection *c);
/* Puts it at the end of its client's queue; when nobody else waits and a channel is free, its turn
 * comes at once, from within. SCOUT_E_POOL_FULL: too many wait. */
__attribute__((warn_unused_result)) int channels_wait(struct pool_connection *c,
                                                      struct channel_user *u);
/* Takes it out of the queue; nothing happens when it is not there. */
void channels_leave(struct pool_connection *c, struct channel_user *u);
/* The host has accepted its exec. */
void channels_opened(struct pool_connection *c, struct channel_user *u);
/* Whether commands get none here: the anchor has the only one. */
bool channels_none(const struct pool_connection *c);
/* The host has refused its channel: it waits again, where it was before; channels_step sends it
 * elsewhere when there is none for commands. False: it does not wait, since it was refused too
 * often while it was the only one. */
bool channels_refused(struct pool_connection *c, struct channel_user *u);
/* Its exec is over, or was abandoned. */
void channels_done(struct pool_connection *c, struct channel_user *u);

/* ---- for stops (stop.c) ---- */

/* Whether one is kept for killers, as far as is known. */
bool channels_keep_one(const struct pool_connection *c);
/* Whether a channel may be tried for a killer: the reserve, too. */
bool channels_admit_killer(const struct pool_connection *c);
void channels_killer_started(struct pool_connection *c);
void channels_killer_opened(struct pool_connection *c);
/* Ended, for whatever reason; `opened`: as it was told; `refused`: by the host, for want of a
 * channel. */
void channels_killer_done(struct pool_connection *c, bool opened, bool refused);

#endif
