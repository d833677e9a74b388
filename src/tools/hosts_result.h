/* How the list of hosts is written. Private to the layer. */
#ifndef SCOUT_TOOLS_HOSTS_RESULT_H
#define SCOUT_TOOLS_HOSTS_RESULT_H

#include "scout/base/json_write.h"
#include "scout/fleet/fleet.h"
#include "scout/fleet/host_groups.h"

struct hosts_result {
    struct fleet *fleet;
    const char *patterns;        /* that they match; "": all */
    size_t count;                /* of the hosts */
    const char *const *names;    /* one row each; NULL: there are too many, see the groups */
    const bool *online, *probed; /* of the rows; NULL: not probed */
    const struct host_group *groups;
    size_t groups_shown, group_count;
};

void hosts_result_write(struct json_writer *w, const void *context); /* struct hosts_result */

#endif
