/* Acts that wait for a person's word, and words that wait for their act.
 *
 *   (asked) --> WAITING --approve--> APPROVED --the same act again--> USED by one call --> gone
 *                  \---refuse, time---> gone   \---time---> gone
 *
 * An act is the same when identity, rule, verb, host, path and words are, byte for byte; it then
 * has the same id. A word is for one call; that call may ask as often as it wants. Pure: `now` is a
 * parameter. Nothing here is reachable from an agent's socket but asking. */
#ifndef SCOUT_FLEET_CONFIRMATIONS_H
#define SCOUT_FLEET_CONFIRMATIONS_H

#include "scout/base/error.h"
#include "scout/base/slice.h"
#include "scout/fleet/identity.h"
#include "scout/fleet/policy_verb.h"

#define CONFIRMATIONS_MAX      64 /* at a time; further acts are refused until some are decided */
#define CONFIRMATIONS_EACH_MAX 16 /* of one identity */
#define CONFIRMATION_ACT_MAX   16384         /* bytes of an act; a person could not judge more */
#define CONFIRMATION_ID_MAX    15            /* bytes of an id */
#define CONFIRMATION_TIME_NS   600000000000u /* to be approved, and then to be used */

struct confirmations;

struct confirmation_act {
    const struct identity *identity;
    const char *rule;
    enum policy_verb verb;
    const char *host; /* may be NULL */
    struct slice path;
    const char *const *argv;
    size_t argc;
    struct slice line, directory, input;
};

/* One that waits, for showing. Borrowed until the next call on the table. */
struct confirmation {
    const char *id, *identity, *rule, *host; /* host "" : none */
    enum policy_verb verb;
    struct slice path;    /* empty: none */
    struct slice command; /* the line; or the words, quoted as a shell would take them */
    struct slice directory, input;
    uint64_t asked_ns;
    bool approved;
};

/* `seed` makes the ids of one daemon differ from those of the one before it. NULL without memory.
 */
struct confirmations *confirmations_new(uint64_t seed);
void confirmations_free(struct confirmations *c);

/* A number for a call, never given twice. */
uint64_t confirmations_call(struct confirmations *c);

/* For policy: 0 when a person has said yes to this act, for `call`; else SCOUT_E_CONFIRMATION (the
 * act now waits; *why has its id), or SCOUT_E_POLICY (it cannot wait: too long, too many). */
__attribute__((warn_unused_result)) int confirmations_ask(struct confirmations *c,
                                                          const struct confirmation_act *act,
                                                          uint64_t call, uint64_t now_ns,
                                                          struct failure *why);

/* The call ended before anything that it was allowed began: its words wait for it again. */
void confirmations_give_back(struct confirmations *c, uint64_t call);

/* For a person. Those that wait or are approved and not used, oldest first: false at the end. */
bool confirmations_at(struct confirmations *c, uint32_t index, uint64_t now_ns,
                      struct confirmation *out);
/* 0, or SCOUT_E_NOT_FOUND with *why: no such id waits (any more). */
__attribute__((warn_unused_result)) int confirmations_approve(struct confirmations *c,
                                                              const char *id, uint64_t now_ns,
                                                              struct failure *why);
__attribute__((warn_unused_result)) int
confirmations_refuse(struct confirmations *c, const char *id, uint64_t now_ns, struct failure *why);

#endif
