/* Stream sockets in memory.
 *
 * A connection is two sockets that point at each other; what one sends is appended to the other's
 * `in`. A listener holds the connections that wait to be accepted, which have no descriptor yet.
 * A socket that goes ends its peer: with the end of file, or with a reset if it left bytes unread,
 * as the kernel does.
 *
 * Invariants: a.peer == b exactly when b.peer == a; no op is armed on a socket that is closed. */
#include "sim.h"

#include "scout/base/error.h"
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

struct sim_socket *sim_socket_get(const struct sim *sim, int fd)
{
    size_t i = (size_t)fd - SIM_FD_FIRST;
    assert(fd >= SIM_FD_FIRST && i < sim->socket_size && sim->sockets[i]);
    return sim->sockets[i];
}

static struct sim_socket *socket_new(void)
{
    struct sim_socket *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->fd = -1;
    list_init(&s->wakes);
    list_init(&s->waiting);
    list_init(&s->in_waiting);
    buf_init(&s->in, SIM_QUEUE_MAX);
    return s;
}

/* The lowest free number, as the kernel's: descriptors are used again at once. */
static int number(struct sim *sim, struct sim_socket *s)
{
    size_t i = sim->socket_free;
    while (i < sim->socket_size && sim->sockets[i])
        i++;
    if (i == SIM_SOCKETS_MAX)
        return -EMFILE;
    if (i == sim->socket_size) {
        size_t size = sim->socket_size ? 2 * sim->socket_size : 64;
        struct sim_socket **sockets = realloc(sim->sockets, size * sizeof(struct sim_socket *));
        if (!sockets)
            return -ENOMEM;
        memset(sockets + i, 0, (size - i) * sizeof(struct sim_socket *));
        sim->sockets = sockets;
        sim->socket_size = size;
    }
    sim->sockets[i] = s;
    sim->socket_free = i + 1;
    sim->socket_count++;
    return s->fd = SIM_FD_FIRST + (int)i;
}

int sim_socket(struct io *io, int family)
{
    struct sim_socket *s = socket_new();
    if (!s)
        return -ENOMEM;
    s->addr.ss_family = (sa_family_t)family;
    s->addr_len = sizeof s->addr.ss_family;
    int fd = number(sim_of(io), s);
    if (fd < 0)
        free(s);
    return fd;
}

int sim_bind(struct io *io, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct sim_socket *s = sim_socket_get(sim_of(io), fd);
    if (len > sizeof s->addr)
        return -EINVAL;
    memcpy(&s->addr, addr, len);
    s->addr_len = len;
    return 0;
}

/* ---- listening ---- */

static in_port_t *port_of(struct sockaddr_storage *addr)
{
    if (addr->ss_family == AF_INET)
        return &((struct sockaddr_in *)addr)->sin_port;
    if (addr->ss_family == AF_INET6)
        return &((struct sockaddr_in6 *)addr)->sin6_port;
    return NULL;
}

struct sim_socket *sim_socket_listener(const struct sim *sim, const void *addr, socklen_t len)
{
    for (size_t i = 0; i < sim->socket_size; i++) {
        struct sim_socket *s = sim->sockets[i];
        if (s && s->listening && s->addr_len == len && memcmp(&s->addr, addr, len) == 0)
            return s;
    }
    return NULL;
}

int sim_listen(struct io *io, const struct sockaddr *addr, socklen_t len, int backlog)
{
    struct sim *sim = sim_of(io);
    struct sockaddr_storage bound = {0};
    if (len > sizeof bound)
        return -EINVAL;
    memcpy(&bound, addr, len);
    in_port_t *port = port_of(&bound);
    if (port && *port == 0) {
        do
            *port = htons(sim->port_next++);
        while (sim_socket_listener(sim, &bound, len));
    }
    if (sim_socket_listener(sim, &bound, len))
        return -EADDRINUSE;
    int fd = sim_socket(io, addr->sa_family);
    if (fd < 0)
        return fd;
    struct sim_socket *s = sim_socket_get(sim, fd);
    s->addr = bound;
    s->addr_len = len;
    s->backlog = backlog > 0 ? backlog : 1;
    s->listening = true;
    return fd;
}

int sim_address(struct io *io, int fd, struct sockaddr_storage *addr, socklen_t *len)
{
    struct sim_socket *s = sim_socket_get(sim_of(io), fd);
    *addr = s->addr;
    *len = s->addr_len;
    return 0;
}

/* ---- connections ---- */

bool sim_socket_join(struct sim *sim, struct sim_socket *client, struct sim_socket *listener)
{
    struct sim_socket *server = socket_new();
    if (!server)
        return false;
    server->addr = listener->addr;
    server->addr_len = listener->addr_len;
    server->connected = client->connected = true;
    server->peer = client;
    client->peer = server;
    list_append(&listener->waiting, &server->in_waiting);
    listener->waiting_count++;
    sim_touch(sim, listener);
    sim_touch(sim, client);
    return true;
}

int sim_socket_accept(struct sim *sim, struct sim_socket *listener)
{
    struct sim_socket *s = CONTAINER_OF(listener->waiting.next, struct sim_socket, in_waiting);
    int fd = number(sim, s);
    if (fd >= 0) {
        list_remove(&s->in_waiting);
        listener->waiting_count--;
    }
    return fd;
}

static void part(struct sim *sim, struct sim_socket *s, bool reset)
{
    struct sim_socket *peer = s->peer;
    s->peer = NULL;
    s->in_ended = true;
    if (!peer)
        return;
    peer->peer = NULL;
    peer->in_ended = true;
    if (reset) {
        peer->reset = true;
        buf_clear(&peer->in);
    }
    sim_touch(sim, peer);
}

void sim_socket_reset(struct sim *sim, struct sim_socket *s)
{
    s->reset = true;
    buf_clear(&s->in);
    part(sim, s, true);
    sim_touch(sim, s);
}

void sim_tune(struct io *io, int fd)
{
    (void)sim_socket_get(sim_of(io), fd); /* is one of ours */
}

/* All of it is lost, which it may be. */
void sim_send_last(struct io *io, int fd, const void *data, size_t len)
{
    (void)sim_socket_get(sim_of(io), fd); /* is one of ours */
    (void)data, (void)len;
}

void sim_shutdown_send(struct io *io, int fd)
{
    struct sim *sim = sim_of(io);
    struct sim_socket *s = sim_socket_get(sim, fd);
    s->out_ended = true;
    if (s->peer) {
        s->peer->in_ended = true;
        sim_touch(sim, s->peer);
    }
    sim_touch(sim, s);
}

static void socket_free(struct sim *sim, struct sim_socket *s)
{
    assert(list_empty(&s->wakes));
    part(sim, s, buf_len(&s->in) > 0);
    buf_fini(&s->in);
    free(s);
}

void sim_close(struct io *io, int fd)
{
    struct sim *sim = sim_of(io);
    struct sim_socket *s = sim_socket_get(sim, fd);
    size_t i = (size_t)fd - SIM_FD_FIRST;
    sim->sockets[i] = NULL;
    sim->socket_count--;
    if (i < sim->socket_free)
        sim->socket_free = i;
    for (struct list *n = list_shift(&s->waiting); n; n = list_shift(&s->waiting)) {
        struct sim_socket *waiting = CONTAINER_OF(n, struct sim_socket, in_waiting);
        part(sim, waiting, true);
        socket_free(sim, waiting);
    }
    socket_free(sim, s);
}
