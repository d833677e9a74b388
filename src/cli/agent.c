/* The agent hand-over of docs/wire.md: connected sockets as SCM_RIGHTS, with the token's line where
 * there is one, else with one line feed, since descriptors travel with at least one byte, and an
 * empty line means nothing to the MCP session.
 *
 * The daemon gets sockets and no path: it could not open the path as another user, and a forwarded
 * agent's path is gone with its ssh. An agent that does not take connections at once is left out,
 * because nobody should wait for it who may not need it. */
#include "agent.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void send_descriptors(int sock, const int *fds, unsigned count, const char *first)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(AGENT_LINES_MAX * sizeof(int))];
    } control = {.bytes = {0}};
    struct iovec part = {(void *)(uintptr_t)first, strlen(first)};
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = (unsigned)CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = (unsigned)CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    /* The socket is new and empty, so it fits; a daemon that has gone is found by whoever asks. */
    (void)!sendmsg(sock, &msg, MSG_NOSIGNAL);
}

void agent_hand_over(int sock, const char *path, unsigned lines, const char *first)
{
    int fds[AGENT_LINES_MAX];
    unsigned count = 0;
    while (path && path[0] && count < lines && (fds[count] = connect_to(path)) >= 0)
        count++;
    if (count > 0)
        send_descriptors(sock, fds, count, first[0] ? first : "\n");
    else if (first[0])
        (void)!send(sock, first, strlen(first), MSG_NOSIGNAL);
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
}
