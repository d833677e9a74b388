/* What the load client and both echo servers agree on, and the parts of one run.
 *
 * A connection carries whole messages of ECHO_MESSAGE_SIZE bytes, at most one of them in flight;
 * the server sends back the bytes that it got, in order. A peer with more than ECHO_ROOM unanswered
 * bytes breaks the rule. All descriptors are non-blocking. */
#ifndef ECHO_H
#define ECHO_H

#include "bench.h"

#define ECHO_CONNECTIONS  64
#define ECHO_MESSAGE_SIZE 64
#define ECHO_ROOM         (2 * (size_t)ECHO_MESSAGE_SIZE)
#define ECHO_STALL_MS     5000 /* without any answer, or until the server has ended: a failure */

/* ---- servers ---- */

/* Serves the connections until every peer has closed. Owns the descriptors. Returns the exit status
 * of the server process. */
typedef int echo_serve_fn(const int fds[ECHO_CONNECTIONS]);

echo_serve_fn echo_serve_ring, echo_serve_epoll;

/* ---- the load client (echo_client.c) ---- */

struct echo_client;

/* Borrows the descriptors. NULL after it told stderr. */
struct echo_client *echo_client_new(const int fds[ECHO_CONNECTIONS]);
void echo_client_free(struct echo_client *client);

/* All return 0, or 1 after they told stderr what was wrong. */

/* Sends a first message on every connection and waits until all have been answered. */
int echo_client_start(struct echo_client *client);
/* Answers are checked and followed by the next message for `seconds`. *answers counts them. */
int echo_client_load(struct echo_client *client, double seconds, double *answers);
/* Takes what is in flight, sends no more, and makes sure that nothing else comes. */
int echo_client_finish(struct echo_client *client);

/* ---- one run (contest.c) ---- */

struct contest {
    const char *name;
    echo_serve_fn *serve;
    double warmup_s, load_s;
};

/* A bench_run_fn; the context is a struct contest. */
int contest_run(void *context, struct bench_sample *out);

#endif
