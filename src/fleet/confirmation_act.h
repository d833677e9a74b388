/* What a person is asked about. Private to the fleet layer. */
#ifndef SCOUT_FLEET_CONFIRMATION_ACT_H
#define SCOUT_FLEET_CONFIRMATION_ACT_H

#include "scout/base/buf.h"
#include "scout/fleet/confirmations.h"

/* Appends all that makes it this act. 0, or the buffer's error. */
int confirmation_act_write(const struct confirmation_act *act, struct buf *out);

/* The line; or the words, quoted as a shell would take them. To be freed; NULL without memory. */
char *confirmation_act_command(const struct confirmation_act *act);

#endif
