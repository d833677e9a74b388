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

/* `below` of the root, for reading and as a value. */
void walk_path_text(struct json_writer *w, struct json_text_parts *parts, const char *root,
                    struct slice below);
void walk_path_write(struct json_writer *w, const char *root, struct slice below);
/* What is missing: a line each, without a newline at the end; and as members. `what` there are. */
void walk_notices_text(struct json_writer *w, struct json_text_parts *parts,
                       const struct walk_result *r, const char *what);
void walk_notices_write(struct json_writer *w, const struct walk_result *r);

void find_answer_write(struct json_writer *w, const void *context); /* struct walk_answer */
void tree_answer_write(struct json_writer *w, const void *context); /* struct walk_answer */

#endif
