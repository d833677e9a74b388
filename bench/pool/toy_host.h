/* Toy servers (tests/sim) as a process of its own: what the hosts do is then not in the pool's
 * loop, as it is not in reality. Each has an address of its own, as hosts have. */
#ifndef BENCH_POOL_TOY_HOST_H
#define BENCH_POOL_TOY_HOST_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

#define TOY_HOSTS_MAX 254

struct toy_host {
    pid_t pid;
    int control;   /* closed: it shall end */
    int answers;   /* its port, then, at its end, how many connections it took */
    uint16_t port; /* of each of them */
};

/* The address of the one with this number, 127.0.0.1 for 0. Returns `out`. */
const char *toy_host_address(uint32_t number, char out[INET_ADDRSTRLEN]);

/* `count` of them, TOY_HOSTS_MAX at most. 0, or -1 after telling stderr. Before any ring is made.
 */
__attribute__((warn_unused_result)) int toy_host_start(struct toy_host *t, uint32_t count,
                                                       uint64_t delay_ns);
/* Ends it. Returns how many connections it took, or -1. */
int64_t toy_host_end(struct toy_host *t);

#endif
