/* Running the commands of Match exec, where the key match_exec allows it: for the reading of the
 * configuration only, never on the loop. */
#ifndef SCOUT_DAEMON_MATCH_EXEC_H
#define SCOUT_DAEMON_MATCH_EXEC_H

#include "scout/base/error.h"

#define MATCH_EXEC_TIMEOUT_MS 10000 /* of one command; then it is killed */

/* Runs it as OpenSSH does: by the user's SHELL, or /bin/sh, with nothing on its stdin and its
 * stdout thrown away. 1: it exited with 0. 0: with something else. SCOUT_E_DEADLINE: it took too
 * long. SCOUT_E_PERMISSION: there is no shell that may be run (the daemon shuts itself in at its
 * start). SCOUT_E_INTERNAL: it ended otherwise. */
int match_exec_run(const char *command);

#endif
