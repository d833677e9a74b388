/* Listeners: each named address, or many loopback addresses on one port; see light.h.
 *
 * With --accept-delay-ms a listener with arrivals is left alone for that long, then all of them are
 * taken: what a client sees is a connection that the kernel took and the server did not. */
#include "light.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BACKLOG       1024
#define ACCEPTS       16 /* at one time */
#define PORT_TRIES    64
#define ADDRESS_FIRST 0x7f090001u /* 127.9.0.1 */

struct light_listener {
    struct light *server;
    struct ev_watch watch;
    struct ev_timer timer;
};

static void die(const char *what, const char *which)
{
    fprintf(stderr, "lightsshd: %s %s: %s\n", what, which, strerror(errno));
    exit(1);
}

static void accept_some(struct light_listener *l)
{
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = accept4(l->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        connection_new(l->server, fd);
    }
}

static void on_timer(struct ev_timer *t)
{
    struct light_listener *l = CONTAINER_OF(t, struct light_listener, timer);
    accept_some(l);
    ev_watch(&l->server->loop, &l->watch, EPOLLIN);
}

static void on_readable(struct ev_watch *w, uint32_t events)
{
    struct light_listener *l = CONTAINER_OF(w, struct light_listener, watch);
    struct light *s = l->server;
    (void)events;
    if (!s->options.accept_delay_ms) {
        accept_some(l);
        return;
    }
    ev_watch(&s->loop, w, 0);
    ev_timer_at(&s->loop, &l->timer, s->loop.now_ns + s->options.accept_delay_ms * NS_PER_MS);
}

/* A listening descriptor, or -1. */
static int open_listener(struct sockaddr_in *a)
{
    socklen_t len = sizeof *a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)a, sizeof *a) == 0 && listen(fd, BACKLOG) == 0 &&
        getsockname(fd, (struct sockaddr *)a, &len) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void add(struct light *s, int fd)
{
    struct light_listener *l = &s->listeners[s->listener_count++];
    *l = (struct light_listener){.server = s, .watch = {.fd = fd, .fn = on_readable}};
    l->timer.fn = on_timer;
    ev_watch(&s->loop, &l->watch, EPOLLIN);
}

static void listen_named(struct light *s, const char *text)
{
    char host[64];
    unsigned port;
    struct sockaddr_in a = {.sin_family = AF_INET};
    errno = EINVAL;
    if (sscanf(text, "%63[^:]:%u", host, &port) != 2 || port > 65535 ||
        inet_pton(AF_INET, host, &a.sin_addr) != 1)
        die("wrong address", text);
    a.sin_port = htons((uint16_t)port);
    int fd = open_listener(&a);
    if (fd < 0)
        die("cannot listen on", text);
    add(s, fd);
}

/* One port for all of them: the first takes any, and all start anew when another has it. */
static bool listen_many(struct light *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->options.port)};
    size_t begin = s->listener_count;
    for (uint32_t i = 0; i < s->options.addresses; i++) {
        a.sin_addr.s_addr = htonl(ADDRESS_FIRST + i + i / 254 * 2); /* .1 to .254 */
        int fd = open_listener(&a);
        if (fd >= 0) {
            add(s, fd);
            continue;
        }
        int error = errno;
        while (s->listener_count > begin) {
            struct light_listener *l = &s->listeners[--s->listener_count];
            ev_unwatch(&s->loop, &l->watch);
            close(l->watch.fd);
        }
        errno = error;
        return false;
    }
    return true;
}

/* The address, and its line of known_hosts when asked for. */
static void print(const struct light *s, const struct light_listener *l, const char *key)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    char host[INET_ADDRSTRLEN];
    getsockname(l->watch.fd, (struct sockaddr *)&a, &len);
    inet_ntop(AF_INET, &a.sin_addr, host, sizeof host);
    printf("listening %s %u\n", host, ntohs(a.sin_port));
    if (s->options.print_known_hosts)
        printf("known_hosts [%s]:%u ssh-ed25519 %s\n", host, ntohs(a.sin_port), key);
}

void light_listen(struct light *s)
{
    const struct light_options *o = &s->options;
    s->listeners = calloc(o->listen_count + o->addresses, sizeof *s->listeners);
    char *key = NULL;
    if (!s->listeners || ssh_pki_export_pubkey_base64(s->host_key, &key) != SSH_OK)
        die("out of memory", "");
    for (size_t i = 0; i < o->listen_count; i++)
        listen_named(s, o->listen[i]);
    for (int try = 0; o->addresses && !listen_many(s); try++)
        if (errno != EADDRINUSE || o->port || try == PORT_TRIES)
            die("cannot listen on", "127.9.0.1 and the following");
    for (size_t i = 0; i < s->listener_count; i++)
        print(s, &s->listeners[i], key);
    ssh_string_free_char(key);
    printf("ready\n");
    fflush(stdout);
}

void light_listen_end(struct light *s)
{
    for (size_t i = 0; i < s->listener_count; i++) {
        ev_timer_stop(&s->loop, &s->listeners[i].timer);
        ev_unwatch(&s->loop, &s->listeners[i].watch);
        close(s->listeners[i].watch.fd);
    }
    free(s->listeners);
}
