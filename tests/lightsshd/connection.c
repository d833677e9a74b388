/* One client's connection.
 *
 *   WAITS --banner delay--> KEX --done--> OPEN
 *                            \--- --kex-stall, after the client's banner --> STALLED
 *   each: end of the connection, an error, or a fault that was asked for --> ENDED, then freed
 *
 * libssh is driven by ssh_message_get alone: it polls the socket once without waiting, decrypts,
 * and queues what the client asks for as messages, which are answered here and not in callbacks.
 * Only channel data comes by callback, and that copies bytes and calls nothing; so nothing here is
 * ever re-entered. libssh writes at most once and then waits until poll says that it may write
 * again: therefore the rounds, which end when nothing moves any more. Small packets of one step go
 * out together, as those of sshd do. */
#include "light.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GARBAGE_LEN    4096
#define STALL_FLUSH_MS 100

void connection_end(struct light_connection *c)
{
    struct light *s = c->server;
    if (c->stage == LIGHT_ENDED)
        return;
    c->stage = LIGHT_ENDED;
    ev_timer_stop(&s->loop, &c->timer);
    ev_unwatch(&s->loop, &c->watch);
    s->stats.connections_closed++;
    list_remove(&c->node);
    list_append(&s->dead, &c->node);
}

void connections_reap(struct light *s)
{
    struct list *node;
    while ((node = list_shift(&s->dead))) {
        struct light_connection *c = CONTAINER_OF(node, struct light_connection, node);
        requests_drop(c);
        while (!list_empty(&c->channels))
            light_channel_free(CONTAINER_OF(c->channels.next, struct light_channel, node));
        if (c->session) {
            ssh_silent_disconnect(c->session);
            ssh_free(c->session);
        }
        close(c->watch.fd);
        free(c);
    }
}

/* Reads and forgets; the end of the connection is noticed. */
static void drain(struct light_connection *c)
{
    uint8_t bytes[16384];
    ssize_t got = recv(c->watch.fd, bytes, sizeof bytes, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        connection_end(c);
}

static void send_garbage(struct light_connection *c)
{
    uint8_t bytes[GARBAGE_LEN];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    (void)!send(c->watch.fd, bytes, sizeof bytes, MSG_NOSIGNAL);
    c->stage = LIGHT_STALLED;
    ev_watch(&c->server->loop, &c->watch, EPOLLIN);
}

/* libssh takes a duplicate of the socket and sends its banner with the first step. What we watch is
 * ours: libssh closes its own whenever it likes, and a descriptor that is closed cannot be taken
 * out of the epoll set, where it stays while a process that was just forked has it open, too. */
static void begin(struct light_connection *c)
{
    struct light *s = c->server;
    if (s->options.garbage_banner) {
        send_garbage(c);
        return;
    }
    int fd = fcntl(c->watch.fd, F_DUPFD_CLOEXEC, 0);
    c->session = ssh_new();
    if (fd < 0 || !c->session || ssh_bind_accept_fd(s->bind, c->session, fd) != SSH_OK) {
        fprintf(stderr, "lightsshd: a connection: %s\n", ssh_get_error(s->bind));
        if (fd >= 0)
            close(fd);
        ssh_free(c->session);
        c->session = NULL;
        connection_end(c);
        return;
    }
    ssh_set_blocking(c->session, 0);
    c->stage = LIGHT_KEX;
    connection_step(c);
}

static void on_timer(struct ev_timer *t)
{
    begin(CONTAINER_OF(t, struct light_connection, timer));
}

static void on_event(struct ev_watch *w, uint32_t events)
{
    struct light_connection *c = CONTAINER_OF(w, struct light_connection, watch);
    if (c->stage == LIGHT_STALLED)
        drain(c);
    else if (c->stage == LIGHT_WAITS)
        connection_end(c); /* only a broken connection tells anything now */
    else
        connection_step(c);
    (void)events;
}

void connection_new(struct light *s, int fd)
{
    struct light_connection *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    c->server = s;
    c->watch = (struct ev_watch){.fd = fd, .fn = on_event};
    c->timer.fn = on_timer;
    list_init(&c->channels);
    list_init(&c->held);
    list_init(&c->node);
    list_append(&s->connections, &c->node);
    uint64_t now = ++s->stats.connections - s->stats.connections_closed;
    if (now > s->stats.connections_max)
        s->stats.connections_max = now;
    if (s->options.banner_delay_ms) {
        ev_watch(&s->loop, &c->watch, 0);
        ev_timer_at(&s->loop, &c->timer, ev_now(&s->loop) + s->options.banner_delay_ms * NS_PER_MS);
    } else {
        begin(c);
    }
}

/* Our own KEXINIT is on its way, and the client's next packet will not be read. */
static void stall(struct light_connection *c)
{
    ssh_blocking_flush(c->session, STALL_FLUSH_MS);
    c->stage = LIGHT_STALLED;
}

static void step_kex(struct light_connection *c)
{
    int done = ssh_handle_key_exchange(c->session);
    if (c->server->options.kex_stall && ssh_get_clientbanner(c->session)) {
        stall(c);
    } else if (done == SSH_OK) {
        c->stage = LIGHT_OPEN;
        c->progress = true;
    } else if (done == SSH_ERROR) {
        connection_end(c);
    }
}

/* Takes a message; channel data that comes on the way is in its channel. All of it was there when
 * the socket was read. */
static ssh_message take_message(struct light_connection *c)
{
    c->read_ns = ev_now(&c->server->loop);
    return ssh_message_get(c->session);
}

static void step_open(struct light_connection *c)
{
    ssh_message message;
    while (c->stage == LIGHT_OPEN && ssh_is_connected(c->session) && (message = take_message(c))) {
        c->progress = true;
        request_take(c, message);
    }
    for (struct list *n = c->channels.next, *next; n != &c->channels; n = next) {
        next = n->next;
        light_channel_pump(CONTAINER_OF(n, struct light_channel, node));
    }
}

bool connection_is_full(const struct light_connection *c)
{
    return ssh_get_poll_flags(c->session) & SSH_WRITE_PENDING;
}

void connection_cork(struct light_connection *c, bool corked)
{
    if (c->corked == corked)
        return;
    c->corked = corked;
    setsockopt(c->watch.fd, IPPROTO_TCP, TCP_CORK, &(int){corked}, sizeof(int));
}

/* Rounds, until nothing moves any more. */
static void go_on(struct light_connection *c)
{
    for (int i = 0; i < LIGHT_STEP_ROUNDS; i++) {
        c->progress = false;
        if (c->stage == LIGHT_KEX)
            step_kex(c);
        if (c->stage == LIGHT_OPEN)
            step_open(c);
        if (c->stage == LIGHT_ENDED)
            return;
        if (!ssh_is_connected(c->session)) {
            connection_end(c);
            return;
        }
        if (c->stage == LIGHT_STALLED || (!c->progress && !connection_is_full(c)))
            break;
    }
    bool writes = c->stage != LIGHT_STALLED && connection_is_full(c);
    ev_watch(&c->server->loop, &c->watch, EPOLLIN | (writes ? (uint32_t)EPOLLOUT : 0));
}

void connection_step(struct light_connection *c)
{
    connection_cork(c, c->stage == LIGHT_OPEN);
    go_on(c);
    connection_cork(c, false);
}
