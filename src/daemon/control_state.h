/* The control socket's two halves, and what they share: control.c has the connections,
 * control_request.c what is asked and answered on them. */
#ifndef SCOUT_DAEMON_CONTROL_STATE_H
#define SCOUT_DAEMON_CONTROL_STATE_H

#include "control.h"
#include "control_job.h"
#include "scout/base/json_write.h"
#include "scout/net/listener.h"
#include "socket_file.h"

struct control_trust;

struct control {
    struct io *io;
    struct control_config config;
    struct listener listener;
    struct list clients;
    uint32_t count;
    bool listening, closing;
    void (*on_closed)(void *context);
    void *context;
    char path[PATHS_SOCKET_SIZE];
    struct socket_file own;
};

struct control_client {
    struct list node;
    struct control *control;
    struct io_file file;
    struct io_op op; /* the read, then the sends */
    struct io_timer timer;
    struct control_job job;
    struct control_trust *trust; /* NULL: it is about something else */
    bool working, closing, closed;
    struct buf out;
    size_t in_len;
    uint8_t in[CONTROL_LINE_MAX];
};

/* Takes the request in the first `len` bytes of `in`, wipes `in`, and answers now or later. */
void control_request_take(struct control_client *k, size_t len);
/* Answers that the request is `what`. */
void control_request_refuse(struct control_client *k, const char *what);
/* Answers with the failure. */
void control_request_fail(struct control_client *k, const struct failure *why);
/* Ends the line that `w` has written, and sends it. */
void control_request_answer(struct control_client *k, struct json_writer *w);
/* Likewise when it asks what the ssh configuration says of a host. */
bool control_explain_take(struct control_client *k, struct slice request);
/* Answers `request` (a checked object) when it is about calls that wait for a person; false: it is
 * not. */
bool control_approve_take(struct control_client *k, struct slice request);

/* Likewise, about a login that asks a person (control_auth.c). */
bool control_auth_take(struct control_client *k, struct slice request);

/* Likewise, about trusting a host (control_trust.c). */
bool control_trust_take(struct control_client *k, struct slice request);
/* Its client has gone: what can be stopped is. */
void control_trust_stop(struct control_trust *t);

/* For control_request.c: sends what is in `out`, then closes. */
void control_client_send(struct control_client *k);
void control_client_close(struct control_client *k);
/* The job that the client has waited for is over: it may be freed here. */
void control_client_done(struct control_client *k);

#endif
