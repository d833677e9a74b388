/* Many host names, summed up: web1 to web40 are `web[1-40]`. Pure.
 *
 * Names that differ in one number are a group: the last number before the first dot (web1.lan and
 * web2.lan are `web[1-2].lan`). Names without a number there are grouped by what stands up to their
 * first `-`, `_` or `.`. What is alone in its group is shown by its name. */
#ifndef SCOUT_FLEET_HOST_GROUPS_H
#define SCOUT_FLEET_HOST_GROUPS_H

#include "scout/base/slice.h"

#define HOST_GROUP_NAME_MAX 320 /* bytes, NUL included: a name has at most 253, a longer is cut */

struct host_group {
    char name[HOST_GROUP_NAME_MAX];    /* as people write it: "web[1-40]" */
    char pattern[HOST_GROUP_NAME_MAX]; /* what all of them match: "web*" */
    size_t count;
};

/* Groups of `names`: the largest `max` of them into `out`, the largest first. Returns how many
 * groups there are in all, or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) long host_groups(const char *const *names, size_t count,
                                                     struct host_group *out, size_t max);

/* Whether `group` is the name of such a group, with its numbers, and `name` a host of it, in any
 * case. */
bool host_group_has(struct slice group, const char *name);

#endif
