/* What the tests of dialling share: a socket that answers, and a call. */
#ifndef TESTS_UNIT_NET_DIAL_RIG_H
#define TESTS_UNIT_NET_DIAL_RIG_H

#include "loops.h"
#include "scout/net/dial.h"

struct call {
    struct resolver *resolver;
    struct dial dial;
    unsigned done, closed;
    struct failure failure;
};

struct answering {
    struct io_file file;
    struct io_op accept;
    uint16_t port;
    unsigned accepted, closed;
    struct dial *cancel; /* is cancelled when a connection comes */
};

void on_accept(struct io_op *op, struct io_event event);
void answering_open(struct io *io, struct answering *a);
void answering_close(struct answering *a);
void call_start_from(struct call *c, struct io *io, const char *from, const char *host,
                     uint16_t port, int family, uint64_t after_ms);
void call_start_in(struct call *c, struct io *io, const char *host, uint16_t port, int family,
                   uint64_t after_ms);
void call_start(struct call *c, struct io *io, const char *host, uint16_t port, uint64_t after_ms);
void hang_up(struct call *c);

#endif
