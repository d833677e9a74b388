/* Reading ssh configuration files for the parser, which opens nothing itself. Blocking: for the
 * start only. */
#ifndef SCOUT_DAEMON_SSH_FILES_H
#define SCOUT_DAEMON_SSH_FILES_H

#include "scout/ssh/ssh_config.h"

#define SSH_FILES_SIZE_MAX (16u * 1024u * 1024u)

/* An ssh_config_read_fn: `pattern` may be a glob; its matches are taken in lexical order. */
int ssh_files_read(void *context, const char *pattern,
                   int (*take)(void *, const char *path, struct slice text), void *take_context);

#endif
