/* How the list of hosts is written. Private to the layer. */
#ifndef SCOUT_TOOLS_HOSTS_RESULT_H
#define SCOUT_TOOLS_HOSTS_RESULT_H

#include "scout/base/json_write.h"
#include "scout/tools/host_list.h"

void hosts_result_write(struct json_writer *w, const void *context); /* struct host_list */

#endif
