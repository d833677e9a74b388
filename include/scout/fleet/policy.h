/* What who may do where. One engine decides, lists and describes: what it never allows is not
 * listed, and what it lists as read-only never gets an effect through.
 *
 * A decision is on structure (verb, host, path or words of a command, identity), never on
 * substrings of a shell line. In doubt it refuses. A refusal names the rule and what would pass. */
#ifndef SCOUT_FLEET_POLICY_H
#define SCOUT_FLEET_POLICY_H

#include "scout/base/error.h"
#include "scout/base/slice.h"
#include "scout/fleet/identity.h"

enum policy_verb {
    POLICY_HOSTS,    /* see the names of hosts and whether they answer */
    POLICY_STAT,     /* see what is known of a path */
    POLICY_LIST,     /* see the names below a path */
    POLICY_READ,     /* see a file's content */
    POLICY_QUERY,    /* run a command of the table of safe ones (query.h) */
    POLICY_RUN,      /* run any command */
    POLICY_WRITE,    /* change a file */
    POLICY_TRANSFER, /* copy files between a host and here, or between hosts */
    POLICY_VERB_COUNT
};

#define POLICY_BIT(verb) (1u << (verb))
#define POLICY_LOOKS                                                                               \
    (POLICY_BIT(POLICY_HOSTS) | POLICY_BIT(POLICY_STAT) | POLICY_BIT(POLICY_LIST) |                \
     POLICY_BIT(POLICY_READ) | POLICY_BIT(POLICY_QUERY))
#define POLICY_EFFECTS                                                                             \
    (POLICY_BIT(POLICY_RUN) | POLICY_BIT(POLICY_WRITE) | POLICY_BIT(POLICY_TRANSFER))

/* "hosts", "stat", ...: as rules and records have it. The number of a name, or -1. */
const char *policy_verb_name(enum policy_verb verb);
int policy_verb_parse(const char *name);

struct policy;

struct policy_request {
    const struct identity *identity;
    enum policy_verb verb;
    const char *host;        /* NULL for POLICY_HOSTS */
    struct slice path;       /* absolute and real where it is known; empty: not known yet */
    bool path_settled;       /* nothing more will be known of it: an empty one is not told by the
                                host, and every rule that depends on a path refuses */
    const char *const *argv; /* the words of a command, or NULL */
    size_t argc;
};

/* Without rules: the role decides. NULL without memory. */
struct policy *policy_new(void);
void policy_free(struct policy *p);

/* 0, or SCOUT_E_POLICY with *why. A path that is not known yet is refused only when no path would
 * pass: it has to be asked for again when it is known. */
__attribute__((warn_unused_result)) int
policy_check(const struct policy *p, const struct policy_request *request, struct failure *why);

/* Of `verbs` (POLICY_BIT) those that some request of the identity could be allowed. */
uint32_t policy_possible(const struct policy *p, const struct identity *identity, uint32_t verbs);

#endif
