/* Parts of the fleet for others of the layer. */
#ifndef SCOUT_FLEET_PRIVATE_H
#define SCOUT_FLEET_PRIVATE_H

#include "scout/fleet/fleet.h"

/* NULL without memory. */
struct kept_files *fleet_kept_files(struct fleet *f);

#endif
