/* One connection through the proxy: two sockets, a way in each direction.
 *
 *   a client comes --> connecting to the server --> both open --each way ended and shut--> ended
 *   an error on one side, `reset`, --reset-after: both sides end with a reset
 *
 * With --half-open there is no second socket, and nothing is ever read. */
#include "proxy.h"

#include "scout/base/container.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void close_side(struct side *s, bool reset)
{
    if (s->watch.fd < 0)
        return;
    if (reset)
        setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
                   sizeof(struct linger));
    ev_unwatch(&s->pair->proxy->loop, &s->watch);
    close(s->watch.fd);
    s->watch.fd = -1;
}

static void end(struct pair *pair, bool reset)
{
    struct proxy *p = pair->proxy;
    if (pair->ended)
        return;
    pair->ended = true;
    for (int i = 0; i < WAYS; i++) {
        close_side(&pair->sides[i], reset);
        ev_timer_stop(&p->loop, &pair->ways[i].timer);
    }
    p->open--;
    list_remove(&pair->node);
    list_append(&p->dead, &pair->node);
}

void pair_reset(struct pair *pair)
{
    end(pair, true);
}

void pairs_reap(struct proxy *p)
{
    struct list *node;
    while ((node = list_shift(&p->dead))) {
        struct pair *pair = CONTAINER_OF(node, struct pair, node);
        for (int i = 0; i < WAYS; i++)
            way_fini(&pair->ways[i]);
        free(pair);
    }
}

static void update_side(struct pair *pair, int index)
{
    struct side *s = &pair->sides[index];
    const struct way *in = &pair->ways[index], *out = &pair->ways[!index];
    uint32_t events = 0;
    if (s->watch.fd < 0)
        return;
    if (s->connecting || out->blocked)
        events |= EPOLLOUT;
    if (!s->connecting && !pair->proxy->options.half_open && way_wants_input(in))
        events |= EPOLLIN;
    if (events)
        ev_watch(&pair->proxy->loop, &s->watch, events);
    else
        ev_unwatch(&pair->proxy->loop, &s->watch); /* not even its end is of interest */
}

void pair_update(struct pair *pair)
{
    if (!pair->ended && pair->ways[UP].shut && pair->ways[DOWN].shut)
        end(pair, false);
    for (int i = 0; i < WAYS; i++)
        update_side(pair, i);
}

static void on_connected(struct side *s)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
    s->connecting = false;
    if (error)
        pair_reset(s->pair);
    else
        way_write(&s->pair->ways[UP]);
}

static void on_event(struct ev_watch *w, uint32_t events)
{
    struct side *s = CONTAINER_OF(w, struct side, watch);
    struct pair *pair = s->pair;
    if (s->connecting) {
        on_connected(s);
        return;
    }
    if (events & EPOLLOUT)
        way_write(&pair->ways[!s->index]);
    if (!pair->ended && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) && (w->events & EPOLLIN))
        way_read(&pair->ways[s->index]);
    else if (!pair->ended && (events & EPOLLERR))
        pair_reset(pair);
}

static int connect_to(const struct sockaddr_in *to)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

static void set_side(struct pair *pair, int index, int fd, bool connecting)
{
    pair->sides[index] = (struct side){.watch = {.fd = fd, .fn = on_event},
                                       .pair = pair,
                                       .index = index,
                                       .connecting = connecting};
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

void pair_new(struct proxy *p, int fd)
{
    struct pair *pair = calloc(1, sizeof *pair);
    if (!pair) {
        close(fd);
        return;
    }
    int server = p->options.half_open ? -1 : connect_to(&p->options.to);
    pair->proxy = p;
    list_init(&pair->node);
    list_append(&p->pairs, &pair->node);
    p->open++;
    p->counts.connections++;
    set_side(pair, UP, fd, false);
    set_side(pair, DOWN, server, true);
    for (int i = 0; i < WAYS; i++)
        way_init(&pair->ways[i], pair, i);
    if (server < 0 && !p->options.half_open)
        pair_reset(pair);
    else
        pair_update(pair);
}
