/* The inside of a session, shared by session*.c. What each file does is in its head; session.c has
 * the stages and the turn that everything else runs in. */
#ifndef SCOUT_SSH_SESSION_STATE_H
#define SCOUT_SSH_SESSION_STATE_H

#include "scout/base/container.h"
#include "scout/base/list.h"
#include "scout/ssh/session.h"
#include <libssh2.h>

/* One channel, as far as libssh2 has it. */
struct session_channel {
    LIBSSH2_CHANNEL *ssh;
    uint32_t owed;     /* bytes that were consumed and that the window does not admit again yet */
    uint32_t granting; /* an adjustment of the window that is under way */
    size_t environment_at; /* how far the environment has been told the host */
    bool request_begun;    /* a request of it may be on its way, and its answer outstanding */
    bool is_forward;       /* not a session's: it does not count among them */
};

#define SSH_DUMMY_DESCRIPTOR 0x7ffffff0 /* never used; -1 is refused by libssh2 */

enum anchor_state {
    ANCHOR_OPENING,   /* a channel for SFTP is being opened */
    ANCHOR_REQUESTED, /* the subsystem was asked for */
    ANCHOR_VERSION,   /* SFTP's first answer is waited for */
    ANCHOR_SFTP,      /* READY, with SFTP */
    ANCHOR_CLOSING,   /* the channel is of no use: closed, then NONE, or BARE_OPENING */
    ANCHOR_BARE_OPENING,
    ANCHOR_BARE, /* open only so that there is a channel */
    ANCHOR_NONE,
};

struct session_anchor {
    enum anchor_state state;
    struct session_channel channel;
    bool reopen;   /* CLOSING: a bare one is opened afterwards */
    bool unwanted; /* the owner wants none, or the host refused or closed a bare one */
};

enum ahead_state { AHEAD_NONE, AHEAD_OPENING, AHEAD_OPEN, AHEAD_CLOSING };

struct session_ahead {
    enum ahead_state state;
    bool wanted;
    bool refused; /* or closed by the host: there is none any more */
    struct session_channel channel;
};

enum exec_state { EXEC_QUEUED, EXEC_OPENING, EXEC_REQUESTED, EXEC_RUNNING, EXEC_CLOSING };

struct session_exec {
    struct exec exec; /* first */
    struct session *session;
    struct list node; /* in session->execs */
    enum exec_state state;
    struct session_channel channel;
    const struct exec_events *events;
    void *context;
    char *command;
    size_t command_len;
    struct buf input;   /* stdin that waits for the window */
    struct buf held[2]; /* stdout and stderr that came while paused */
    bool input_ended, eof_sent, draining;
    bool paused, abandoned;
    bool asked_again; /* after a refusal that may have been premature */
    bool touched;     /* its owner did something since it was last looked at */
    uint64_t seen;    /* session->inputs when it was last looked at */
    struct exec_result result;
};

enum host_key_wait { HOST_KEY_UNASKED, HOST_KEY_ASKED, HOST_KEY_ACCEPTED, HOST_KEY_REFUSED };

enum forward_state { FORWARD_QUEUED, FORWARD_OPENING, FORWARD_OPEN, FORWARD_CLOSING };

#define FORWARD_MESSAGE_MAX 512 /* host, port and originator of RFC 4254, 7.2 */

struct session_forward {
    struct forward forward; /* first */
    struct session *session;
    struct list node; /* in session->forwards */
    enum forward_state state;
    struct session_channel channel;
    const struct forward_events *events;
    void *context;
    struct buf held; /* what came while paused */
    bool paused, closed, draining;
    bool touched;  /* as in session_exec */
    uint64_t seen; /* likewise */
    uint8_t message[FORWARD_MESSAGE_MAX];
    uint32_t message_len;
};

enum auth_wait { AUTH_IDLE, AUTH_ASKED, AUTH_ANSWERED };

enum auth_method { AUTH_BY_KEY, AUTH_BY_QUESTIONS, AUTH_BY_PASSWORD };

