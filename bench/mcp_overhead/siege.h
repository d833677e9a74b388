/* What besieges a server while a good client is measured: connections that are idle, and heads that
 * come a byte at a time. */
#ifndef BENCH_SIEGE_H
#define BENCH_SIEGE_H

#include <stdint.h>
#include <sys/types.h>

struct siege {
    pid_t pid;
    int told; /* its end of input */
};

/* Starts a process that opens `idle` connections, each of which has had one answer, and `slow` ones
 * that send a byte every SIEGE_STEP_MS and come again when they are closed. Returns when all are
 * there; 0 or -1 after it said why. */
#define SIEGE_STEP_MS 50
int siege_begin(struct siege *s, uint16_t port, unsigned long idle, unsigned long slow);
/* Ends it. -1 when the server has closed an idle connection meanwhile. */
int siege_end(struct siege *s);

#endif
