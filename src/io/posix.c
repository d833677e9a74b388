/* Sockets are made and closed by plain system calls: none of these waits (a socket without
 * SO_LINGER is closed at once), so there is nothing to gain from the ring. */
#include "posix.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

int posix_socket(struct io *io, int family)
{
    (void)io;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

/* Without IP_BIND_ADDRESS_NO_PORT, bind would take a port at once, which then serves one peer only.
 */
int posix_bind(struct io *io, int fd, const struct sockaddr *addr, socklen_t len)
{
    int one = 1;
    (void)io;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one); /* IPv6, too */
    return bind(fd, addr, len) < 0 ? -errno : 0;
}

static int bind_and_listen(int fd, const struct sockaddr *addr, socklen_t len, int backlog)
{
    int one = 1;
    if (addr->sa_family != AF_UNIX &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0)
        return -errno;
    if (bind(fd, addr, len) < 0 || listen(fd, backlog) < 0)
        return -errno;
    return 0;
}

int posix_listen(struct io *io, const struct sockaddr *addr, socklen_t len, int backlog)
{
    int fd = posix_socket(io, addr->sa_family);
    if (fd < 0)
        return fd;
    int error = bind_and_listen(fd, addr, len, backlog);
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

int posix_address(struct io *io, int fd, struct sockaddr_storage *addr, socklen_t *len)
{
    (void)io;
    *len = sizeof *addr;
    return getsockname(fd, (struct sockaddr *)addr, len) < 0 ? -errno : 0;
}

void posix_tune(struct io *io, int fd)
{
    (void)io;
    int one = 1;
    unsigned timeout_ms = IO_PEER_TIMEOUT_MS;
    /* A Unix socket refuses these, and works without. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

void posix_shutdown_send(struct io *io, int fd)
{
    (void)io;
    (void)shutdown(fd, SHUT_WR); /* fails only where the peer is gone already */
}

void posix_send_last(struct io *io, int fd, const void *data, size_t len)
{
    (void)io;
    (void)!send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void posix_close(struct io *io, int fd)
{
    (void)io;
    int error = close(fd);
    assert(error == 0 || errno != EBADF); /* somebody else closed what this file owns */
}
