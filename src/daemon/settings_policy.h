/* The part of the configuration file that is policy: `rule` sections and `read_deny`
 * (docs/policy.md). Private to settings.c. */
#ifndef SCOUT_DAEMON_SETTINGS_POLICY_H
#define SCOUT_DAEMON_SETTINGS_POLICY_H

#include "scout/fleet/policy.h"
#include <confuse.h>

#define SETTINGS_RULE_OPTIONS   7 /* the keys of a rule, and the end */
#define SETTINGS_POLICY_OPTIONS 2
#define SETTINGS_DENY_DEFAULT   "default"

/* The entries of the options' table; `keys` is for the keys of a rule, and lives until cfg_init. */
void settings_policy_options(cfg_opt_t options[SETTINGS_POLICY_OPTIONS],
                             cfg_opt_t keys[SETTINGS_RULE_OPTIONS]);

/* Has what is wrong said while the line is known. */
void settings_policy_watch(cfg_t *cfg);

/* The policy of a file that was read; NULL with *why. */
struct policy *settings_policy_make(cfg_t *cfg, struct failure *why);

#endif
