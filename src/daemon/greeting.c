/* Receiving descriptors: one recvmsg for each client, before its stream begins.
 *
 * The control buffer has room for HANDED_LINES_MAX descriptors; the kernel closes what is over it
 * by itself and says so. Whatever the client sent is looked at, not believed: a file, a listening
 * socket, a TCP connection is closed at once. */
#include "greeting.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

static bool is_connected_socket(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    return option_of(fd, SO_DOMAIN) == AF_UNIX && option_of(fd, SO_TYPE) == SOCK_STREAM &&
           getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

/* Whether `fd` leads to where `socket` was accepted. A client's own end, held here, would keep the
 * client for ever. */
static bool leads_here(int fd, int socket)
{
    struct sockaddr_un peer = {0}, here = {0};
    socklen_t peer_len = sizeof peer, here_len = sizeof here;
    return getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 &&
           getsockname(socket, (struct sockaddr *)&here, &here_len) == 0 && peer_len == here_len &&
           peer_len > offsetof(struct sockaddr_un, sun_path) && memcmp(&peer, &here, peer_len) == 0;
}

static void take_descriptors(const struct cmsghdr *c, int socket, struct greeting *out)
{
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
        bool is_socket = is_connected_socket(fd);
        if (out->fd_count < HANDED_LINES_MAX && is_socket && !leads_here(fd, socket)) {
            out->fds[out->fd_count++] = fd;
            continue;
        }
        out->refused = is_socket ? "a descriptor leads to this daemon"
                                 : "a descriptor was no connected Unix stream socket";
        close(fd);
    }
}

void greeting_take(int socket, struct greeting *out)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof out->fds)];
    } control;
    struct iovec part = {out->bytes, sizeof out->bytes};
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    out->len = out->fd_count = 0;
    out->refused = NULL;
    ssize_t got = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0)
        return;
    out->len = (size_t)got;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            take_descriptors(c, socket, out);
    if (msg.msg_flags & MSG_CTRUNC)
        out->refused = "there were more descriptors than are taken";
}
