/* libssh2 over two buffers: its callbacks, its start and its end, and what its errors mean.
 *
 * RECV takes from `in`, SEND appends to `out` and always accepts everything (with a short SEND the
 * session would die as soon as a second channel writes while a packet is half sent). The descriptor
 * that libssh2 is given is a dummy that it never uses.
 *
 * The gate. Any libssh2 call may take packets off the transport for everybody, and a call that
 * waits for the answer to one request takes the answer to another for its own and fails (two exec
 * requests at once kill a channel). Also a closing channel counts as closed when any packet came.
 * Therefore input is taken by one call that wants none of it, session_drain, a read of no bytes;
 * all operations then look only at what it left in libssh2's queue. The gate is shut meanwhile:
 * RECV gives nothing, also not the end of the input, so that what came before the end is still
 * delivered. */
#include "session_guard.h"
#include "session_state.h"

#include "session_methods.h"
#include <errno.h>
#include <stdio.h>

#define LIBSSH2_VERSION_1_11 0x010b00
#define KEX_INIT_LEN_MIN     256 /* our KEXINIT is longer, every other packet of a drain shorter */
#define FREE_TRIES_MAX       64

int ssh_engine_init(void)
{
    return libssh2_init(0) == 0 ? 0 : SCOUT_E_INTERNAL;
}

void ssh_engine_exit(void)
{
    libssh2_exit();
}

/* ---- callbacks ---- */

/* What RECV gives when nothing more will come. libssh2 forgets the host key's object when a session
 * ends between the key exchange's reply and NEWKEYS: so the one packet that it may be waiting for
 * is given to it first. All that it does thereupon is to fail at the next one. */
static ssize_t recv_at_end(struct session *s, void *data, size_t len)
{
    static const uint8_t newkeys[16] = {0, 0, 0, 12, 10, 21}; /* RFC 4253, 6 and 7.3 */
    if (s->handshaken || s->newkeys_given || len < sizeof newkeys)
        return s->in_error || s->tearing_down ? -ECONNRESET : 0;
    s->newkeys_given = true;
    memcpy(data, newkeys, sizeof newkeys);
    return sizeof newkeys;
}

static ssize_t on_recv(libssh2_socket_t fd, void *data, size_t len, int flags, void **abstract)
{
    struct session *s = *abstract;
    (void)fd, (void)flags;
    size_t n = buf_len(&s->in);
    if (s->tearing_down || (n == 0 && s->in_ended && !s->gate))
        return recv_at_end(s, data, len);
    if (n > len)
        n = len;
    if (n > s->recv_budget)
        n = s->recv_budget;
    if (s->gate || n == 0)
        return s->forgetting ? -ECONNRESET : -EAGAIN;
    memcpy(data, buf_peek(&s->in).data, n);
    buf_consume(&s->in, n);
    s->recv_budget -= n;
    return (ssize_t)n;
}

static ssize_t on_send(libssh2_socket_t fd, const void *data, size_t len, int flags,
                       void **abstract)
{
    struct session *s = *abstract;
    (void)fd, (void)flags;
    if (s->tearing_down || s->auth.unanswered ||
        buf_append(&s->engine.out, slice_of(data, len)) != 0)
        return -ECONNRESET;
    if (s->draining && len >= KEX_INIT_LEN_MIN)
        s->engine.rekeys++; /* answers to the peer are all that a drain sends */
    return (ssize_t)len;
}

static void on_disconnect(LIBSSH2_SESSION *ssh, int reason, const char *message, int message_len,
                          const char *language, int language_len, void **abstract)
{
    struct session *s = *abstract;
    (void)ssh, (void)reason, (void)language, (void)language_len;
    size_t len = 0;
    for (int i = 0; message && i < message_len && len + 1 < sizeof s->goodbye; i++)
        s->goodbye[len++] = message[i] >= ' ' && message[i] <= '~' ? message[i] : '?';
    s->goodbye[len] = '\0';
    s->disconnected = true;
}

/* The type that libssh2 takes callbacks in: a data pointer until 1.11.0, whatever ISO C thinks of
 * that. */
#if LIBSSH2_VERSION_NUM >= 0x010b01
#define CALLBACK_SET libssh2_session_callback_set2
typedef libssh2_cb_generic *callback_pointer;
#else
#define CALLBACK_SET libssh2_session_callback_set
typedef void *callback_pointer;
#endif

static void set_callbacks(LIBSSH2_SESSION *ssh)
{
    union {
        ssize_t (*recv)(libssh2_socket_t, void *, size_t, int, void **);
        ssize_t (*send)(libssh2_socket_t, const void *, size_t, int, void **);
        void (*disconnect)(LIBSSH2_SESSION *, int, const char *, int, const char *, int, void **);
        callback_pointer pointer;
    } cast;
    cast.recv = on_recv;
    CALLBACK_SET(ssh, LIBSSH2_CALLBACK_RECV, cast.pointer);
    cast.send = on_send;
    CALLBACK_SET(ssh, LIBSSH2_CALLBACK_SEND, cast.pointer);
    cast.disconnect = on_disconnect;
    CALLBACK_SET(ssh, LIBSSH2_CALLBACK_DISCONNECT, cast.pointer);
}

/* ---- life ---- */

int session_transport_new(struct session *s)
{
    s->ssh = libssh2_session_init_ex(session_alloc, session_dealloc, session_realloc, s);
    if (!s->ssh)
        return SCOUT_E_NOMEM;
    set_callbacks(s->ssh);
    libssh2_session_set_blocking(s->ssh, 0);
    return session_methods_set(s->ssh, &s->config);
}

