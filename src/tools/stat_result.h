/* What the tool `stat` tells, as text and as structured content. Private to the layer. */
#ifndef SCOUT_TOOLS_STAT_RESULT_H
#define SCOUT_TOOLS_STAT_RESULT_H

#include "scout/base/json_write.h"
#include "scout/fleet/path_stat.h"

struct stat_answer {
    const char *host, *path;
    const struct stat_result *result;
};

void stat_answer_write(struct json_writer *w, const void *context); /* struct stat_answer */

#endif
