/* An SSH session as the pool sees it: bytes in, bytes out, one SFTP client, commands. No socket, no
 * clock, no file. The owner feeds what the peer sent, steps the engine, and sends what it puts out.
 *
 * Two implementations: ssh_session_new (session.h, over libssh2), and a scripted one for the
 * simulation (tests/sim), which speaks a toy protocol and is deterministic. Nothing of the engine
 * may be called from within its events except where said; events come from engine_step only. */
#ifndef SCOUT_SSH_ENGINE_H
#define SCOUT_SSH_ENGINE_H

#include "scout/base/buf.h"
#include "scout/base/error.h"
#include "scout/ssh/key.h"
#include "scout/ssh/known_hosts.h"
#include "scout/ssh/sftp.h"

#define ENGINE_IN_HIGH   (256u * 1024u)       /* unread input: the owner pauses its stream */
#define ENGINE_IN_MAX    (8u * 1024u * 1024u) /* what may still arrive after a pause */
#define ENGINE_OUT_HIGH  (1024u * 1024u)      /* unsent output: nothing more is written */
#define ENGINE_OUT_MAX   (4u * 1024u * 1024u)
#define EXEC_COMMAND_MAX (31u * 1024u)  /* bytes of one command line: it goes in one packet */
#define EXEC_INPUT_MAX   (256u * 1024u) /* bytes of stdin that wait for the channel's window */
#define FORWARD_OUT_MAX  (ENGINE_OUT_MAX * 2)

enum engine_stage {
    ENGINE_HANDSHAKE, /* version exchange, key exchange, host key */
    ENGINE_AUTHENTICATING,
    ENGINE_CHANNEL, /* opening the anchor: the SFTP channel, or a bare one where there is no SFTP */
    ENGINE_READY,
    ENGINE_ENDED, /* failed or closed: engine->failure says why */
};

/* A key that may be offered. */
struct ssh_identity {
    struct slice blob;         /* the public key blob (RFC 4253, 6.6) */
    const struct ssh_key *key; /* NULL: the owner signs (the agent), see on_sign */
    const char *label;         /* the file's name or the agent's comment, for messages */
};

#define AUTH_PROMPTS_MAX 8    /* that a host may ask at one time */
#define AUTH_ANSWER_MAX  1024 /* bytes of one answer */

/* What a host asks a person: its own bytes. */
struct auth_prompt {
    struct slice text;
    bool echo; /* the answer may be seen */
};

struct engine_events {
    /* `data` is to be signed by the agent for that identity; the answer is engine_signed, now or
     * later. Borrowed for the call. One at a time. */
    void (*on_sign)(void *context, size_t identity, struct slice data);
    /* May be NULL. Else only the key exchange is done: the host's key (RFC 4253, 6.6) is told,
     * unjudged, nothing of the user is sent, and the engine is ENDED with SCOUT_E_CANCELLED. */
    void (*on_host_key)(void *context, struct slice key);
    /* May be NULL: then a host that is new is refused. Else: nothing is known of this host (no key
     * of any type, no authority). Nothing of the user is sent until engine_host_key_settled. */
    void (*on_new_host)(void *context, struct slice key);
    /* May be NULL. Else: this key is known for the host, and the owner has more to ask about it.
     * Likewise nothing of the user is sent until engine_host_key_settled. */
    void (*on_known_host)(void *context, struct slice key);
    /* The host wants a password (one prompt, made up here; RFC 4252, 8) or asks questions (RFC
     * 4256). One answer for each into `answers`, borrowed for the call, and true; or false: they
     * are not known, nothing is sent, and the engine is ENDED with SCOUT_E_AUTH. May be NULL:
     * neither method is used. Keys are tried first. */
    bool (*on_prompts)(void *context, const struct auth_prompt *prompts, size_t count,
                       struct slice *answers);
};

/* All borrowed: they must outlive the engine; known_hosts and the identities only until it is
 * ENGINE_READY. */
struct engine_config {
    const char *name; /* of the host, for messages */
    const char *host; /* the name that known_hosts is asked for */
    uint16_t port;
    const char *user;
    const struct known_hosts *known_hosts;
    /* As ssh_config has them: names with commas, or with a + - ^ before them what is added to ours,
     * left out, put first. NULL: ours. Of key exchanges only elliptic curves are done. */
    const char *kex_algorithms, *ciphers, *macs, *host_key_algorithms;
    const char *environment; /* of commands: NAME=VALUE, with newlines between; NULL: none. One
                                round trip for each, which only a channel opened ahead hides */
    bool host_key_unchecked; /* whatever key the host shows is taken */
    const struct ssh_identity *identities; /* tried in order, SSH_TRIES_MAX at most */
    size_t identity_count;
    bool no_anchor; /* READY without a channel, for commands alone: has_sftp stays false. While no
                       command runs nothing is read, so a host that asks for signs of life gets
                       none, and may end the session */
    const struct engine_events *events;
    void *context;
};

