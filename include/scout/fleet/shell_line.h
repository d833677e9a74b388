/* Words and directories as parts of a command line for a login shell, whichever that is: sh, bash,
 * dash, zsh, ksh, busybox, fish or csh. Pure.
 *
 * Single quotes do not mean the same to all of them: csh ends them at a newline, and looks for `!`
 * within; fish takes a backslash in them for an escape. So a script between quotes has to do
 * without newline, `'`, `!` and a backslash before a quote. */
#ifndef SCOUT_FLEET_SHELL_LINE_H
#define SCOUT_FLEET_SHELL_LINE_H

#include "scout/base/buf.h"

/* Of all: 0, or SCOUT_E_LIMIT / SCOUT_E_NOMEM with part of it appended. Text is without NUL. */

/* Appends `text` for between single quotes, as escapes that `printf %b` of a POSIX shell takes
 * back. */
__attribute__((warn_unused_result)) int shell_line_escape(struct buf *out, const char *text);

/* Appends `cd PATH`. `~` first stands for the directory that the login begins in, as do relative
 * paths; no path is taken for an option or looked for in CDPATH. In csh a path with a newline is a
 * syntax error. */
__attribute__((warn_unused_result)) int shell_line_cd(struct buf *out, const char *path);

/* What the login shell becomes: sh, which does `before`, changes to the directory, and becomes the
 * command. */
struct shell_exec {
    const char *before;       /* script, ends with a separator; "": nothing */
    const char *directory;    /* as for shell_line_cd; NULL: where the login begins */
    const char *const *words; /* the command, which no shell looks at; the first one has to be no
                                 option: it must not begin with `-` */
    size_t count;
    const char *redirect; /* script behind the command; "": nothing */
};

/* Appends the line. A directory that cannot be entered ends it with a message on stderr and a
 * status other than 0, and nothing is run. */
__attribute__((warn_unused_result)) int shell_line_exec(struct buf *out,
                                                        const struct shell_exec *e);

#endif
