/* The verbs of policy: what a call may want of a host. */
#ifndef SCOUT_FLEET_POLICY_VERB_H
#define SCOUT_FLEET_POLICY_VERB_H

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

#endif
