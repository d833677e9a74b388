/* Who did what where, and what came of it: one record a call in `<state>/audit.log`, one JSON
 * object a line, each with the hash of the line before (docs/wire.md, "Audit log"). Policy says who
 * may; this says who did.
 *
 * A look is recorded when it ends, in the background. An effect is recorded twice: `begin` is on
 * the disk before the effect may start, `end` follows it. Contents, input and tokens are never
 * recorded; the words of a command are masked (audit_mask.c).
 *
 * When records cannot be written (no room, a failed disk), effects are refused with SCOUT_E_AUDIT
 * and looks go on; what was not recorded is counted, and a record `gap` has the count as soon as
 * one can be written again.
 *
 * Nothing here blocks the loop but audit_open: records gather and go out together on a helper
 * thread. */
#ifndef SCOUT_FLEET_AUDIT_H
#define SCOUT_FLEET_AUDIT_H

#include "scout/base/log.h"
#include "scout/fleet/policy.h"
#include "scout/io/io.h"

#define AUDIT_HOST_MAX 255 /* bytes of a host's name; a longer one is cut */

/* What a call is about, as far as it is known: kept by the call, as it would be recorded. */
struct audit_act {
    bool known;
    enum policy_verb verb;
    bool has_path, settled;
    char host[AUDIT_HOST_MAX + 1]; /* "": none */
    struct buf text;               /* members behind the verb: host, path, argv (masked) */
};

void audit_act_init(struct audit_act *act);
void audit_act_fini(struct audit_act *act);
/* Takes over what `request` says, unless it says less than is known: a weightier verb (in the order
 * of enum policy_verb) wins, then the host's own path before one that was asked for, then any. */
void audit_act_learn(struct audit_act *act, const struct policy_request *request);
/* Takes it over in any case. */
void audit_act_set(struct audit_act *act, const struct policy_request *request);

/* A call as its records have it. */
struct audit_call {
    uint64_t number; /* of audit_number */
    const struct identity *identity;
    const char *tool;
    const struct audit_act *act;
};

struct audit_outcome {
    int error;          /* SCOUT_OK, or how it failed */
    const char *stage;  /* NULL: none */
    const char *reason; /* what policy said; NULL: nothing */
    bool has_exit;      /* a command ended with `exit_status` */
    int exit_status;
    uint64_t bytes; /* of the answer */
    uint64_t duration_ns;
};

struct audit;
struct audit_wait;

/* 0: the record is on the disk. Else SCOUT_E_AUDIT. */
typedef void audit_fn(struct audit_wait *wait, int error);

/* Embedded in who waits; in use until `fn` came or audit_wait_cancel. */
struct audit_wait {
    struct list node;
    audit_fn *fn;
};

/* Opens or makes the file and reads its end; blocking, before the loop runs. `log` is borrowed. 0,
 * or a negative error with *why: then the daemon must not start. */
__attribute__((warn_unused_result)) int audit_open(struct audit **out, struct io *io,
                                                   const char *path, struct log *log,
                                                   struct failure *why);
/* Everything is written and on the disk (as far as that can be) when `on_closed` comes, never from
 * within this call. Nobody waits for a record any more. */
void audit_close(struct audit *a, void (*on_closed)(void *context), void *context);

/* The number of a new call: its records have it, counted from 1 since the start. */
uint64_t audit_number(struct audit *a);

/* Records that an effect begins. `fn` comes once, never from within this call. */
void audit_begin(struct audit *a, const struct audit_call *call, struct audit_wait *wait,
                 audit_fn *fn);
/* `fn` does not come any more. No effect on one that nobody waits for. */
void audit_wait_init(struct audit_wait *wait);
void audit_wait_cancel(struct audit_wait *wait);

/* Records how a call ended; `begun` says whether audit_begin was called for it. */
void audit_end(struct audit *a, const struct audit_call *call, const struct audit_outcome *outcome,
               bool begun);

/* Records what a person did through the control socket: `act` ("call_approved", ...), and pairs of
 * `const char *key, const char *value`, ended by NULL. A NULL value is left out. */
__attribute__((sentinel)) void audit_person(struct audit *a, const char *act, ...);

struct audit_stats {
    uint64_t records;   /* taken up */
    uint64_t lost;      /* never written, all in all */
    uint64_t writes;    /* that went to the file, each with many records */
    uint64_t syncs;     /* of them those that waited for the disk */
    size_t waiting_max; /* bytes that waited, at most */
    bool available;     /* false: effects are refused */
};
void audit_stats(const struct audit *a, struct audit_stats *out);

#endif
