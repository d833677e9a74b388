/* `scoutd --check-config`. */
#ifndef SCOUT_DAEMON_CHECK_H
#define SCOUT_DAEMON_CHECK_H

#include "configuration.h"

/* Reads the configuration as a start would, prints to stdout what is in effect and whence, and to
 * stderr what is wrong with variables. 0, or why the daemon would refuse to start. */
__attribute__((warn_unused_result)) int check_config(const struct configuration_source *source,
                                                     struct failure *why);

#endif
