/* The hosts that a caller gets to see: those on which policy leaves it something to do. */
#ifndef SCOUT_TOOLS_HOST_LIST_H
#define SCOUT_TOOLS_HOST_LIST_H

#include "scout/fleet/fleet.h"
#include "scout/fleet/host_groups.h"
#include "scout/fleet/target.h"
#include "scout/tools/tool.h"

struct host_list {
    struct fleet *fleet;
    const char *patterns;          /* that they match; "": all */
    const struct slice *unmatched; /* of them those that none of the hosts matches */
    size_t unmatched_count;
    size_t count;                /* of the hosts */
    const char *const *names;    /* one row each; NULL: there are too many, see the groups */
    const bool *online, *probed; /* of the rows, for who probed them; NULL: not probed */
    bool too_many_to_list;       /* to be tried, which was asked for */
    bool too_many_to_try;        /* without being asked for */
    const struct host_group *groups;
    size_t groups_shown, group_count;
};

/* Whether any of `verbs` (POLICY_BIT) could be allowed on that host. */
bool tool_host_allows(struct tool_call *call, const char *name, uint32_t verbs);
/* Whether anything could be. */
bool tool_host_is_visible(struct tool_call *call, const char *name);

/* The visible hosts that `patterns` (of the kind TARGET_HOSTS, borrowed) match, in byte order; more
 * than `rows_max` are summed up by group. In the call's arena. 0 or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int host_list_make(struct host_list *h, struct tool_call *call,
                                                       const struct target *patterns,
                                                       size_t rows_max);

#endif
