/* What the tool `glob` tells, as text and as structured content. Private to the layer. */
#ifndef SCOUT_TOOLS_GLOB_RESULT_H
#define SCOUT_TOOLS_GLOB_RESULT_H

#include "scout/base/json_write.h"
#include "scout/fleet/path_walk.h"

struct glob_answer {
    const char *host, *path, *pattern;
    const struct walk_result *walk;
    const struct walk_entry *const *found; /* those that are shown, in their order */
    size_t count;
    bool more; /* there are others */
};

void glob_answer_write(struct json_writer *w, const void *context); /* struct glob_answer */

#endif
