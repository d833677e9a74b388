/* Which of the reference's errors about `beam` and its kin the arguments deserve. */
#ifndef SCOUT_TOOLS_SCOUT_BEAM_H
#define SCOUT_TOOLS_SCOUT_BEAM_H

#include "scout/base/error.h"

struct cJSON;

enum beam_asked { BEAM_NOT, BEAM_LOCAL, BEAM_BETWEEN };

/* Which kind of copy the arguments ask for, or a negative error with *why (reference A.2.3). */
int scout_beam_asked(const struct cJSON *args, struct failure *why);

#endif