struct session_auth {
    enum auth_method method;
    bool list_next; /* a signature was not enough: are keys still of use? */
    bool keys_over; /* they are not */
    bool questions_tried, password_tried;
    bool unanswered; /* the host asked what is not known: nothing is sent any more */
    char *password;  /* while it is being sent */
    size_t next;     /* identity */
    uint32_t tries;
    bool began;           /* the current identity was counted and its blob made */
    bool signed_once;     /* the current identity's signature was given */
    enum auth_wait wait;  /* for the owner's signature */
    struct buf signature; /* the owner's, or the key's, as SSH encodes it */
    struct buf blob;      /* as libssh2 is given it */
    struct buf refusals;  /* text: why identities were not offered or not taken */
};

/* What a request touches comes first and together, but for the engine's own part. */
struct session {
    struct engine engine; /* first */
    LIBSSH2_SESSION *ssh;
    struct buf in;
    size_t recv_budget, received;
    bool in_ended, handshaken, tearing_down, newkeys_given;
    bool gate;       /* RECV gives nothing: see session.c */
    bool draining;   /* within the call that takes input in */
    bool asserted;   /* libssh2 failed an assertion: see session_guard.c */
    int broken;      /* libssh2's error that the drain met */
    uint64_t inputs; /* turns in which input came */
    size_t memory_len;
    struct list memory; /* of libssh2, see session_memory.c */
    struct list execs;
    struct list forwards;
    const void *opener; /* the anchor, the exec or the one opened ahead whose channel is being
                           opened; libssh2 keeps the state of one open in the session */
    struct session_anchor anchor;
    struct session_ahead ahead;
    uint32_t exec_count, forward_count;
    bool forgetting; /* RECV fails, so that an open that is under way is given up */
    int in_error;
    bool memory_refused; /* more than SSH_MEMORY_MAX was asked for */
    bool disconnected;
    bool place_came_free; /* between the last two opens: see session_exec.c */
    uint64_t frees, frees_at_open, frees_at_answer; /* channels freed: ever; when the open that is
                             under way, and the one that was answered last, had been begun */
    struct sftp_request ping;
    enum host_key_wait host_key_wait; /* for the owner's word on a host that is new */
    struct session_auth auth;
    struct engine_config config;
    char goodbye[200]; /* what the peer said with DISCONNECT */
};

/* session.c: names the failure (already in engine.failure) and ends. */
void session_end(struct session *s, int error);
static inline bool session_ended(const struct session *s)
{
    return s->engine.stage == ENGINE_ENDED;
}
/* It is the input that ended: what came before it is whole. */
static inline bool session_hung_up(const struct session *s)
{
    return s->broken == LIBSSH2_ERROR_SOCKET_RECV || s->broken == LIBSSH2_ERROR_SOCKET_DISCONNECT;
}
static inline bool session_has_room(const struct session *s)
{
    return buf_len(&s->engine.out) < ENGINE_OUT_HIGH;
}

/* session_transport.c */
int session_transport_new(struct session *s);
void session_transport_free(struct session *s);
void session_goodbye(struct engine *e);
/* Takes in what came, for every channel, as far as the budget goes. True when something came. */
bool session_drain(struct session *s);
void session_end_by_libssh2(struct session *s, int rc);
const char *session_last_error(struct session *s);

/* session_memory.c: libssh2's allocator, with a limit, and without what it would leak. */
void *session_alloc(size_t len, void **abstract);
void *session_realloc(void *old, size_t len, void **abstract);
void session_dealloc(void *bytes, void **abstract);
void session_memory_free(struct session *s);

/* session_handshake.c, session_auth.c, session_anchor.c, session_exec.c: one turn each; true when
 * it got further. */
bool session_handshake(struct session *s);
bool session_authenticate(struct session *s);
bool session_anchor_step(struct session *s);
bool session_execs_step(struct session *s);
bool session_forwards_step(struct session *s); /* session_forward.c */

/* session_prompts.c: one turn of a method that asks a person. */
bool session_questions(struct session *s);
bool session_password(struct session *s);
void session_password_wipe(struct session_auth *a);
/* session_auth_methods.c. Whether there is a key that may still be offered. */
bool session_auth_has_identity(const struct session *s);
/* Asks the host what it would take; true when there is something of it to try. */
bool session_auth_list_methods(struct session *s);
/* Ends it; `methods` may be NULL. */
void session_auth_fail(struct session *s, const char *methods);
/* session_auth.c, for these: why it ended on the peer's side. */
void session_auth_end_by_peer(struct session *s, int rc);
__attribute__((format(printf, 2, 3))) void session_auth_note(struct session *s, const char *fmt,
                                                             ...);

