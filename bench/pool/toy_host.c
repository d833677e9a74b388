/* A child with a ring of its own and the toy server on it; see toy_host.h. */
#include "toy_host.h"

#include "scout/io/io.h"
#include "scripted.h"
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURN_NS 100000000u

struct child {
    struct io *io;
    struct toy_server *servers[TOY_HOSTS_MAX];
    struct io_file control;
    struct io_op op;
    uint32_t closed;
    bool ends;
};

const char *toy_host_address(uint32_t number, char out[INET_ADDRSTRLEN])
{
    snprintf(out, INET_ADDRSTRLEN, "127.0.0.%u", number % TOY_HOSTS_MAX + 1);
    return out;
}

static void on_control(struct io_op *op, struct io_event event)
{
    struct child *c = CONTAINER_OF(op, struct child, op);
    (void)event;
    c->ends = true;
}

static void on_closed(void *context)
{
    ((struct child *)context)->closed++;
}

/* All at one port, which the first is given. */
static uint64_t listen_all(struct child *c, uint32_t count, const struct toy_config *config)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char text[INET_ADDRSTRLEN];
    for (uint32_t i = 0; i < count; i++) {
        inet_pton(AF_INET, toy_host_address(i, text), &a.sin_addr);
        if (toy_server_listen(&c->servers[i], c->io, (struct sockaddr *)&a, sizeof a, config) !=
            0) {
            fprintf(stderr, "bench_pool: no toy server\n");
            _exit(1);
        }
        a.sin_port = htons((uint16_t)toy_server_port(c->servers[0]));
    }
    return toy_server_port(c->servers[0]);
}

static void serve(int control, int answers, uint32_t count, uint64_t delay_ns)
{
    char why[256] = "";
    struct child c = {0};
    const struct io_ring_config ring = {0};
    const struct toy_config config = {.connect_delay_ns = delay_ns, .seed = 1};
    if (io_ring_open(&c.io, &ring, why, sizeof why) != 0) {
        fprintf(stderr, "bench_pool: no toy server: %s\n", why);
        _exit(1);
    }
    uint64_t number = listen_all(&c, count, &config);
    io_file_adopt(c.io, &c.control, control);
    io_poll(&c.control, &c.op, POLLIN, on_control);
    (void)!write(answers, &number, sizeof number);
    while (!c.ends)
        io_run_once(c.io, TURN_NS);
    number = 0;
    for (uint32_t i = 0; i < count; i++)
        number += toy_server_stats(c.servers[i])->accepted;
    (void)!write(answers, &number, sizeof number);
    for (uint32_t i = 0; i < count; i++)
        toy_server_close(c.servers[i], on_closed, &c);
    io_close(&c.control, NULL);
    while (c.closed < count || io_files_open(c.io) > 0)
        io_run_once(c.io, TURN_NS);
    io_free(c.io);
}

int toy_host_start(struct toy_host *t, uint32_t count, uint64_t delay_ns)
{
    int control[2], answers[2];
    uint64_t port;
    if (pipe(control) != 0 || pipe(answers) != 0) {
        perror("bench_pool: pipe");
        return -1;
    }
    fflush(NULL);
    *t = (struct toy_host){fork(), control[1], answers[0], 0};
    if (t->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(control[1]);
        close(answers[0]);
        serve(control[0], answers[1], count < TOY_HOSTS_MAX ? count : TOY_HOSTS_MAX, delay_ns);
        _exit(0);
    }
    close(control[0]);
    close(answers[1]);
    if (t->pid < 0 || read(t->answers, &port, sizeof port) != (ssize_t)sizeof port)
        return -1;
    t->port = (uint16_t)port;
    return 0;
}

int64_t toy_host_end(struct toy_host *t)
{
    uint64_t accepted;
    int status = 1;
    close(t->control);
    bool told = read(t->answers, &accepted, sizeof accepted) == (ssize_t)sizeof accepted;
    close(t->answers);
    waitpid(t->pid, &status, 0);
    return told && status == 0 ? (int64_t)accepted : -1;
}
