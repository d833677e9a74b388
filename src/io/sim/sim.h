/* What the simulation's files share: the clock's heap of wakes, the sockets, the faults. */
#ifndef SCOUT_IO_SIM_SIM_H
#define SCOUT_IO_SIM_SIM_H

#include "../loop.h"
#include "scout/base/buf.h"
#include "scout/io/sim.h"

#define SIM_QUEUE_MAX     65536    /* bytes under way in one direction of a connection */
#define SIM_SOCKETS_MAX   65536    /* more: -EMFILE */
#define SIM_FD_FIRST      0x100000 /* far from the kernel's, so that a mix-up gives EBADF */
#define SIM_PORT_FIRST    20000
#define SIM_RETRY_NS      1000000 /* a connect to a full backlog, a recv without a buffer */
#define SIM_START_NS      1000000000
#define SIM_WALL_START_MS 1700000000000

/* An armed op. It is in the heap while what it waits for has happened. */
struct sim_wake {
    struct heap_node node;
    struct list in_socket;
    struct sim_socket *socket;
    struct io_op *op;
    int sent; /* of a quiet send that has been done */
};

struct sim_socket {
    int fd; /* -1: a connection that nobody has accepted */
    struct list wakes;
    struct sockaddr_storage addr;
    socklen_t addr_len;
    struct sim_socket *peer; /* NULL: none yet, or gone */
    struct buf in;           /* what the peer has sent */
    bool listening, connected, reset;
    bool in_ended;  /* the peer sends no more */
    bool out_ended; /* this side sends no more */
    int backlog, waiting_count;
    struct list waiting; /* of a listener: connections to be accepted */
    struct list in_waiting;
};

struct sim {
    struct io io;
    struct heap due;   /* of struct sim_wake, by time */
    struct list quiet; /* of struct sim_wake, by in_socket: done in this wait, told at its end */
    uint32_t quiet_count;
    struct io_sim_faults faults;
    uint64_t random_state;
    struct sim_socket **sockets;                   /* by fd - SIM_FD_FIRST */
    size_t socket_size, socket_count, socket_free; /* below socket_free all are in use */
    uint8_t **buffers;                             /* what recv events show, by id */
    uint32_t buffer_size;
    uint16_t port_next;
    struct io_job *jobs, **jobs_end;
};

static inline struct sim *sim_of(struct io *io)
{
    return CONTAINER_OF(io, struct sim, io);
}

/* ---- sim.c ---- */
uint64_t sim_draw(struct sim *sim, uint64_t bound);
/* True in `chance` of 1000 cases. */
bool sim_happens(struct sim *sim, unsigned chance);
uint64_t sim_delay(struct sim *sim);

/* ---- sim_socket.c ---- */
struct sim_socket *sim_socket_get(const struct sim *sim, int fd);
struct sim_socket *sim_socket_listener(const struct sim *sim, const void *addr, socklen_t len);
/* Connects `client` to a new socket that waits at the listener. False: no memory. */
bool sim_socket_join(struct sim *sim, struct sim_socket *client, struct sim_socket *listener);
/* The first that waits, with a descriptor of its own; or -EMFILE. */
int sim_socket_accept(struct sim *sim, struct sim_socket *listener);
/* Breaks a connection for both ends. */
void sim_socket_reset(struct sim *sim, struct sim_socket *s);

int sim_socket(struct io *io, int family);
int sim_bind(struct io *io, int fd, const struct sockaddr *addr, socklen_t len);
int sim_listen(struct io *io, const struct sockaddr *addr, socklen_t len, int backlog);
int sim_address(struct io *io, int fd, struct sockaddr_storage *addr, socklen_t *len);
void sim_tune(struct io *io, int fd);
void sim_shutdown_send(struct io *io, int fd);
void sim_send_last(struct io *io, int fd, const void *data, size_t len);
void sim_close(struct io *io, int fd);

/* ---- sim_op.c ---- */
void sim_arm(struct io *io, struct io_op *op);
void sim_cancel(struct io *io, struct io_op *op);
/* Something about the socket has changed: puts the ops that it makes ready into the heap. */
void sim_touch(struct sim *sim, struct sim_socket *s);
/* Into the heap, if what it waits for has happened; in any case, a little later. */
void sim_schedule(struct sim *sim, struct sim_wake *wake);
void sim_retry(struct sim *sim, struct sim_wake *wake);
/* Pushes the op's last event and frees the wake. */
void sim_end(struct sim *sim, struct sim_wake *wake, int res);
/* The wake's time has come: pushes at most one event. */
void sim_fire(struct sim *sim, struct sim_wake *wake);

/* ---- sim_recv.c ---- */
void sim_fire_recv(struct sim *sim, struct sim_wake *wake);
void sim_give_back(struct io *io, uint32_t buffer);

#endif
