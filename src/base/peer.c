/* SO_PEERCRED of a connected Unix socket names the process that called listen (unix(7)). In doubt
 * (another process namespace shows it as 0) it counts as there. */
#include "scout/base/peer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Whether the process has ended and only waits for its parent to ask (proc(5), "stat"). */
static bool is_zombie(pid_t pid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end && strncmp(name_end, ") Z", 3) == 0;
}

bool peer_is_gone(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || peer.pid <= 0)
        return false;
    return (kill(peer.pid, 0) != 0 && errno == ESRCH) || is_zombie(peer.pid);
}
