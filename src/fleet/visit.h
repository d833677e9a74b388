/* The life of one look at a host, whatever is looked at. Private to the layer.
 *
 *   ACQUIRE --> begin (SFTP) or begin_shell (no SFTP: one command) --> finish or fail --> deliver
 *      \-- once, when the connection was lost meanwhile: looking has no effect
 *
 * A visit is embedded in its owner. The owner's parts are told what to do; they never meet a
 * connection that is gone, and nothing of theirs is on a connection when `deliver` is called. */
#ifndef SCOUT_FLEET_VISIT_H
#define SCOUT_FLEET_VISIT_H

#include "scout/fleet/fleet.h"
#include "scout/fleet/holdings.h"
#include "scout/fleet/path_get.h"

/* So many requests in flight on a connection leave room for nobody to read ahead: the other half
 * is for those who have none in flight yet. */
#define VISIT_CROWDED (SFTP_IN_FLIGHT_MAX / 2)

struct visit;
struct buf;
struct command;

struct visit_parts {
    void (*begin)(struct visit *v);
    /* Ends in visit_run_line, or in a failure. */
    void (*begin_shell)(struct visit *v);
    /* What the command prints: 0: goes on; 1: no more is needed; negative: this is not what the
     * script prints. Nothing is fed after another result than 0. */
    int (*feed)(struct visit *v, struct slice data);
    /* No more comes; `status` of the command, 0 when it was not waited for. Ends the visit. */
    void (*fed)(struct visit *v, int status);
    /* Takes back every request, and closes every handle. */
    void (*take_back)(struct visit *v, struct sftp *s);
    /* As it was before begin. NULL: it always is, until it cannot begin again. */
    void (*reset)(struct visit *v);
    /* The deadline came: true when what there is will do as a result. NULL: it never does. */
    bool (*expire)(struct visit *v);
    /* Tells the result, or v->failure, and frees the owner (visit_fini). */
    void (*deliver)(struct visit *v);
};

struct visit {
    const struct visit_parts *parts;
    struct fleet *fleet;
    const struct ssh_host *host; /* the fleet's */
    const char *principal;       /* the caller's */
    uint64_t client, deadline_ns;
    uint64_t connected_ns; /* when it had its connection; 0: it had none */
    uint64_t idle_ns;      /* of visit_idle; 0: the deadline holds */
    uint64_t asking_ns;    /* since when the host answers nothing; 0: nothing is asked of it */
    const char *shown;     /* the path as the caller wrote it; the owner's */
    const char *path;      /* as the host gets it: a part of `shown`, or "." */
    struct failure failure;
    struct pool_use use;
    struct io_timer timer;
    struct io_task task;     /* delivers, or tries again */
    struct command *command; /* NULL: none, or it has ended */
    bool printed;            /* it has printed something */
    bool finished; /* nothing of it is on the connection any more; the task goes on with it */
    bool retried;
    struct holdings *holdings; /* NULL: what it holds is not counted */
    struct holding holding;
    void (*on_held)(struct visit *v);
};

/* Begins; the parts may be called from within, but never `deliver`. `shown` is the
 * path, not the request's, and has to live as long. */
void visit_start(struct visit *v, const struct visit_parts *parts, struct fleet *f,
                 const struct path_request *request, const char *shown);

/* Takes everything back: no part is called any more. Not after deliver. Frees nothing. */
void visit_cancel(struct visit *v);
/* The last step of an owner that was delivered or cancelled. */
void visit_fini(struct visit *v);

/* The SFTP client, NULL when the connection is gone. */
struct sftp *visit_sftp(const struct visit *v);

/* From now on there is no deadline: it ends when the host answers nothing for `idle_ns` while
 * something is asked of it. visit_moved tells that it answered, and whether more is asked. */
void visit_idle(struct visit *v, uint64_t idle_ns);
void visit_moved(struct visit *v, bool asking);

/* What it will hold in memory (holdings.h), at most. True: it may go on; false: it waits, and
 * `go_on` is called later, unless it has ended. What is small, or is not counted, may always. */
bool visit_hold(struct visit *v, uint64_t bytes, void (*go_on)(struct visit *v));
/* It holds more than was asked for: false when that is too much; then it has failed. */
bool visit_hold_more(struct visit *v, uint64_t bytes);

/* Runs one command (for the login shell, without effect) on the host: `feed` and `fed` follow.
 * `error` is what writing the line returned, `purpose` names it: "reads the file". Frees it. */
void visit_run_line(struct visit *v, struct buf *line, int error, const char *purpose);
/* The line as text, which lives in `line`; NULL: it could not be made, with which it has failed. */
const char *visit_line(struct visit *v, struct buf *line, int error, const char *purpose);

/* Ends it: the task delivers. What comes after the first end is ignored. */
void visit_finish(struct visit *v);
/* Each ends it with a failure, or, when the connection was lost, begins once again. `what` names
 * the step: "read", "list". */
void visit_fail(struct visit *v, int error, const char *text);
void visit_fail_as(struct visit *v, const struct failure *why);
void visit_fail_path(struct visit *v, int error);                    /* NOT_FOUND, PERMISSION */
void visit_fail_shown(struct visit *v, int error, const char *text); /* "PATH text" */
void visit_fail_reply(struct visit *v, const char *what, const struct sftp_reply *reply);
/* The command printed something else than its script does. */
void visit_fail_output(struct visit *v, int error);
/* A request that could not even be started. */
void visit_fail_start(struct visit *v, int error);

#endif
