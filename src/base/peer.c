/* SO_PEERCRED of a connected Unix socket names the process that called listen (unix(7)). In doubt
 * (another process namespace shows it as 0) it counts as there. */
#include "scout/base/peer.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

bool peer_is_gone(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0 &&
           kill(peer.pid, 0) != 0 && errno == ESRCH;
}