#define SSH_TRIES_MAX 5 /* OpenSSH's MaxAuthTries is 6, and the sixth failure disconnects */

struct engine;
struct exec;

/* How a command ended. */
struct exec_result {
    int error;       /* 0: it ended by itself. SCOUT_E_NO_CHANNEL: the host opened no channel
                        (MaxSessions), or channels_max forbids one; the session goes on.
                        SCOUT_E_EXEC_REFUSED: the host refused the request. SCOUT_E_CONNECTION_LOST:
                        the session ended. */
    bool requested;  /* the request may have reached the host and have had an effect (not when it
                        was refused) */
    bool has_status; /* `status` is the command's */
    int status;
    char signal[16]; /* RFC 4254, 6.10, without SIG: "TERM"; "" when it ended by no signal */
};

/* on_end comes exactly once, last, after all output; the exec is gone then. From an event, the
 * functions exec_* of the same exec and the start of others may be called. */
struct exec_events {
    void (*on_started)(void *context); /* the host accepted it; may be NULL */
    void (*on_output)(void *context, bool is_stderr, struct slice data);
    void (*on_drain)(void *context); /* all input so far went into the channel; may be NULL */
    void (*on_end)(void *context, const struct exec_result *result);
};

/* A stream of bytes to another host, which this one connects to (RFC 4254, 7.2). */
struct forward {
    struct engine *engine;
    struct buf out; /* what is to be sent: the owner appends and calls forward_flush, the engine
                       takes as much as the channel's window admits; FORWARD_OUT_MAX at most */
};

/* on_end comes exactly once, last, unless forward_close came first; the forward is gone then. From
 * an event, the functions forward_* of the same forward and the start of others may be called. */
struct forward_events {
    void (*on_opened)(void *context);
    void (*on_data)(void *context, struct slice data);
    void (*on_drain)(void *context); /* `out` has become empty */
    /* 0: the peer sends no more. SCOUT_E_CONNECT: the host did not connect, `text` (borrowed, may
     * be empty) says why. SCOUT_E_CONNECTION_LOST: the session ended. */
    void (*on_end)(void *context, int error, const char *text);
};

struct engine_ops {
    void (*free)(struct engine *e);
    int (*feed)(struct engine *e, struct slice data);
    void (*feed_end)(struct engine *e, int error);
    bool (*wants_input)(const struct engine *e);
    bool (*step)(struct engine *e);
    void (*signed_by_owner)(struct engine *e, struct slice signature);
    bool (*ping)(struct engine *e);
    void (*goodbye)(struct engine *e);
    int (*exec)(struct engine *e, const char *command, const struct exec_events *events,
                void *context, struct exec **out);
    int (*exec_write)(struct exec *x, struct slice data);
    void (*exec_end_input)(struct exec *x);
    void (*exec_pause)(struct exec *x, bool paused);
    void (*exec_abandon)(struct exec *x);
    void (*open_ahead)(struct engine *e, bool wanted);
    void (*host_key_settled)(struct engine *e, const struct failure *why);
    int (*forward)(struct engine *e, const char *host, uint16_t port,
                   const struct forward_events *events, void *context, struct forward **out);
    void (*forward_flush)(struct forward *f);
    void (*forward_pause)(struct forward *f, bool paused);
    void (*forward_close)(struct forward *f);
};

/* The common part, first member of every implementation. The fields are read-only for the owner. */
struct engine {
    const struct engine_ops *ops;
    enum engine_stage stage;
    struct buf out;         /* what is to be sent to the peer: the owner consumes it */
    size_t out_idle;        /* how much of `out` nobody waits for; the owner sets it to 0 when it
                               takes `out` */
    struct sftp *sftp;      /* requests may be started from ENGINE_READY on */
    bool has_sftp;          /* from ENGINE_READY on: whether the host offers SFTP */
    uint32_t channels;      /* occupied at the host: anchor, opening, open, closing; without
                               forwards, which no MaxSessions counts */
    bool ahead;             /* one of them is that of engine_open_ahead, and no command has it */
    uint32_t channels_max;  /* how many at once the host can stand, as its banner tells; 0: not
                               known.  From ENGINE_READY on */
    uint64_t rekeys, pings; /* counters */
    struct failure failure; /* of ENGINE_ENDED */
    char banner[128];       /* the peer's identification string, printable, may be empty */
};

struct exec {
    struct engine *engine;
};

/* Frees everything; what is in flight (SFTP requests, commands) is answered first, with
 * SCOUT_E_CONNECTION_LOST. Sends nothing. */
static inline void engine_free(struct engine *e)
{
    e->ops->free(e);
}

/* Bytes of the peer; kept until stepped. 0 or SCOUT_E_NOMEM / SCOUT_E_LIMIT. */
static inline int engine_feed(struct engine *e, struct slice data)
{
    return e->ops->feed(e, data);
}

/* The peer sends no more (0), or the transport broke (-errno). */
static inline void engine_feed_end(struct engine *e, int error)
{
    e->ops->feed_end(e, error);
}

