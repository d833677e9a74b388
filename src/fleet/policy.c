/* The decision: what the role of an identity allows. */
#include "scout/fleet/policy.h"

#include <stdlib.h>
#include <string.h>

struct policy {
    size_t rule_count;
};

static const char *const names[POLICY_VERB_COUNT] = {
    [POLICY_HOSTS] = "hosts", [POLICY_STAT] = "stat",         [POLICY_LIST] = "list",
    [POLICY_READ] = "read",   [POLICY_QUERY] = "query",       [POLICY_RUN] = "run",
    [POLICY_WRITE] = "write", [POLICY_TRANSFER] = "transfer",
};

const char *policy_verb_name(enum policy_verb verb)
{
    return names[verb];
}

int policy_verb_parse(const char *name)
{
    for (int i = 0; i < POLICY_VERB_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

struct policy *policy_new(void)
{
    return calloc(1, sizeof(struct policy));
}

void policy_free(struct policy *p)
{
    free(p);
}

uint32_t policy_possible(const struct policy *p, const struct identity *identity, uint32_t verbs)
{
    (void)p;
    return verbs & (POLICY_LOOKS | (identity->role == ROLE_OPERATOR ? POLICY_EFFECTS : 0));
}

int policy_check(const struct policy *p, const struct policy_request *request, struct failure *why)
{
    if (policy_possible(p, request->identity, POLICY_BIT(request->verb)))
        return 0;
    return failure_set(why, SCOUT_E_POLICY, "The role reader may not %s: the role operator may",
                       names[request->verb]);
}
