/* What cut-off copies left at hosts to be gone on with, and temporary files that could not be
 * removed in time: each is removed when nobody has gone on with it for KEPT_FILES_TIME_S. What is
 * still listed when the fleet ends (the daemon's end, a reload) stays where it is, until the same
 * copy is made again. Private to the layer. */
#ifndef SCOUT_FLEET_KEPT_FILES_H
#define SCOUT_FLEET_KEPT_FILES_H

#include "scout/fleet/fleet.h"

#define KEPT_FILES_MAX    256
#define KEPT_FILES_TIME_S 3600

struct kept_files;

/* Lists the file, or begins its time anew. One that cannot be listed stays. `host` is the fleet's.
 */
void kept_files_add(struct fleet *f, const struct ssh_host *host, const char *principal,
                    const char *path);

/* For the fleet: NULL without memory; frees also what is under way. */
struct kept_files *kept_files_new(struct fleet *f);
void kept_files_free(struct kept_files *k);

#endif
