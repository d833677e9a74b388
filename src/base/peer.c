/* SO_PEERCRED of a connected Unix socket names the process that called listen (unix(7)). A
 * descriptor of it tells whether that process has ended, also while its parent has not asked yet.
 * In doubt (another process namespace shows it as 0, there is no descriptor left) it counts as
 * there. */
#include "scout/base/peer.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

bool peer_is_gone(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || peer.pid <= 0)
        return false;
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, peer.pid, 0u), .events = POLLIN};
    if (ended.fd < 0)
        return errno == ESRCH;
    bool gone = poll(&ended, 1, 0) == 1;
    close(ended.fd);
    return gone;
}