/* False while enough input waits. */
static inline bool engine_wants_input(const struct engine *e)
{
    return e->ops->wants_input(e);
}

/* Goes on as far as input, output room and a budget allow. All events come from here, as does the
 * change of stage. Returns true when it must be stepped again although nothing new came; it must be
 * stepped again, too, when ENGINE_OUT_HIGH bytes or more of output have been consumed. */
static inline bool engine_step(struct engine *e)
{
    return e->ops->step(e);
}

/* The owner's answer to on_sign: the signature as SSH encodes it (string format, string bytes;
 * RFC 4253, 6.6), or empty: this identity cannot sign, the next one is tried. Then step. Without
 * effect when nothing is waited for. */
static inline void engine_signed(struct engine *e, struct slice signature)
{
    e->ops->signed_by_owner(e, signature);
}

/* The owner's answer to on_new_host or on_known_host: the key is accepted (why->error 0), or why it
 * is not; then step. Without effect when nothing is waited for. */
static inline void engine_host_key_settled(struct engine *e, const struct failure *why)
{
    e->ops->host_key_settled(e, why);
}

/* Asks the host for a sign of life over the anchor, then step; its answer arrives as input like any
 * other. One at a time: asking again before it came changes nothing. Returns false where the host
 * offers no means that is free of side effects and leaks. */
static inline bool engine_ping(struct engine *e)
{
    return e->ops->ping(e);
}

/* Appends to `out` that the session ends because its owner wants it to (RFC 4253, 11.1). From
 * ENGINE_READY on; nothing but engine_free comes after it. */
static inline void engine_goodbye(struct engine *e)
{
    e->ops->goodbye(e);
}

/* Starts a command on a channel of its own (RFC 4254, 6.5); then step. 0, SCOUT_E_NOMEM,
 * SCOUT_E_LIMIT (too long), SCOUT_E_CONNECTION_LOST (not ENGINE_READY). The string is copied. */
__attribute__((warn_unused_result)) static inline int engine_exec(struct engine *e,
                                                                  const char *command,
                                                                  const struct exec_events *events,
                                                                  void *context, struct exec **out)
{
    return e->ops->exec(e, command, events, context, out);
}

/* Appends to its stdin. 0, or SCOUT_E_LIMIT over EXEC_INPUT_MAX (wait for on_drain), SCOUT_E_NOMEM,
 * SCOUT_E_INVALID_ARGUMENT after exec_end_input. Then step. */
__attribute__((warn_unused_result)) static inline int exec_write(struct exec *x, struct slice data)
{
    return x->engine->ops->exec_write(x, data);
}

/* Its stdin ends after what was written. Then step. */
static inline void exec_end_input(struct exec *x)
{
    x->engine->ops->exec_end_input(x);
}

/* While paused no output is read, so the channel's window closes and the host's command waits. */
static inline void exec_pause(struct exec *x, bool paused)
{
    x->engine->ops->exec_pause(x, paused);
}

/* No event comes any more; its channel is closed behind it. Then step. The command may go on at the
 * host: stopping it is another matter (pool/command.h). */
static inline void exec_abandon(struct exec *x)
{
    x->engine->ops->exec_abandon(x);
}

/* Keeps a channel open for the next command, which then takes one round trip instead of two: from
 * now on, or not any more. Then step. The host may refuse it, or close it: then none is opened any
 * more on this session. Nor is one where channels_max is known. */
static inline void engine_open_ahead(struct engine *e, bool wanted)
{
    e->ops->open_ahead(e, wanted);
}

/* Asks the host to connect to `host` (a name is resolved there) and `port`; then step. One channel
 * is opened at a time, and the answer may take as long as the host tries to connect: so until then
 * no other forward and no command gets one, and forward_close ends that wait. 0, SCOUT_E_NOMEM,
 * SCOUT_E_LIMIT (too many), SCOUT_E_CONNECTION_LOST (not ENGINE_READY). */
__attribute__((warn_unused_result)) static inline int
engine_forward(struct engine *e, const char *host, uint16_t port,
               const struct forward_events *events, void *context, struct forward **out)
{
    return e->ops->forward(e, host, port, events, context, out);
}

/* Something was appended to f->out. Then step. */
static inline void forward_flush(struct forward *f)
{
    f->engine->ops->forward_flush(f);
}

/* While paused nothing is delivered, so the channel's window closes and the peer waits. Then step.
 */
static inline void forward_pause(struct forward *f, bool paused)
{
    f->engine->ops->forward_pause(f, paused);
}

/* No event comes any more, and the forward is the engine's: its channel is closed, or, when the
 * host has not answered yet, forgotten. Then step. */
static inline void forward_close(struct forward *f)
{
    f->engine->ops->forward_close(f);
}

/* Static name of the stage as clients see it: "handshake", "authenticating", "channel", "running".
 */
const char *engine_stage_name(enum engine_stage stage);

#endif
