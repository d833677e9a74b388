/* Private to the io_uring driver: its state, and what its three files share. */
#ifndef SCOUT_IO_RING_H
#define SCOUT_IO_RING_H

#include "jobs.h"
#include "loop.h"
#include "random.h"
#include <liburing.h>

#define RING_ENTRIES      1024
#define RING_ENTRIES_MAX  32768 /* the kernel's limit */
#define RING_RECV_BUFFERS 256
#define RING_BUFFERS_MAX  32768 /* the kernel's limit */
#define RING_BUFFER_GROUP 0

/* Where an armed op is (op->state). */
enum ring_state {
    RING_IN_KERNEL = 0,
    RING_POLLING, /* a read or write that waits for readiness, in the kernel */
    RING_UNARMED, /* no room in the submission queue: in `unarmed` */
    RING_STARVED, /* a recv without a buffer: in `starved` */
    RING_QUIET,   /* a send that only its failure completes: in `quiet` or `settling` */
};

/* What a completion's user_data says when it is not an op's address. */
enum ring_tag {
    RING_TAG_IGNORE = 0, /* cancels: the op's own completion tells */
    RING_TAG_JOBS = 1,   /* jobs.wake_fd is readable */
};

struct ring {
    struct io io; /* first */
    struct io_uring uring;
    struct io_uring_buf_ring *buf_ring;
    uint8_t *buffers;
    uint32_t buffer_count;        /* a power of two */
    uint32_t buffers_free;        /* not in an untold event; the kernel may have filled some */
    struct list unarmed, starved; /* of ops, by driver_node */
    struct list uncancelled;      /* in the kernel, but no room for the cancel yet */
    struct list quiet, settling;  /* quiet sends: queued; taken by the kernel, outcome not read */
    struct jobs jobs;
    bool jobs_watched; /* the poll of jobs.wake_fd is to be kept armed */
    bool jobs_polled;  /* it is armed */
    struct random_pool random;
};

static inline struct ring *ring_of(struct io *io)
{
    return CONTAINER_OF(io, struct ring, io);
}

/* ---- ring.c ---- */

extern const struct io_driver ring_driver;

/* Puts the op into the submission queue, or into `unarmed` when that is full. */
void ring_arm(struct io *io, struct io_op *op);
/* Likewise a poll after which the op, a read or write, is armed again. */
void ring_arm_poll(struct ring *r, struct io_op *op);
void ring_give_back(struct io *io, uint32_t buffer);
/* The op's last event, without data. Memory that the kernel was to fill is its owner's again. */
void ring_end(struct ring *r, struct io_op *op, int res);

/* ---- ring_events.c ---- */

/* Translates completions into events while the ready list takes them. */
void ring_harvest(struct ring *r);

/* ---- ring_setup.c ---- */

/* One line that names the cause and the remedy of a refused ring. `error` is positive;
 * `sysctl_value` is that of kernel.io_uring_disabled, -1 if unknown. Returns a SCOUT_E_ code. */
int ring_refusal_text(int error, int sysctl_value, char *why, size_t size);

/* Frees the ring and everything of it but the files and ops of the owner. */
void ring_teardown(struct ring *r);

#endif
