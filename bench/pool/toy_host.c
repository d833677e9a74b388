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
    struct toy_server *server;
    struct io_file control;
    struct io_op op;
    bool ends, closed;
};

static void on_control(struct io_op *op, struct io_event event)
{
    struct child *c = CONTAINER_OF(op, struct child, op);
    (void)event;
    c->ends = true;
}

static void on_closed(void *context)
{
    ((struct child *)context)->closed = true;
}

static void serve(int control, int answers, uint64_t delay_ns)
{
    char why[256] = "";
    struct child c = {0};
    struct sockaddr_in a = {.sin_family = AF_INET};
    const struct io_ring_config ring = {0};
    const struct toy_config config = {.connect_delay_ns = delay_ns, .seed = 1};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (io_ring_open(&c.io, &ring, why, sizeof why) != 0 ||
        toy_server_listen(&c.server, c.io, (struct sockaddr *)&a, sizeof a, &config) != 0) {
        fprintf(stderr, "bench_pool: no toy server: %s\n", why);
        _exit(1);
    }
    io_file_adopt(c.io, &c.control, control);
    io_poll(&c.control, &c.op, POLLIN, on_control);
    uint64_t number = toy_server_port(c.server);
    (void)!write(answers, &number, sizeof number);
    while (!c.ends)
        io_run_once(c.io, TURN_NS);
    number = toy_server_stats(c.server)->accepted;
    (void)!write(answers, &number, sizeof number);
    toy_server_close(c.server, on_closed, &c);
    io_close(&c.control, NULL);
    while (!c.closed || io_files_open(c.io) > 0)
        io_run_once(c.io, TURN_NS);
    io_free(c.io);
}

int toy_host_start(struct toy_host *t, uint64_t delay_ns)
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
        serve(control[0], answers[1], delay_ns);
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
