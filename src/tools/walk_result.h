/* What `find` and `tree` found, written as text and as structured content. Private to the layer. */
#ifndef SCOUT_TOOLS_WALK_RESULT_H
#define SCOUT_TOOLS_WALK_RESULT_H

#include "scout/base/json_write.h"
#include "scout/fleet/path_walk.h"

struct walk_answer {
    const char *host, *path; /* as they were asked for */
    const char *pattern;     /* NULL: a tree */
    const struct walk_result *result;
};

void find_answer_write(struct json_writer *w, const void *context); /* struct walk_answer */
void tree_answer_write(struct json_writer *w, const void *context); /* struct walk_answer */

#endif
