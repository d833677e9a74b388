/* A small event loop for the test servers: epoll and real timers, one thread. It is not the
 * daemon's loop, so that a fault of that one cannot hide in the peer it is tested with.
 *
 * A watch and a timer are embedded in their owner. Either may be removed at any time, also by a
 * callback of another: no event comes for it any more, so the owner may be freed at once. */
#ifndef TESTS_EV_H
#define TESTS_EV_H

#include "scout/base/heap.h"
#include <sys/epoll.h>

#define EV_BATCH 64 /* events taken from the kernel at one time */

struct ev_watch {
    int fd;
    uint32_t events; /* what is waited for; 0 with `added` false: not in the set */
    bool added;
    void (*fn)(struct ev_watch *w, uint32_t events);
};

struct ev_timer {
    struct heap_node node; /* its key is the time */
    void (*fn)(struct ev_timer *t);
};

struct ev_loop {
    int epoll;
    struct heap timers;
    uint64_t now_ns;  /* monotonic; read once a turn, and by ev_now */
    uint64_t spin_ns; /* so long before a timer nothing is waited for any more */
    bool ended;
    struct epoll_event batch[EV_BATCH];
    int batch_count;
};

/* Ends the process with a message when the kernel has no epoll for it. */
void ev_init(struct ev_loop *l);
void ev_fini(struct ev_loop *l);

/* Reads the clock anew. */
uint64_t ev_now(struct ev_loop *l);

/* Waits for EPOLLIN, EPOLLOUT, both or none on w->fd. Broken connections are told in any case. */
void ev_watch(struct ev_loop *l, struct ev_watch *w, uint32_t events);
/* Before its descriptor is closed. */
void ev_unwatch(struct ev_loop *l, struct ev_watch *w);

/* Sets it, or moves it. It fires once, not before `when_ns`. */
void ev_timer_at(struct ev_loop *l, struct ev_timer *t, uint64_t when_ns);
void ev_timer_stop(struct ev_loop *l, struct ev_timer *t);

/* One turn: waits until something happens, calls back, returns. */
void ev_turn(struct ev_loop *l);

#endif
