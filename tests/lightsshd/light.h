/* The light SSH server's parts; main.c says what it is. */
#ifndef LIGHT_LIGHT_H
#define LIGHT_LIGHT_H

#include "ev.h"
#include "scout/base/buf.h"
#include "scout/base/list.h"
#include "sftp_server.h"
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <netinet/in.h>

#define LIGHT_LISTEN_MAX     64   /* --listen */
#define LIGHT_ADDRESSES_MAX  4096 /* --addresses */
#define LIGHT_AUTHORIZED_MAX 8
#define LIGHT_CHANNELS_MAX   256 /* of one connection, whatever --max-sessions says */
#define LIGHT_HELD_MAX       1024
#define LIGHT_STEP_ROUNDS    8 /* turns of one connection before the others have theirs */
#define LIGHT_IN_MAX         (1024u * 1024u)         /* a channel's unread input */
#define LIGHT_OUT_MAX        (1024u * 1024u)         /* a channel's unsent output */
#define LIGHT_PACKET_MAX     (32768u - 10u)          /* what libssh puts into one packet */
#define LIGHT_SEND_MAX       (2u * LIGHT_PACKET_MAX) /* goes out before more is encrypted */

struct light_options {
    const char *listen[LIGHT_LISTEN_MAX];
    size_t listen_count;
    unsigned long addresses, port;
    const char *host_key;
    const char *authorized[LIGHT_AUTHORIZED_MAX];
    size_t authorized_count;
    const char *password, *code; /* NULL: none */
    bool key_first;
    bool any_key, print_known_hosts, stats, exec_real;
    bool kex_stall, auth_refuse, no_sftp, never_close, garbage_banner;
    unsigned long accept_delay_ms, banner_delay_ms, auth_delay_ms, channel_delay_ms;
    unsigned long exec_delay_ms, reply_delay_ms, max_sessions, drop_after_requests;
    unsigned long spin_us;
};

/* Everything that was counted since the start; the JSON line has the same names. */
struct light_stats {
    uint64_t connections, connections_closed, connections_max;
    uint64_t authenticated, auth_refused;
    uint64_t channels_opened, channels_closed, channels_refused, channels_max;
    uint64_t requests, requests_refused, commands, sftp_requests;
};

struct light {
    struct ev_loop loop;
    struct light_options options;
    struct light_stats stats;
    ssh_bind bind;
    ssh_key host_key;
    ssh_key authorized[LIGHT_AUTHORIZED_MAX];
    struct light_listener *listeners;
    size_t listener_count;
    struct list connections;
    struct list dead;      /* to be freed when no callback is under way */
    struct list commands;  /* built-in ones that run */
    struct list processes; /* real ones */
    struct ev_watch signals;
    uint64_t channels; /* open now */
};

struct light_channel;

/* What works for a channel: a built-in command, a process, the SFTP server. */
struct light_worker_ops {
    /* Takes from channel->in, puts into channel->out and channel->err as far as there is room;
     * light_channel_finish when it is done. Called whenever any of that has changed. */
    void (*run)(struct light_channel *ch);
    void (*free)(struct light_channel *ch);
};

struct light_channel {
    struct light_connection *connection;
    struct list node;
    ssh_channel ssh;
    struct ssh_channel_callbacks_struct callbacks;
    struct buf in, out, err;
    const struct light_worker_ops *ops; /* NULL: nothing was requested yet */
    void *worker;
    uint32_t held;       /* messages on hold that name it */
    bool in_left;        /* libssh has more input, for which `in` had no room */
    bool in_eof, remote; /* the client has ended its input; has closed the channel */
    bool finished;       /* the worker is done: `status`, EOF and CLOSE follow the output */
    bool closed;         /* CLOSE was sent (or never will be) */
    int status;          /* -1: none to be told */
};

enum light_stage {
    LIGHT_WAITS, /* for --banner-delay-ms */
    LIGHT_KEX,
    LIGHT_STALLED, /* reads, says nothing any more */
    LIGHT_OPEN,
    LIGHT_ENDED,
};

struct light_connection {
    struct light *server;
    struct list node;
    struct ev_watch watch;
    struct ev_timer timer; /* the banner's */
    enum light_stage stage;
    ssh_session session; /* NULL before the banner */
    struct list channels, held;
    uint32_t channel_count, held_count;
    uint64_t requests;
    bool key_given; /* with --key-first: the first step is done */
    uint32_t asked; /* questions that were answered */
    bool progress;  /* something came or went: another round */
    bool corked;
    uint64_t read_ns; /* when what is being taken off the socket was there at the latest */
};

/* --- listen.c ----------------------------------------------------------------------------------
 */

/* Opens every listener and prints its line. Ends the process when one cannot be opened. */
void light_listen(struct light *s);
void light_listen_end(struct light *s);

/* --- connection.c ------------------------------------------------------------------------------
 */

/* Takes over the socket. */
void connection_new(struct light *s, int fd);
/* Goes on as far as input and output allow. The connection may be ended by it, never freed. */
void connection_step(struct light_connection *c);
/* What is sent from now on until the end of the step goes out together, as sshd's does; or at once.
 */
void connection_cork(struct light_connection *c, bool corked);
/* Output waits for the socket. */
bool connection_is_full(const struct light_connection *c);
/* Ends it at once, without goodbye. Freed by connections_reap. */
void connection_end(struct light_connection *c);
void connections_reap(struct light *s);

/* --- request.c: the client's messages ------------------------------------------------------------
 */

/* Answers the message, now or when its delay is over, and frees it. */
void request_take(struct light_connection *c, ssh_message message);
/* Drops what is on hold. */
void requests_drop(struct light_connection *c);

/* --- auth.c --- */

/* Answers a message about authentication. */
void light_auth(struct light_connection *c, ssh_message message);

/* --- channel.c -----------------------------------------------------------------------------------
 */

/* For a channel that was just accepted. False: no memory. */
bool light_channel_new(struct light_connection *c, ssh_channel ssh);
struct light_channel *light_channel_of(struct light_connection *c, ssh_channel ssh);
/* Moves bytes between client and worker; closes and frees it when all is said. */
void light_channel_pump(struct light_channel *ch);
void light_channel_free(struct light_channel *ch);
/* By the worker: nothing more comes. `status` -1: none. */
void light_channel_finish(struct light_channel *ch, int status);
/* From outside a step (a timer, a pipe): the worker has something. */
void light_channel_wake(struct light_channel *ch);

/* --- workers: each returns false when it cannot be started
 * ----------------------------------------- */

bool command_start(struct light_channel *ch, const char *text); /* command.c */
bool process_start(struct light_channel *ch, const char *text); /* process.c */
void processes_end(struct light *s);
bool sftp_start(struct light_channel *ch); /* subsystem.c */

#endif
