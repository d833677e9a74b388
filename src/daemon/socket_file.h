/* The file of a listening Unix socket: whether somebody listens on one, and taking ours away. */
#ifndef SCOUT_DAEMON_SOCKET_FILE_H
#define SCOUT_DAEMON_SOCKET_FILE_H

#include "scout/base/paths.h"
#include <sys/types.h>

struct socket_file {
    char path[PATHS_SOCKET_SIZE]; /* "": none */
    dev_t device;
    ino_t inode;
};

/* Whether somebody accepts connections at `path`; in doubt, yes. Blocking, but not for long. */
bool socket_file_is_live(const char *path);

/* Remembers the file at `path`, which was just made. */
void socket_file_note(struct socket_file *f, const char *path);
/* Removes it, unless another one has taken its place. While the socket is open: its file's number
 * is then nobody else's. */
void socket_file_remove(struct socket_file *f);

#endif
