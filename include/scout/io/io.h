/* The port: everything that the daemon asks of the outside, asynchronously, on one thread.
 *
 * Two drivers implement it: io_ring_open (io_uring) and io_sim_open (virtual clock, memory sockets,
 * seeded faults; tests only). Both pass the same contract tests.
 *
 * Ownership. The caller owns the memory of files, ops, timers, tasks and jobs and embeds them in
 * its objects; while an op is armed the kernel owns it, until its last event (`more` false). Every
 * armed op gets exactly one last event, also when cancelled (res -ECANCELED, unless it ended
 * first). Starting an op never fails on the spot: what goes wrong comes as the event's res. No
 * event is ever delivered from within the call that starts or cancels an op.
 *
 * Order of one pass: read the clock once; submit and wait; run events (at most IO_EVENTS_PER_PASS);
 * expire timers (at most IO_TIMERS_PER_PASS); run deferred tasks, and those that they defer while
 * no op was started, in at most IO_TASK_ROUNDS rounds; run the late tasks of the pass before; close
 * files whose ops have ended. What is over the bound goes first in the next pass, which then does
 * not wait.
 *
 * Closing has two phases: io_close cancels every op of the file, waits for their last events,
 * closes the descriptor, then calls on_closed, once, last. Only then may the memory be freed. */
#ifndef SCOUT_IO_IO_H
#define SCOUT_IO_IO_H

#include "scout/base/container.h"
#include "scout/base/heap.h"
#include "scout/base/list.h"
#include "scout/base/slice.h"
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#define IO_EVENTS_PER_PASS 256
#define IO_TIMERS_PER_PASS 256
#define IO_TASK_ROUNDS     4
#define IO_RECV_SIZE       16384 /* bytes at most in one recv event */
#define IO_SEND_PARTS      8     /* iovecs at most in one send */
#define IO_JOB_THREADS     4
#define IO_PEER_TIMEOUT_MS 20000

struct io;
struct io_op;
struct io_file;
struct io_timer;
struct io_task;
struct io_job;

struct io_event {
    int res;           /* bytes, a new descriptor (accept), a poll mask, 0, or -errno */
    bool more;         /* the op stays armed and will get further events */
    struct slice data; /* recv: the bytes, valid until the callback returns */
};

typedef void io_op_fn(struct io_op *op, struct io_event event);
typedef void io_closed_fn(struct io_file *file);
typedef void io_timer_fn(struct io_timer *timer);
typedef void io_task_fn(struct io_task *task);
typedef void io_job_fn(struct io_job *job);

/* Private to the drivers except where said; zero it (or io_op_init) before the first use. */
struct io_op {
    io_op_fn *fn;
    struct io_file *file;
    struct list node;        /* in file->ops while armed */
    struct list driver_node; /* the driver's own, with `state` */
    uint8_t kind;
    uint8_t state;
    bool armed; /* readable by all */
    bool cancelling;
    bool ended; /* its last event waits in the ready list */
    bool quiet; /* a send whose end need not end a wait */
    union {
        struct {
            struct msghdr msg;
            struct iovec parts[IO_SEND_PARTS];
        } send;
        struct {
            struct sockaddr_storage addr;
            socklen_t len;
        } connect;
        struct {
            void *data;
            size_t len;
            off_t offset;
        } rw;
        short events;
    } u;
};

struct io_file {
    struct io *io;
    int fd; /* the descriptor, or the simulation's number; -1 when closed. Never an identity. */
    uint32_t armed_count;
    struct list ops;
    struct list closing_node;
    bool closing;
    io_closed_fn *on_closed;
};

struct io_timer {
    struct heap_node node;
    io_timer_fn *fn;
};

struct io_task {
    struct list node;
    io_task_fn *fn;
    bool late;
};

/* A blocking piece of work for a helper thread. `run` is called there and must touch nothing but
 * the job's own memory; `done` is called on the loop afterwards, exactly once. A job cannot be
 * cancelled: an owner that ends earlier leaves the job its memory. */
