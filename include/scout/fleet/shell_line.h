/* Words and directories as parts of a command line for a login shell. Pure.
 *
 * What is written means the same in sh, bash, dash, zsh, ksh, busybox, fish and csh, whichever of
 * them the login shell is: a word stays one word, and nothing in it is looked at. One exception: in
 * csh a word with a newline is a syntax error, so that nothing runs. */
#ifndef SCOUT_FLEET_SHELL_LINE_H
#define SCOUT_FLEET_SHELL_LINE_H

#include "scout/base/buf.h"

/* Appends `word` (without NUL) quoted. 0, or SCOUT_E_LIMIT / SCOUT_E_NOMEM with part of it
 * appended. */
__attribute__((warn_unused_result)) int shell_line_word(struct buf *out, struct slice word);

/* Appends `cd PATH`. `~` first stands for the directory that the login begins in, as do relative
 * paths; no path is taken for an option or looked for in CDPATH. */
__attribute__((warn_unused_result)) int shell_line_cd(struct buf *out, const char *path);

#endif
