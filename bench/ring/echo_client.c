/* The load client: an epoll loop that keeps one message in flight on every connection and checks
 * each answer in full.
 *
 * A message is the connection's number and a sequence number, then a pattern made from both, so
 * that an answer that is late, doubled, cut or another connection's is never taken for the right
 * one. The client is the same whoever serves: what differs between two runs is the server alone.
 * It measures throughput only; the latency of a closed loop is the connections over that. */
#include "echo.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORDS (ECHO_MESSAGE_SIZE / sizeof(uint64_t))

struct connection {
    int fd;
    bool in_flight;
    uint64_t sequence; /* of the last message sent; from 1 on */
    size_t received;   /* bytes of its answer */
    uint64_t message[WORDS];
};

struct echo_client {
    int epoll;
    unsigned in_flight;
    double answers;
    struct connection connections[ECHO_CONNECTIONS];
};

struct echo_client *echo_client_new(const int fds[ECHO_CONNECTIONS])
{
    struct echo_client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool good = client->epoll >= 0;
    for (size_t i = 0; good && i < ECHO_CONNECTIONS; i++) {
        struct connection *c = &client->connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        c->fd = fds[i];
        good = epoll_ctl(client->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
    }
    if (good)
        return client;
    perror("bench_ring: client");
    echo_client_free(client);
    return NULL;
}

void echo_client_free(struct echo_client *client)
{
    if (client->epoll >= 0)
        close(client->epoll);
    free(client);
}

static int complain(const struct echo_client *client, const struct connection *c, const char *what)
{
    fprintf(stderr, "bench_ring: connection %td, message %llu: %s\n", c - client->connections,
            (unsigned long long)c->sequence, what);
    return 1;
}

/* The finalizer of splitmix64: neighbouring numbers yield unlike patterns. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static int send_next(struct echo_client *client, struct connection *c)
{
    uint64_t id = (uint64_t)(c - client->connections) << 48 | ++c->sequence;
    c->message[0] = id;
    for (size_t i = 1; i < WORDS; i++)
        c->message[i] = mix(id + i * 0x9e3779b97f4a7c15u);
    c->received = 0;
    /* An empty socket always has room for one message: a short send is a failure, not a wait. */
    if (send(c->fd, c->message, ECHO_MESSAGE_SIZE, MSG_NOSIGNAL) != ECHO_MESSAGE_SIZE)
        return complain(client, c, "could not be sent");
    c->in_flight = true;
    client->in_flight++;
    return 0;
}

/* Takes what has come. Room for one message more lets a doubled answer be seen at once. */
static int take(struct echo_client *client, struct connection *c)
{
    uint8_t got[2 * ECHO_MESSAGE_SIZE];
    ssize_t len = recv(c->fd, got, sizeof got, 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (len <= 0)
        return complain(client, c, "the server closed the connection");
    if (!c->in_flight || (size_t)len > ECHO_MESSAGE_SIZE - c->received)
        return complain(client, c, "answered with more bytes than were sent");
    if (memcmp((const uint8_t *)c->message + c->received, got, (size_t)len) != 0)
        return complain(client, c, "wrong answer");
    c->received += (size_t)len;
    if (c->received == ECHO_MESSAGE_SIZE) {
        c->in_flight = false;
        client->in_flight--;
        client->answers++;
    }
    return 0;
}

/* Waits once and takes what came; with `go_on`, sends the next message behind each answer. */
static int pass(struct echo_client *client, bool go_on)
{
    struct epoll_event events[ECHO_CONNECTIONS];
    int count = epoll_wait(client->epoll, events, ECHO_CONNECTIONS, ECHO_STALL_MS);
    if (count == 0)
        fprintf(stderr, "bench_ring: no answer for %d ms, %u messages in flight\n", ECHO_STALL_MS,
                client->in_flight);
    if (count <= 0)
        return count < 0 && errno == EINTR ? 0 : 1;
    for (int i = 0; i < count; i++) {
        struct connection *c = events[i].data.ptr;
        if (take(client, c) != 0)
            return 1;
        if (go_on && !c->in_flight && send_next(client, c) != 0)
            return 1;
    }
    return 0;
}

static int drain(struct echo_client *client)
{
    while (client->in_flight > 0)
        if (pass(client, false) != 0)
            return 1;
    return 0;
}

static int send_all(struct echo_client *client)
{
    for (size_t i = 0; i < ECHO_CONNECTIONS; i++)
        if (send_next(client, &client->connections[i]) != 0)
            return 1;
    return 0;
}

int echo_client_start(struct echo_client *client)
{
    if (send_all(client) != 0 || drain(client) != 0)
        return 1;
    return send_all(client);
}

int echo_client_load(struct echo_client *client, double seconds, double *answers)
{
    double before = client->answers, end = bench_now_s() + seconds;
    while (bench_now_s() < end)
        if (pass(client, true) != 0)
            return 1;
    *answers = client->answers - before;
    return 0;
}

int echo_client_finish(struct echo_client *client)
{
    if (drain(client) != 0)
        return 1;
    /* Anything that is ready now is an extra byte or an end that nobody asked for. */
    struct epoll_event event;
    if (epoll_wait(client->epoll, &event, 1, 0) != 0)
        return complain(client, event.data.ptr, "more came behind its answer");
    return 0;
}
