/* A path says nothing about whose socket is there: between our start and our end somebody may have
 * removed our file and listen at the same place. */
#include "socket_file.h"

#include "scout/base/peer.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

bool socket_file_is_live(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int rc = fd < 0 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof address);
    bool live = fd < 0 || rc == 0 || errno != ECONNREFUSED;
    if (rc == 0 && peer_is_gone(fd))
        live = false;
    if (fd >= 0)
        close(fd);
    return live;
}

void socket_file_note(struct socket_file *f, const char *path)
{
    struct stat st;
    f->path[0] = '\0';
    if (lstat(path, &st) != 0)
        return;
    snprintf(f->path, sizeof f->path, "%s", path);
    f->device = st.st_dev;
    f->inode = st.st_ino;
}

void socket_file_remove(struct socket_file *f)
{
    struct stat st;
    if (f->path[0] && lstat(f->path, &st) == 0 && st.st_dev == f->device && st.st_ino == f->inode)
        unlink(f->path);
    f->path[0] = '\0';
}
