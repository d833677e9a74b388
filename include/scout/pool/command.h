/* A command on a host: a place on a connection, a channel of it, the run, and the end.
 *
 *   QUEUED --connection--> CHANNEL --opened--> RUNNING --exit, all output--> ended
 *      \                      \                   \--stop or deadline--> STOPPING --> ended
 *       \______________________\__ refused, lost: once again on another connection, when nothing
 *                                  was sent that could have had an effect; else ended
 *
 * One deadline holds over everything, and the answer comes by then: a sixth of the time that a
 * command has when it begins, two seconds at most, is kept for stopping it. One that outlives the
 * rest (or is stopped) is stopped at the host: its process group, which it reported out of band, is
 * killed over a channel kept in reserve (SIGTERM, a second and a half, SIGKILL). The result says in
 * which of these ways it ended; when the deadline comes before the host has confirmed the end, it
 * says that, and the stop goes on behind the answer for up to COMMAND_STOP_MS.
 *
 * A host that allows one session on a connection (MaxSessions 1), which SFTP has, gets a second
 * connection, for commands, which run one after the other there. Where so few channels are allowed
 * that none is kept in reserve (fewer than three), the stop goes over a connection of its own; when
 * that cannot be had in time (max_connections), the stop is unconfirmed. All of them count against
 * max_connections, are evicted and closed when idle like any other, and there are never more than
 * these three: a queue that moves slowly is no reason for another.
 *
 * A command on a warm connection takes two round trips, open and exec; one where the round trip is
 * long and a command came a moment ago, since a channel is then kept open for the next.
 *
 * The report is printed by a short prefix of the command line, in the same login shell: stdin,
 * environment, status and signal are the command's own. What has left the group (setsid, daemons)
 * is neither stopped nor seen. For hosts that take no shell line there is `as_is`. */
#ifndef SCOUT_POOL_COMMAND_H
#define SCOUT_POOL_COMMAND_H

#include "scout/pool/pool.h"
#include "scout/ssh/engine.h"

#define COMMAND_STOP_MS 5000 /* a stop is confirmed or given up within this time */
/* Bytes of a command: with the prefix it has to fit into one packet (EXEC_COMMAND_MAX). */
#define COMMAND_TEXT_MAX (30u * 1024u)

enum command_end {
    COMMAND_EXITED,           /* by itself: status, or signal */
    COMMAND_FAILED,           /* it was never started, or the connection was lost: failure */
    COMMAND_STOPPED,          /* stopped, and no process of its group is left */
    COMMAND_STOP_UNCONFIRMED, /* stopped as far as possible; processes may still run at the host */
};

struct command_result {
    enum command_end end;
    struct failure failure; /* not for COMMAND_EXITED; stage: queued, resolving, connecting,
                               handshake, authenticating, channel, running, draining (it had exited,
                               but the end of its output had not come); its error is
                               SCOUT_E_DEADLINE or SCOUT_E_CANCELLED for the two stops */
    bool may_have_run;      /* the request may have reached the host */
    bool has_status;
    int status;
    char signal[16];
};

struct command;

struct command_events {
    void (*on_started)(void *context); /* may be NULL */
    /* Borrowed for the call. The out-of-band report never shows here. */
    void (*on_output)(void *context, bool is_stderr, struct slice data);
    void (*on_drain)(void *context); /* all input so far is in the channel; may be NULL */
    /* Exactly once, last; never from within a call on the command. */
    void (*on_end)(void *context, const struct command_result *result);
};

struct command_request {
    const struct ssh_host *host; /* copied */
    const char *principal;       /* as for pool_acquire */
    uint64_t client;             /* channels are shared out fairly between clients */
    const char *command;         /* for the login shell; copied */
    uint64_t deadline_ns;        /* absolute; on_end comes by then */
    uint64_t begin_by_ns; /* absolute: it has its channel by then, or fails; 0: by deadline_ns */
    bool has_input;       /* command_write follows; else stdin is at its end at once */
    bool repeatable;      /* has no effect: may be tried again even after it was sent */
    bool as_is; /* sent without the report of its process group (forced commands, routers): it can
                   be abandoned, not stopped */
};

/* A command for that host is going to be started in a moment, unless something speaks against it.
 * Where there is a connection, a channel is opened meanwhile; nothing is asked of the host but
 * that, and it is closed again when no command comes. */
void command_expect(struct pool *p, const struct ssh_host *host, const char *principal);

/* 0 and *out, or SCOUT_E_NOMEM, _LIMIT (command too long), _POOL_FULL, _SHUTTING_DOWN with *why. */
__attribute__((warn_unused_result)) int command_start(struct pool *p,
                                                      const struct command_request *request,
                                                      const struct command_events *events,
                                                      void *context, struct command **out,
                                                      struct failure *why);

/* Appends to its stdin, also while it still waits. 0, or SCOUT_E_LIMIT over EXEC_INPUT_MAX (wait
 * for on_drain), SCOUT_E_NOMEM. What comes after it was stopped is dropped. */
__attribute__((warn_unused_result)) int command_write(struct command *c, struct slice data);
/* Its stdin ends after what was written. Not twice, and nothing is written afterwards. */
void command_end_input(struct command *c);
/* While paused no output is delivered; the host's command waits when the window is full. */
void command_pause(struct command *c, bool paused);

/* Stops it at the host; on_end follows, within COMMAND_STOP_MS and by the deadline. */
void command_stop(struct command *c);
/* Stops it likewise, but nobody is told: no event comes any more. */
void command_abandon(struct command *c);

#endif
