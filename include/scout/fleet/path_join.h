/* A path below a directory, by its spelling alone. Pure. */
#ifndef SCOUT_FLEET_PATH_JOIN_H
#define SCOUT_FLEET_PATH_JOIN_H

#include "scout/base/json.h"

/* `path`, when it is relative below `directory` (absolute): absolute, without `.`, `..` and empty
 * parts. In the arena; NULL when that is full. */
const char *path_join(struct arena *a, const char *directory, const char *path);

#endif
