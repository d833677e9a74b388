/* The key `redact` of the configuration file: patterns of what is a secret besides the built-in
 * kinds. Private to settings.c. */
#ifndef SCOUT_DAEMON_SETTINGS_REDACT_H
#define SCOUT_DAEMON_SETTINGS_REDACT_H

#include "settings.h"
#include <confuse.h>

#define SETTINGS_REDACT_OPTIONS 1

/* The entry of the options' table. */
void settings_redact_options(cfg_opt_t options[SETTINGS_REDACT_OPTIONS]);

/* Has what is wrong said while the line is known. */
void settings_redact_watch(cfg_t *cfg);

/* Takes the patterns of a file that was read and found right. */
void settings_redact_take(struct settings_redact *out, cfg_t *cfg);

#endif
