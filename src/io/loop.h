/* What the layer's files share: the loop's state, the ready list, and the table of a driver.
 *
 * The core (loop.c, op.c, file.c, timer.c) holds everything that does not depend on how events are
 * obtained. A driver embeds struct io as its first member and fills the table; what it learns goes
 * into the ready list, from which only the core takes. */
#ifndef SCOUT_IO_LOOP_H
#define SCOUT_IO_LOOP_H

#include "scout/io/io.h"

#define IO_READY_MAX (4 * IO_EVENTS_PER_PASS)
#define IO_NO_BUFFER UINT32_MAX

enum io_kind {
    IO_KIND_ACCEPT = 1,
    IO_KIND_RECV,
    IO_KIND_SEND,
    IO_KIND_CONNECT,
    IO_KIND_POLL,
    IO_KIND_READ,
    IO_KIND_WRITE,
};

/* An event that has happened and has not been told yet. */
struct io_ready {
    struct io_op *op;
    struct io_event event;
    uint32_t buffer; /* to be given back afterwards; IO_NO_BUFFER: none */
};

struct io_driver {
    void (*free)(struct io *io);

    /* Reads the clock into now_ns and wall_ms. */
    void (*update_clock)(struct io *io);
    /* Submits what is armed, waits until something has happened or the clock is at `until_ns`, and
     * pushes what has happened, at most io_ready_room. Updates the clock when it waited. */
    void (*wait)(struct io *io, uint64_t until_ns);

    /* The op's kind, file and arguments are set. Neither calls back. A cancel comes at most once,
     * and not for an op whose last event was pushed. */
    void (*arm)(struct io *io, struct io_op *op);
    void (*cancel)(struct io *io, struct io_op *op);
    /* The bytes of a recv event are used up. */
    void (*give_back)(struct io *io, uint32_t buffer);

    /* Descriptors; each returns -errno on failure. */
    int (*socket)(struct io *io, int family);
    int (*bind)(struct io *io, int fd, const struct sockaddr *addr, socklen_t len);
    int (*listen)(struct io *io, const struct sockaddr *addr, socklen_t len, int backlog);
    int (*address)(struct io *io, int fd, struct sockaddr_storage *addr, socklen_t *len);
    void (*tune)(struct io *io, int fd);
    void (*shutdown_send)(struct io *io, int fd);
    void (*send_last)(struct io *io, int fd, const void *data, size_t len);
    void (*close)(struct io *io, int fd);

    void (*random)(struct io *io, void *out, size_t len);
    /* Runs the job and hands it to io_job_finished afterwards, from the loop's thread. */
    void (*job_start)(struct io *io, struct io_job *job);
};

struct io {
    const struct io_driver *driver;
    uint64_t now_ns, wall_ms;
    struct io_stats stats;
    struct io_ready ready[IO_READY_MAX]; /* a ring */
    uint32_t ready_first, ready_count;
    struct heap timers;
    struct list tasks, late; /* `late`: of this pass, for the end of the next */
    struct list closable;    /* closing files without an armed op */
    struct io_job *jobs_done, **jobs_done_end;
    uint32_t jobs_active; /* started, `done` not called yet */
    uint32_t files_open;
    bool started; /* an op, in this pass: it waits for the next to be submitted */
    bool stopping, running;
};

/* ---- for the drivers ---- */

void io_init(struct io *io, const struct io_driver *driver);

/* How many events the ready list still takes. */
static inline uint32_t io_ready_room(const struct io *io)
{
    return IO_READY_MAX - io->ready_count;
}

void io_ready_push(struct io *io, struct io_op *op, struct io_event event, uint32_t buffer);

/* The op's last event, without data. */
static inline void io_ready_push_last(struct io *io, struct io_op *op, int res)
{
    io_ready_push(io, op, (struct io_event){.res = res}, IO_NO_BUFFER);
}

void io_job_finished(struct io *io, struct io_job *job);

/* How many bytes the parts of a send hold. */
size_t io_send_len(const struct io_op *op);

/* ---- for the core ---- */

/* Tell at most `budget` events (finished jobs); return how many. */
uint32_t io_ready_run(struct io *io, uint32_t budget);
uint32_t io_jobs_run(struct io *io, uint32_t budget);
bool io_timers_run(struct io *io);
bool io_tasks_run(struct io *io);
/* Runs those of `late`, a list of late tasks, that are in it still. */
bool io_late_run(struct list *late);
bool io_closable_run(struct io *io);

#endif
