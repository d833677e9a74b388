/* The script that resolves paths where there is no SFTP, and the reading of what it prints. Pure.
 * Private to the layer. */
#ifndef SCOUT_FLEET_REAL_SCRIPT_H
#define SCOUT_FLEET_REAL_SCRIPT_H

#include "scout/base/buf.h"

/* A function for scripts of this kind: r becomes the real path of $1, newlines at its end included;
 * it fails when there is no readlink -f or the path does not resolve. A path through /proc/self is
 * told as such: the readlink whose folder it would be is gone. */
#define REAL_SCRIPT_FUNCTION                                                                       \
    "f() { r=$(readlink -fn \"$1\" 2>/dev/null && printf x) || return 1; r=${r%x}; "               \
    "case $r in /proc/[0-9]*/*) x=${r#/proc/}; "                                                   \
    "[ -e \"/proc/${x%%/*}\" ] || r=/proc/self/${x#*/};; esac; }; "

/* The line for any login shell, for a directory; then each path, relative to it or absolute. 0,
 * SCOUT_E_LIMIT or SCOUT_E_NOMEM. */
__attribute__((warn_unused_result)) int real_script_begin(struct buf *line, const char *directory);
__attribute__((warn_unused_result)) int real_script_path(struct buf *line, const char *path);

enum real_script_kind {
    REAL_SCRIPT_NOTHING,   /* this is not what the script prints */
    REAL_SCRIPT_MISSING,   /* there is no such directory, or it may not be entered */
    REAL_SCRIPT_OTHER,     /* it is no directory */
    REAL_SCRIPT_UNABLE,    /* the host cannot resolve paths */
    REAL_SCRIPT_DIRECTORY, /* the real paths follow, the directory's first */
};

/* Takes the begin of the whole reply; then each path of it (empty, when it does not resolve) with a
 * letter for what is there: f(ile), d(irectory), b(lock device), o(ther), n(othing). False: there
 * is none. */
enum real_script_kind real_script_kind(struct slice *reply);
bool real_script_next(struct slice *reply, uint8_t *letter, struct slice *path);

#endif
