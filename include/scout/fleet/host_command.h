/* One command of a call on a host, with what it printed kept up to a cap.
 *
 * It is stopped at the host when its stdout outgrows the cap (nobody would see the rest), when it
 * has run for longer than it may, and when its caller wants no more of it. Of stderr what is over
 * the cap is dropped. One that is followed is not stopped for what it prints: its follower gets all
 * of it, and what is kept ends at the cap. In whichever way it ends, what it printed until then is
 * in the result. One that prints much has to wait, paused, while other calls of its client hold too
 * much (holdings.h).
 */
#ifndef SCOUT_FLEET_HOST_COMMAND_H
#define SCOUT_FLEET_HOST_COMMAND_H

#include "scout/fleet/fleet.h"
#include "scout/fleet/holdings.h"
#include "scout/pool/command.h"

#define HOST_COMMAND_STDERR_MAX (64u * 1024u) /* bytes of stderr that are kept */

enum host_command_stop {
    HOST_COMMAND_UNSTOPPED, /* it ended by itself, or failed */
    HOST_COMMAND_OUTPUT,    /* its stdout has more than stdout_max bytes */
    HOST_COMMAND_TIME,      /* it ran for longer than run_max_ns, or its deadline came */
    HOST_COMMAND_CALLER,    /* host_command_stop */
};

struct host_command_request {
    const struct ssh_host *host;
    const char *principal;
    uint64_t client;
    const char *line;          /* for the login shell; copied */
    bool has_input;            /* else its stdin is at its end at once */
    struct slice input;        /* its stdin; borrowed until on_end */
    size_t stdout_max;         /* bytes that are kept */
    uint64_t run_max_ns;       /* from when it began; 0: until the deadline */
    uint64_t deadline_ns;      /* absolute, over all */
    uint64_t begin_by_ns;      /* absolute: it begins by then, or fails; 0: by deadline_ns */
    bool repeatable;           /* has no effect (pool/command.h) */
    struct holdings *holdings; /* that what is kept counts in (holdings.h); NULL: in none */
};

/* All is borrowed until on_end returns. */
struct host_command_result {
    const struct command_result *command; /* how it ended */
    enum host_command_stop stop;          /* why it was stopped */
    struct slice out, err;
    bool out_truncated, err_truncated;
    uint64_t run_ns; /* since it began; 0: it never did */
};

/* SCOUT_OK when it ended by itself, whatever its status; else why it failed or was stopped. */
int host_command_error(const struct host_command_result *result);

struct host_command;

struct host_command_events {
    void (*on_started)(void *context);
    void (*on_output)(void *context, uint64_t bytes); /* so many so far, stdout and stderr */
    /* Exactly once, last; never from within a call on the command. */
    void (*on_end)(void *context, const struct host_command_result *result);
};

/* One is going to be started in a moment, unless something speaks against it: what can be made
 * ready without any effect is (command_expect). */
void host_command_expect(struct fleet *f, const struct ssh_host *host, const char *principal);

/* NULL with *why when it cannot begin (on_end does not come). */
__attribute__((warn_unused_result)) struct host_command *
host_command_start(struct fleet *f, const struct host_command_request *request,
                   const struct host_command_events *events, void *context, struct failure *why);

typedef void host_command_data_fn(void *context, bool is_stderr, struct slice data);

/* Tells what it has printed so far, first of its stdout, then of its stderr; and from now on all
 * that it prints, as it comes, in front of on_output. `context` is that of the events. */
void host_command_follow(struct host_command *h, host_command_data_fn *on_data);

/* While held back it prints nothing; for its follower. */
void host_command_hold_back(struct host_command *h, bool held);
/* Stops it at the host; on_end follows. */
void host_command_stop(struct host_command *h);
/* Stops it likewise, but nobody is told: no event comes any more. Not from within its events. */
void host_command_abandon(struct host_command *h);

#endif
