/* The line that an SFTP server sends with a name. Private to the layer; pure. */
#ifndef SCOUT_FLEET_LONGNAME_H
#define SCOUT_FLEET_LONGNAME_H

#include "scout/fleet/path_get.h"

/* Fills in owner, group, date and link_count of `e` (whose name is set) as far as `longname` tells
 * them in the form that is usual; what it does not tell is left alone. Slices are into `longname`.
 */
void longname_parse(struct slice longname, struct path_entry *e);

#endif