static void free_ssh(void *context)
{
    struct session *s = context;
    /* Both callbacks refuse from here on, so that freeing never waits for the peer. */
    s->tearing_down = true;
    s->gate = false;
    /* A key exchange that is under way frees what it has when it is called again and fails; freeing
     * the session alone would forget it. */
    if (!s->handshaken && !s->asserted)
        libssh2_session_handshake(s->ssh, SSH_DUMMY_DESCRIPTOR);
    int tries = 0;
    while (libssh2_session_free(s->ssh) == LIBSSH2_ERROR_EAGAIN && ++tries < FREE_TRIES_MAX)
        ; /* nothing can be waited for: this is only in case it wants to be asked again */
}

void session_transport_free(struct session *s)
{
    if (!s->ssh)
        return;
    /* What it does not get to free is ours to free, or libcrypto's: better lost than the process.
     */
    (void)!session_guard(free_ssh, s);
    s->ssh = NULL;
    session_memory_free(s);
}

static void disconnect(void *context)
{
    struct session *s = context;
    s->gate = true; /* nothing is taken in for it */
    (void)!libssh2_session_disconnect_ex(s->ssh, SSH_DISCONNECT_BY_APPLICATION,
                                         "disconnected by user", "");
}

void session_goodbye(struct engine *e)
{
    struct session *s = CONTAINER_OF(e, struct session, engine);
    if (s->ssh && !s->broken && !s->disconnected && !s->in_ended)
        (void)!session_guard(disconnect, s); /* what it left in `out` may go all the same */
}

/* ---- input ---- */

/* Any channel that libssh2 has: all are as good for a read of no bytes. */
static LIBSSH2_CHANNEL *any_channel(const struct session *s)
{
    if (s->anchor.channel.ssh)
        return s->anchor.channel.ssh;
    for (struct list *n = s->execs.next; n != &s->execs; n = n->next) {
        struct session_exec *x = CONTAINER_OF(n, struct session_exec, node);
        if (x->channel.ssh)
            return x->channel.ssh;
    }
    for (struct list *n = s->forwards.next; n != &s->forwards; n = n->next) {
        struct session_forward *f = CONTAINER_OF(n, struct session_forward, node);
        if (f->channel.ssh)
            return f->channel.ssh;
    }
    return s->ahead.channel.ssh;
}

bool session_drain(struct session *s)
{
    char none;
    LIBSSH2_CHANNEL *channel = any_channel(s);
    if (s->broken)
        s->gate = true;
    if (!channel || s->broken)
        return false; /* at most an open is under way, which takes input itself */
    size_t before = s->recv_budget;
    s->draining = true;
    ssize_t n = libssh2_channel_read_ex(channel, 0, &none, 0);
    s->draining = false;
    s->gate = true;
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        s->broken = (int)n;
    bool took = s->recv_budget != before;
    s->inputs += took;
    return took;
}

/* ---- errors ---- */

const char *session_last_error(struct session *s)
{
    char *text = NULL;
    libssh2_session_last_error(s->ssh, &text, NULL, 0);
    return text && text[0] ? text : "no reason given";
}

static const char without_1_11[] =
    ", which has neither chacha20-poly1305 nor GCM nor encrypt-then-MAC (1.11 has): allow "
    "aes128-ctr with hmac-sha2-256 on the server, or build scoutd with a newer libssh2: "
    "scripts/deps --libssh2-from-source";

static int describe_end(struct session *s, const char *during)
{
    struct failure *f = &s->engine.failure;
    const char *name = s->config.name;
    if (s->disconnected)
        return failure_set(f, SCOUT_E_CONNECTION_LOST, "%s closed the connection during %s: \"%s\"",
                           name, during, s->goodbye);
    return failure_set(f, SCOUT_E_CONNECTION_LOST, "%s %s the connection during %s", name,
                       s->in_error ? "broke" : "closed", during);
}

static int describe(struct session *s, int rc)
{
    struct failure *f = &s->engine.failure;
    const char *name = s->config.name, *stage = engine_stage_name(s->engine.stage);
    const char *during = s->engine.stage == ENGINE_READY ? "the session" : stage;
    if (s->disconnected || (s->in_ended && buf_len(&s->in) == 0))
        return describe_end(s, during);
    switch (rc) {
    case LIBSSH2_ERROR_KEX_FAILURE:
    case LIBSSH2_ERROR_METHOD_NONE:
    case LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
        return failure_set(f, SCOUT_E_NO_COMMON_ALGORITHM,
                           "Key exchange with %s failed: %s. It may share no key exchange, cipher, "
                           "MAC or host key algorithm with libssh2 %s%s",
                           name, session_last_error(s), libssh2_version(0),
                           libssh2_version(LIBSSH2_VERSION_1_11) ? "" : without_1_11);
    case LIBSSH2_ERROR_TIMEOUT:
        return failure_set(f, SCOUT_E_CONNECTION_LOST,
                           "%s left a request without an answer for 60 s during %s", name, during);
    case LIBSSH2_ERROR_ALLOC:
        if (!s->memory_refused)
            return failure_set(f, SCOUT_E_NOMEM, "No memory for the session with %s", name);
        return failure_set(f, SCOUT_E_SSH_PROTOCOL,
                           "The session with %s would need more than its %u KiB of memory: a "
                           "packet was damaged on the way, or the host sent some that nobody "
                           "asked for",
                           name, SSH_MEMORY_MAX / 1024);
    default:
        return failure_set(f, SCOUT_E_SSH_PROTOCOL,
                           "%s broke the SSH protocol during %s: %s (libssh2 %d)", name, stage,
                           session_last_error(s), rc);
    }
}

void session_end_by_libssh2(struct session *s, int rc)
{
    if (!session_ended(s))
        session_end(s, describe(s, rc));
}
