/* Reading ssh configuration files for the parser, which opens nothing itself. Blocking: never on
 * the loop. */
#ifndef SCOUT_DAEMON_SSH_FILES_H
#define SCOUT_DAEMON_SSH_FILES_H

#include "scout/ssh/ssh_config.h"

#define SSH_FILES_SIZE_MAX (16u * 1024u * 1024u)

/* What a reading is told, and tells. */
struct ssh_files {
    const char *named;    /* the file that was named to us, whoever may write to it; NULL: none */
    bool refused;         /* a file was not taken, since others may write to it: `path` */
    bool exec_impossible; /* a command of Match exec could not be started at all */
    char path[SSH_CONFIG_PATH_MAX];
};

/* An ssh_config_read_fn with a struct ssh_files as context: `pattern` may be a glob; its matches
 * are taken in lexical order. As with ssh, files that belong to others than root and us, or that
 * anybody may write to, are refused with SCOUT_E_PERMISSION. */
int ssh_files_read(void *context, const char *pattern,
                   int (*take)(void *, const char *path, struct slice text), void *take_context);

#endif
