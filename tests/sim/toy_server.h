/* The inside of the toy server: toy_server.c (connections), toy_channel.c (channels), toy_process.c
 * (commands). */
#ifndef SCOUT_TESTS_SIM_TOY_SERVER_H
#define SCOUT_TESTS_SIM_TOY_SERVER_H

#include "scout/base/container.h"
#include "scout/net/stream.h"
#include "scripted.h"
#include "toy_wire.h"

#define TOY_SHELL_MAX 64   /* bytes of a mark */
#define TOY_KILL_MS   1500 /* what the killer's script waits after SIGTERM */
#define TOY_LEFT_MS   3000 /* and altogether */

enum toy_fault { TOY_FAULT_NONE, TOY_FAULT_AUTH, TOY_FAULT_STALL, TOY_FAULT_DROP };

struct toy_session {
    struct toy_server *server;
    struct stream stream;
    struct list node;
    struct list channels;
    struct buf in;
    struct buf sftp;     /* of the anchor, what came */
    struct list delayed; /* answers whose time has not come */
    struct io_timer timer;
    uint64_t accepted_ns;
    uint64_t due_ns; /* of the last one: answers keep their order */
    enum toy_fault fault;
    uint32_t fault_after; /* messages */
    uint32_t channel_count;
    bool stalled, closing;
};

/* One place: while it is open, and while its command runs behind a channel that is closed. */
struct toy_channel {
    struct toy_session *session;
    struct list node;
    uint32_t id;
    bool anchor;
    bool close_sent, close_came, eof_came, never_close;
    /* the command */
    uint32_t pid; /* 0: none */
    bool running, reads_input, ignores_term, immortal, no_status, slow, condemned;
    uint32_t out_left, err_left, input_len;
    int status;
    const char *signal; /* "" for none */
    struct io_timer timer;
    char report[160];    /* what of it comes in one piece with the first of stderr */
    struct buf verdicts; /* a killer's: printed at its end */
    uint32_t victims[32];
    uint32_t victim_count;
};

struct toy_server {
    struct io *io;
    struct listener listener;
    struct toy_config config;
    struct toy_stats stats;
    struct list sessions;
    uint32_t session_count;
    uint32_t next_pid;
    uint64_t random;
    bool closing, listening;
    void (*on_closed)(void *context);
    void *on_closed_context;
    struct io_task task;
};

uint64_t toy_draw(struct toy_server *v, uint64_t bound);
bool toy_happens(struct toy_server *v, unsigned chance);
/* Answers, in order, after a delay. */
void toy_say(struct toy_session *t, enum toy_type type, uint32_t channel, struct slice bytes);
void toy_say_after(struct toy_session *t, enum toy_type type, uint32_t channel, struct slice bytes,
                   uint64_t delay_ns);

/* toy_channel.c */
void toy_take(struct toy_session *t, const struct toy_frame *f);
void toy_channel_free(struct toy_channel *ch);
/* The command has ended: EXIT and CLOSE. */
void toy_channel_ended(struct toy_channel *ch);

/* toy_process.c */
void toy_process_start(struct toy_channel *ch, struct slice command);
void toy_process_input(struct toy_channel *ch, size_t len);
void toy_process_eof(struct toy_channel *ch);
void toy_process_stop(struct toy_channel *ch); /* silently: the session is over */

#endif
