/* The besieger is a process of its own, so that what it costs is not the good client's. It works in
 * steps: each slow connection sends one byte, or is opened again. */
#include "siege.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char whole[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char endless[] = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Padding: ";

static int fail(const char *what)
{
    fprintf(stderr, "siege: %s: %s\n", what, strerror(errno));
    return -1;
}

static int open_one(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int open_idle(uint16_t port)
{
    char answer[4096];
    int fd = open_one(port);
    if (fd < 0)
        return fail("an idle connection");
    if (send(fd, whole, sizeof whole - 1, MSG_NOSIGNAL) != (ssize_t)sizeof whole - 1 ||
        recv(fd, answer, sizeof answer, 0) <= 0)
        return fail("an idle connection has no answer");
    return fd;
}

/* Whether all of them are still open: none has anything to read. */
static int count_closed(const int *fds, unsigned long count)
{
    int closed = 0;
    for (unsigned long i = 0; i < count; i++) {
        char byte;
        closed += recv(fds[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0 || errno != EAGAIN;
    }
    return closed;
}

static void step(uint16_t port, int *fds, unsigned *sent, unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        const char *byte = sent[i] < sizeof endless - 1 ? &endless[sent[i]] : "x";
        sent[i]++;
        if (fds[i] >= 0 && send(fds[i], byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
            continue;
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = open_one(port);
        sent[i] = 0;
    }
}

/* Ends when its input does. */
static int besiege(uint16_t port, unsigned long idle, unsigned long slow, int input, int ready)
{
    int *idles = calloc(idle + 1, sizeof *idles), *slows = calloc(slow + 1, sizeof *slows);
    unsigned *sent = calloc(slow + 1, sizeof *sent);
    struct rlimit files;
    struct pollfd end = {.fd = input, .events = POLLIN};
    if (!idles || !slows || !sent || getrlimit(RLIMIT_NOFILE, &files) != 0)
        return fail("memory");
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    for (unsigned long i = 0; i < idle; i++)
        if ((idles[i] = open_idle(port)) < 0)
            return -1;
    for (unsigned long i = 0; i < slow; i++)
        slows[i] = -1;
    step(port, slows, sent, slow);
    if (write(ready, "r", 1) != 1)
        return -1;
    while (poll(&end, 1, SIEGE_STEP_MS) == 0)
        step(port, slows, sent, slow);
    int closed = count_closed(idles, idle);
    if (closed > 0)
        fprintf(stderr, "siege: %d of %lu idle connections were closed\n", closed, idle);
    return closed > 0 ? -1 : 0;
}

int siege_begin(struct siege *s, uint16_t port, unsigned long idle, unsigned long slow)
{
    int input[2], ready[2];
    char byte;
    if (pipe(input) != 0 || pipe(ready) != 0 || (s->pid = fork()) < 0)
        return fail("cannot start");
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(input[1]);
        close(ready[0]);
        _exit(besiege(port, idle, slow, input[0], ready[1]) ? 1 : 0);
    }
    close(input[0]);
    close(ready[1]);
    s->told = input[1];
    ssize_t got = read(ready[0], &byte, 1);
    close(ready[0]);
    return got == 1 ? 0 : -1;
}

int siege_end(struct siege *s)
{
    int status;
    close(s->told);
    return waitpid(s->pid, &status, 0) == s->pid && status == 0 ? 0 : -1;
}
