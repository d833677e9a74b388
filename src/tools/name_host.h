/* Whose failure it was, for calls that have two hosts. */
#ifndef SCOUT_TOOLS_NAME_HOST_H
#define SCOUT_TOOLS_NAME_HOST_H

#include "scout/base/error.h"

/* `why` with the host's name behind it, in `out`, where its text does not tell that already; the
 * one that holds is returned. */
const struct failure *name_host(struct failure *out, const struct failure *why, const char *host);

#endif
