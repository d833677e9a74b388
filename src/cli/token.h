/* Tokens of the daemon (docs/wire.md, "Tokens"): showing one. */
#ifndef SCOUT_CLI_TOKEN_H
#define SCOUT_CLI_TOKEN_H

#include "scout/base/error.h"

#define TOKEN_LINE_MAX 256

/* Reads the token from the file at `path`, which must be closed to others, and writes the line that
 * shows it to the daemon into `line`. 0, or SCOUT_E_INVALID_ARGUMENT with *why. */
__attribute__((warn_unused_result)) int token_line(const char *path, char line[TOKEN_LINE_MAX],
                                                   struct failure *why);

#endif