void session_host_key_settled(struct session *s, const struct failure *why);

void session_auth_init(struct session_auth *a);
void session_auth_fini(struct session_auth *a);
void session_auth_signed(struct session *s, struct slice signature);

void session_sftp_ready(void *context, int error);
bool session_anchor_ping(struct session *s);
/* Gives up a bare anchor's place. False when there is none to give. */
bool session_anchor_yield(struct session *s);

/* session_ahead.c */
void session_open_ahead(struct engine *e, bool wanted);
bool session_ahead_step(struct session *s);
/* Gives the channel that was opened ahead to a command; false when there is none. */
bool session_ahead_take(struct session *s, struct session_channel *out);

int session_exec_new(struct engine *e, const char *command, const struct exec_events *events,
                     void *context, struct exec **out);
int session_exec_write(struct exec *x, struct slice data);
void session_exec_end_input(struct exec *x);
void session_exec_pause(struct exec *x, bool paused);
void session_exec_abandon(struct exec *x);
/* One turn of a RUNNING one, in session_exec_run.c. */
bool session_exec_run(struct session_exec *x);
/* A new state is looked at in the next round, although no input came. Returns true. */
static inline bool session_exec_enter(struct session_exec *x, enum exec_state state)
{
    x->state = state;
    x->touched = true;
    return true;
}
/* Tells every command that the session ended, and frees them. */
void session_execs_fail(struct session *s);

int session_forward_new(struct engine *e, const char *host, uint16_t port,
                        const struct forward_events *events, void *context, struct forward **out);
void session_forward_flush(struct forward *f);
void session_forward_pause(struct forward *f, bool paused);
void session_forward_close(struct forward *f);
/* Tells every forward that the session ended, and frees them. */
void session_forwards_fail(struct session *s);

/* session_channel.c */
enum channel_verdict {
    CHANNEL_WAITS,
    CHANNEL_DONE,
    CHANNEL_REFUSED,
    CHANNEL_BROKEN, /* the session has ended */
};

enum channel_verdict session_channel_open(struct session *s, struct session_channel *c,
                                          const void *opener, uint32_t window);
/* Likewise, one of the type direct-tcpip, with the message that RFC 4254, 7.2 has for it. */
enum channel_verdict session_channel_open_forward(struct session *s, struct session_channel *c,
                                                  const void *opener, uint32_t window,
                                                  struct slice message);
/* The opener gives up an open that has not been answered: DONE when it had been answered, after
 * all, and the channel is there; REFUSED when there is none; WAITS: it is to be called again; or
 * BROKEN. */
enum channel_verdict session_channel_forget(struct session *s, struct session_channel *c,
                                            struct slice message);
/* Tells the host the environment of commands. DONE: all of it; REFUSED: the channel is closed. */
enum channel_verdict session_channel_environment(struct session *s, struct session_channel *c);
enum channel_verdict session_channel_request(struct session *s, struct session_channel *c,
                                             const char *type, const char *text, size_t len);
/* Bytes that wait, up to `size`: 0 when there are none. -1: broken. */
ssize_t session_channel_read(struct session *s, struct session_channel *c, int stream, void *bytes,
                             size_t size);
/* After both streams were read until nothing was left: false when something is, which then is of no
 * kind that is known (RFC 4254, 5.2) and could never be read; the session has ended. */
bool session_channel_is_dry(struct session *s, const struct session_channel *c);
/* Bytes taken, 0 when none can be now. -1: broken. */
ssize_t session_channel_write(struct session *s, struct session_channel *c, struct slice bytes);
/* `len` bytes of what was read are consumed: the window admits as many again, in good time. */
void session_channel_credit(struct session_channel *c, size_t len, uint32_t window);
enum channel_verdict session_channel_send_eof(struct session *s, struct session_channel *c);
/* The peer sends nothing more on it, and all was read. */
bool session_channel_ended(const struct session_channel *c);
/* DONE when the peer's CLOSE came, in a channel that ended. */
enum channel_verdict session_channel_closed(struct session *s, struct session_channel *c);
/* Reads what came and drops it: nobody wants it, but it must not lie in libssh2's queue. False when
 * the session ended. */
bool session_channel_drop(struct session *s, struct session_channel *c);
/* Closes and frees it; DONE when its place at the host is free. */
enum channel_verdict session_channel_free(struct session *s, struct session_channel *c);

#endif