struct io_job {
    io_job_fn *run, *done;
    struct io_job *next;
};

/* ---- the loop ---- */

struct io_ring_config {
    unsigned entries;      /* submission queue size; 0: 1024 */
    unsigned recv_buffers; /* of IO_RECV_SIZE, a power of two; 0: 256 */
};

/* Makes a loop on io_uring for the calling thread (and that thread alone). On refusal returns a
 * negative SCOUT_E_ code and writes one line into `why` that names the cause (the errno, the
 * sysctl, the limit) and the remedy. */
__attribute__((warn_unused_result)) int
io_ring_open(struct io **out, const struct io_ring_config *config, char *why, size_t why_size);

/* Frees the loop. No op may be armed, no file open, no job running: asserted. */
void io_free(struct io *io);

/* Runs passes until io_stop. */
void io_run(struct io *io);
void io_stop(struct io *io);

/* One pass that waits at most `wait_ns` (0: does not wait). Returns true if anything ran. */
bool io_run_once(struct io *io, uint64_t wait_ns);

/* Monotonic, in ns, read once at the start of the pass (and when waiting ends). */
uint64_t io_now(const struct io *io);
/* Wall clock, in ms since the epoch, of the same moment. */
uint64_t io_wall_ms(const struct io *io);
/* Random bytes: from the kernel, or from the simulation's seed. Never blocks. */
void io_random(struct io *io, void *out, size_t len);

/* Counters since the start; the array is the loop's own. */
struct io_stats {
    uint64_t passes, events, timers;
    uint64_t submits;         /* calls into the kernel that submit or wait */
    uint64_t events_deferred; /* passes that left events over for the next */
    uint64_t recv_starved;    /* recv events that found no buffer and were re-armed */
    uint32_t armed, armed_max;
};
const struct io_stats *io_stats(const struct io *io);

/* ---- files ---- */

/* Wraps an open descriptor (a listening socket, an accepted one, a signalfd). The file owns it. */
void io_file_adopt(struct io *io, struct io_file *f, int fd);

/* A new non-blocking close-on-exec stream socket. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int io_file_socket(struct io *io, struct io_file *f,
                                                       int family);

/* Where a socket that is to be connected comes from: an address of its family, with port 0, for
 * which the port is chosen when it connects. Returns 0 or -errno. */
__attribute__((warn_unused_result)) int io_file_bind(struct io_file *f, const struct sockaddr *addr,
                                                     socklen_t len);

/* A bound, listening stream socket; SO_REUSEADDR for IP. A Unix socket's path must not exist.
 * Returns 0 or -errno. */
__attribute__((warn_unused_result)) int io_file_listen(struct io *io, struct io_file *f,
                                                       const struct sockaddr *addr, socklen_t len,
                                                       int backlog);

/* The address a listening file is bound to (for port 0). Returns 0 or -errno. */
int io_file_address(const struct io_file *f, struct sockaddr_storage *addr, socklen_t *len);

/* See the head of this file. `on_closed` may be NULL. A second call is ignored. */
void io_close(struct io_file *f, io_closed_fn *on_closed);

/* Gives the descriptor up without closing it, so that another file can adopt it; no op may be
 * armed. The file is dead afterwards. */
int io_file_release(struct io_file *f);

/* Closes a descriptor that an accept event brought and that nobody adopts. */
void io_discard(struct io *io, int fd);

/* For a connected TCP socket: TCP_NODELAY, SO_KEEPALIVE, and TCP_USER_TIMEOUT of
 * IO_PEER_TIMEOUT_MS, after which unacknowledged data breaks the connection. No effect on other
 * sockets. */
void io_file_tune(struct io_file *f);

/* Files that have been opened or adopted and not closed or released yet. */
uint32_t io_files_open(const struct io *io);

/* Half-closes the sending side at once (shutdown SHUT_WR): the peer reads end of file after what
 * was sent before. */
