/* Keys that a place has once. Private to the settings. */
#ifndef SCOUT_DAEMON_SETTINGS_ONCE_H
#define SCOUT_DAEMON_SETTINGS_ONCE_H

#include <confuse.h>
#include <stdbool.h>

/* To be asked when a key with one value was read, once each time: false, with the error told, when
 * it was read in the same place before, where libConfuse takes the last value without a word. */
bool settings_once(cfg_t *cfg, cfg_opt_t *opt);

#endif
