/* What `docker compose ls --format json` prints. Private to the layer. Pure but for its arena. */
#ifndef SCOUT_RESOURCES_COMPOSE_PROJECTS_H
#define SCOUT_RESOURCES_COMPOSE_PROJECTS_H

#include "scout/base/json.h"

struct compose_project {
    const char *name, *status, *files; /* files: with commas between them; "" where not told */
};

/* The words that print it, NULL at the end. */
extern const char *const compose_list_words[];

/* The projects in `text`, in the arena, which they live as long as. Nothing (*count 0) where it is
 * no such text. */
const struct compose_project *compose_projects_read(struct slice text, struct arena *a,
                                                    size_t *count);

#endif