void io_shutdown_send(struct io_file *f);

/* Sends at once what the kernel takes without waiting; what it does not take is lost. For a file
 * that is closed next, with no send armed. */
void io_send_last(struct io_file *f, const void *data, size_t len);

/* ---- ops: `op` must not be armed ---- */

void io_op_init(struct io_op *op);

/* Multishot: an event per connection with the new descriptor in res, for io_file_adopt or
 * io_discard. A failure (-EMFILE, -ENOMEM) is the last event; a connection that was gone before it
 * was accepted is passed over. */
void io_accept(struct io_file *f, struct io_op *op, io_op_fn *fn);

/* Multishot: an event per arrival, always with `more`. The last event brings no data: res 0 is the
 * peer's end of file. A lack of buffers never ends it. After io_cancel or io_close, data that had
 * arrived before may still come. One per file. */
void io_recv(struct io_file *f, struct io_op *op, io_op_fn *fn);

/* Sends the parts in order, gathered; res is how many bytes went, maybe fewer than given. The
 * memory behind the parts stays untouched until the event; the array itself is copied. One per file
 * at a time. A peer that is gone gives -EPIPE, never a signal. */
void io_send(struct io_file *f, struct io_op *op, const struct iovec *parts, unsigned count,
             io_op_fn *fn);

/* The same for who needs to know of the end only when the loop has anything else to tell: the pass
 * that sends then waits in the same call into the kernel, and the event comes after what ended that
 * wait. A send that fails or goes short is told at once. */
void io_send_quietly(struct io_file *f, struct io_op *op, const struct iovec *parts, unsigned count,
                     io_op_fn *fn);
/* Its end is wanted at once after all. */
void io_send_hurry(struct io_op *op);

/* res 0 when connected. The address is copied. */
void io_connect(struct io_file *f, struct io_op *op, const struct sockaddr *addr, socklen_t len,
                io_op_fn *fn);

/* One shot: res is the mask of what is ready (POLLIN, POLLOUT, POLLERR, POLLHUP). */
void io_poll(struct io_file *f, struct io_op *op, short events, io_op_fn *fn);

/* One read or write at `offset` (-1: the file's own position), on any kind of descriptor. */
void io_read(struct io_file *f, struct io_op *op, void *data, size_t len, off_t offset,
             io_op_fn *fn);
void io_write(struct io_file *f, struct io_op *op, const void *data, size_t len, off_t offset,
              io_op_fn *fn);

/* Asks for an early end. No effect on an op that is not armed. */
void io_cancel(struct io_op *op);

/* ---- timers, tasks, jobs ---- */

void io_timer_init(struct io_timer *t);
/* Fires once, at the first pass whose clock is at or past `due_ns`. Re-arming moves it. */
void io_timer_start(struct io *io, struct io_timer *t, uint64_t due_ns, io_timer_fn *fn);
void io_timer_stop(struct io *io, struct io_timer *t);
bool io_timer_armed(const struct io_timer *t);

void io_task_init(struct io_task *t);
/* Runs `fn` once at the end of this pass; when called from a task, in the next round, which comes
 * in the same pass unless an op waits to be submitted: so an answer that goes through several tasks
 * needs no pass for each. Already deferred: no effect; deferred late: it is not late any more. */
void io_defer(struct io *io, struct io_task *t, io_task_fn *fn);
/* For what nobody waits for: runs `fn` once at the end of the next pass, which does not wait. What
 * this pass sends is with the kernel then. Already deferred, in whichever way: no effect. */
void io_defer_late(struct io *io, struct io_task *t, io_task_fn *fn);
void io_task_cancel(struct io_task *t);

/* Runs the job on a helper thread (started at first use, IO_JOB_THREADS at most). */
void io_job_start(struct io *io, struct io_job *job, io_job_fn *run, io_job_fn *done);

/* Jobs that were started and whose `done` has not been called yet. */
uint32_t io_jobs_active(const struct io *io);

#endif
