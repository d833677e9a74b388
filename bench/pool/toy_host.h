/* The toy server (tests/sim) as a process of its own: what the hosts do is then not in the pool's
 * loop, as it is not in reality. */
#ifndef BENCH_POOL_TOY_HOST_H
#define BENCH_POOL_TOY_HOST_H

#include <stdint.h>
#include <sys/types.h>

struct toy_host {
    pid_t pid;
    int control; /* closed: it shall end */
    int answers; /* its port, then, at its end, how many connections it took */
    uint16_t port;
};

/* 0, or -1 after telling stderr. Before any ring is made here. */
__attribute__((warn_unused_result)) int toy_host_start(struct toy_host *t, uint64_t delay_ns);
/* Ends it. Returns how many connections it took, or -1. */
int64_t toy_host_end(struct toy_host *t);

#endif
