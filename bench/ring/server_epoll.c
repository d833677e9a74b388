/* The echo server on plain epoll: level-triggered, one recv and one send per ready connection.
 *
 * It is what a careful program without io_uring does, and no less: the answer is tried at once, so
 * that the writability of a socket is only asked for when the kernel did not take all; up to 256
 * events come with one wait, as many as our loop takes in a pass; epoll_ctl is called only when the
 * interest changes, which one message in flight never brings about.
 *
 * A peer that ends or breaks the rule costs its connection; the server ends after the last one. */
#include "echo.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_PER_WAIT 256

struct connection {
    int fd;
    uint32_t interest;
    size_t filled; /* bytes in `buffer` that are not sent yet */
    uint8_t buffer[ECHO_ROOM];
};

struct server {
    int epoll;
    unsigned open;
    struct connection connections[ECHO_CONNECTIONS];
};

static bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* False when the connection has ended; so in the next one. */
static bool receive(struct connection *c)
{
    if (c->filled == sizeof c->buffer)
        return true;
    ssize_t got = recv(c->fd, c->buffer + c->filled, sizeof c->buffer - c->filled, 0);
    if (got <= 0)
        return got < 0 && would_block();
    c->filled += (size_t)got;
    return true;
}

static bool answer(struct connection *c)
{
    if (c->filled == 0)
        return true;
    ssize_t sent = send(c->fd, c->buffer, c->filled, MSG_NOSIGNAL);
    if (sent < 0)
        return would_block();
    c->filled -= (size_t)sent;
    if (c->filled > 0)
        memmove(c->buffer, c->buffer + sent, c->filled);
    return true;
}

static bool set_interest(const struct server *s, struct connection *c)
{
    uint32_t interest = c->filled < sizeof c->buffer ? EPOLLIN : 0;
    if (c->filled > 0)
        interest |= EPOLLOUT;
    if (interest == c->interest)
        return true;
    struct epoll_event event = {.events = interest, .data.ptr = c};
    c->interest = interest;
    return epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &event) == 0;
}

static void on_ready(struct server *s, struct connection *c, uint32_t events)
{
    bool goes_on = true;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        goes_on = receive(c);
    if (goes_on && answer(c) && set_interest(s, c))
        return;
    close(c->fd);
    s->open--;
}

static bool add_all(struct server *s, const int fds[ECHO_CONNECTIONS])
{
    for (; s->open < ECHO_CONNECTIONS; s->open++) {
        struct connection *c = &s->connections[s->open];
        *c = (struct connection){.fd = fds[s->open], .interest = EPOLLIN};
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
            return false;
    }
    return true;
}

static int serve(struct server *s)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    while (s->open > 0) {
        int count = epoll_wait(s->epoll, events, EVENTS_PER_WAIT, -1);
        if (count < 0 && errno != EINTR)
            return 1;
        for (int i = 0; i < count; i++)
            on_ready(s, events[i].data.ptr, events[i].events);
    }
    return 0;
}

int echo_serve_epoll(const int fds[ECHO_CONNECTIONS])
{
    int status = 1;
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return 1;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll >= 0 && add_all(s, fds))
        status = serve(s);
    if (status != 0)
        perror("bench_ring: epoll");
    if (s->epoll >= 0)
        close(s->epoll);
    free(s);
    return status;
}
