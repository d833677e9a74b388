/* Claude Code's own command for its servers. */
#ifndef SCOUT_CLI_SETUP_CLAUDE_H
#define SCOUT_CLI_SETUP_CLAUDE_H

#include <stdbool.h>

/* Whether there is a `claude` in PATH. */
bool setup_claude_is_there(void);

/* Has it know our server `name` with `command` and `args` (NULL behind the last), for this user.
 * Prints what comes of it; with `print` only what would be run. Returns the exit status. */
int setup_claude(const char *name, const char *command, const char *const *args, bool print);

#endif
