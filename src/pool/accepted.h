/* Which keys may be offered by their type. Pure. Private to the layer. */
#ifndef SCOUT_POOL_ACCEPTED_H
#define SCOUT_POOL_ACCEPTED_H

#include "scout/base/slice.h"
#include <stdbool.h>

/* Whether the value of PubkeyAcceptedAlgorithms (NULL: not set) lets a key be offered whose blob
 * begins with `type`. */
bool accepted_has(const char *said, struct slice type);

#endif
