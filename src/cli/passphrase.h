/* A passphrase from the terminal, or from a descriptor. */
#ifndef SCOUT_CLI_PASSPHRASE_H
#define SCOUT_CLI_PASSPHRASE_H

#include "scout/base/error.h"
#include <stdbool.h>

#define PASSPHRASE_MAX 1024 /* bytes, as ssh-keygen's */

/* Prints `prompt` on the controlling terminal and reads a line there, unseen without `echo`, into
 * `out` (PASSPHRASE_MAX + 1 bytes), which the caller wipes. Never reads standard input. Returns its
 * length (0: nothing was typed), or a negative error with *why: no terminal, too long, not UTF-8,
 * end of input. The terminal is as it was afterwards, also when a signal ends or stops the process.
 */
__attribute__((warn_unused_result)) int passphrase_ask(const char *prompt, bool echo, char *out,
                                                       struct failure *why);

/* One line from the descriptor `fd`, which is no terminal and is closed; programs that are started
 * meanwhile do not have it. What stands behind the line is left there. Otherwise as passphrase_ask;
 * nothing before the end of the line is an error, too. */
__attribute__((warn_unused_result)) int passphrase_read(int fd, char *out, struct failure *why);

#endif
