/* The session's state machine over libssh2.
 *
 * libssh2 is driven with two callbacks over memory: RECV takes from `in`, SEND appends to `out` and
 * always accepts everything (with a short SEND the session would die as soon as a second channel
 * writes while a packet is half sent). Therefore no call that may send is made unless `out` is
 * below its high mark. The descriptor that libssh2 is given is a dummy that it never uses.
 *
 *   HANDSHAKE --host key known--> AUTHENTICATING --accepted--> CHANNEL --VERSION--> READY
 *        \____________________________\__________________________\_______________/
 *                                      any error: ENDED
 *
 * RECV has a budget for each step, so that one busy host does not hold up the others; what is left
 * is taken at the next step. Any libssh2 call drains the transport for everybody, which is why
 * there is no readiness per channel: a step goes on until nothing progresses. */
#include "scout/ssh/session.h"

#include <assert.h>
#include <errno.h>
#include <libssh2.h>
#include <stdio.h>
#include <stdlib.h>

#include "session_methods.h"

#define DUMMY_DESCRIPTOR 0x7ffffff0 /* -1 is refused by libssh2 */
#define READ_SIZE        65536u

struct ssh_session {
    struct ssh_session_config config;
    LIBSSH2_SESSION *ssh;
    LIBSSH2_CHANNEL *channel;
    bool subsystem_started, tearing_down;
    struct sftp *sftp;
    struct buf in, out;
    bool in_ended;
    int in_error;
    size_t recv_budget, received;
    size_t next_key;
    enum ssh_stage stage;
    struct failure failure;
};

int ssh_engine_init(void)
{
    return libssh2_init(0) == 0 ? 0 : SCOUT_E_INTERNAL;
}

void ssh_engine_exit(void)
{
    libssh2_exit();
}

/* ---- the two callbacks ---- */

static ssize_t on_recv(libssh2_socket_t fd, void *data, size_t len, int flags, void **abstract)
{
    struct ssh_session *s = *abstract;
    (void)fd, (void)flags;
    if (s->tearing_down)
        return -ECONNRESET;
    size_t n = buf_len(&s->in);
    if (n == 0)
        return !s->in_ended ? -EAGAIN : s->in_error ? -ECONNRESET : 0;
    if (n > len)
        n = len;
    if (n > s->recv_budget)
        n = s->recv_budget;
    if (n == 0)
        return -EAGAIN;
    memcpy(data, buf_peek(&s->in).data, n);
    buf_consume(&s->in, n);
    s->recv_budget -= n;
    return (ssize_t)n;
}

static ssize_t on_send(libssh2_socket_t fd, const void *data, size_t len, int flags,
                       void **abstract)
{
    struct ssh_session *s = *abstract;
    (void)fd, (void)flags;
    if (s->tearing_down || buf_append(&s->out, slice_of(data, len)) != 0)
        return -ECONNRESET;
    return (ssize_t)len;
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
        callback_pointer pointer;
    } cast;
    cast.recv = on_recv;
    CALLBACK_SET(ssh, LIBSSH2_CALLBACK_RECV, cast.pointer);
    cast.send = on_send;
    CALLBACK_SET(ssh, LIBSSH2_CALLBACK_SEND, cast.pointer);
}

/* ---- life ---- */

int ssh_session_new(struct ssh_session **out, const struct ssh_session_config *config)
{
    struct ssh_session *s = calloc(1, sizeof *s);
    if (!s)
        return SCOUT_E_NOMEM;
    s->config = *config;
    buf_init(&s->in, SSH_IN_MAX);
    buf_init(&s->out, SSH_OUT_MAX);
    s->ssh = libssh2_session_init_ex(NULL, NULL, NULL, s);
    if (!s->ssh || sftp_new(&s->sftp, SSH_SFTP_OUT_MAX) != 0) {
        ssh_session_free(s);
        return SCOUT_E_NOMEM;
    }
    set_callbacks(s->ssh);
    libssh2_session_set_blocking(s->ssh, 0);
    int error = session_methods_set(s->ssh, config->known_hosts, config->host, config->port);
    if (error) {
        ssh_session_free(s);
        return error;
    }
    *out = s;
    return 0;
}

void ssh_session_free(struct ssh_session *s)
{
    if (s->stage != SSH_ENDED)
        failure_set(&s->failure, SCOUT_E_CONNECTION_LOST, "The connection to %s was closed",
                    s->config.name);
    s->stage = SSH_ENDED;
    if (s->sftp) {
        sftp_fail(s->sftp, s->failure.error);
        sftp_free(s->sftp);
    }
    /* Both callbacks now refuse, so that freeing never waits for the peer. */
    s->tearing_down = true;
    if (s->ssh) {
        int rc, tries = 0;
        while ((rc = libssh2_session_free(s->ssh)) == LIBSSH2_ERROR_EAGAIN)
            assert(++tries < 64);
    }
    buf_fini(&s->in);
    buf_fini(&s->out);
    free(s);
}

static void end_with(struct ssh_session *s, int error)
{
    s->failure.error = error;
    s->failure.stage = ssh_session_stage_name(s);
    s->stage = SSH_ENDED;
    sftp_fail(s->sftp, SCOUT_E_CONNECTION_LOST);
}

#define LIBSSH2_VERSION_1_11 0x010b00

static const char without_1_11[] =
    ", which has neither chacha20-poly1305 nor GCM nor encrypt-then-MAC (1.11 has): allow "
    "aes128-ctr with hmac-sha2-256 on the server, or use a newer libssh2";

static const char *last_error(struct ssh_session *s)
{
    char *text = NULL;
    libssh2_session_last_error(s->ssh, &text, NULL, 0);
    return text && text[0] ? text : "no reason given";
}

/* The end of the transport as libssh2 met it, told apart from a peer that broke the protocol. */
static void end_by_libssh2(struct ssh_session *s, int rc)
{
    const char *name = s->config.name;
    int error = SCOUT_E_SSH_PROTOCOL;
    if (s->in_ended && buf_len(&s->in) == 0) {
        error = SCOUT_E_CONNECTION_LOST;
        failure_set(&s->failure, error, "%s %s the connection during %s", name,
                    s->in_error ? "broke" : "closed",
                    s->stage == SSH_READY ? "the session" : ssh_session_stage_name(s));
    } else if (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_METHOD_NONE ||
               rc == LIBSSH2_ERROR_METHOD_NOT_SUPPORTED) {
        error = SCOUT_E_NO_COMMON_ALGORITHM;
        failure_set(&s->failure, error,
                    "Key exchange with %s failed: %s. It may share no key exchange, cipher, MAC or "
                    "host key algorithm with libssh2 %s%s",
                    name, last_error(s), libssh2_version(0),
                    libssh2_version(LIBSSH2_VERSION_1_11) ? "" : without_1_11);
    } else {
        failure_set(&s->failure, error, "%s broke the SSH protocol during %s: %s (libssh2 %d)",
                    name, ssh_session_stage_name(s), last_error(s), rc);
    }
    end_with(s, error);
}

/* ---- input and output ---- */

int ssh_session_feed(struct ssh_session *s, struct slice data)
{
    s->received += data.len;
    return buf_append(&s->in, data);
}

void ssh_session_feed_end(struct ssh_session *s, int error)
{
    s->in_ended = true;
    s->in_error = error;
}

bool ssh_session_wants_input(const struct ssh_session *s)
{
    return buf_len(&s->in) < SSH_IN_HIGH;
}

struct buf *ssh_session_output(struct ssh_session *s)
{
    return &s->out;
}

/* ---- the stages: each returns true when it got further ---- */

static int refuse_host_key(struct ssh_session *s, enum known_hosts_verdict verdict,
                           const char *line)
{
    const char *name = s->config.name, *host = s->config.host;
    switch (verdict) {
    case KNOWN_HOSTS_MATCH:
        return 0;
    case KNOWN_HOSTS_CHANGED:
        return failure_set(&s->failure, SCOUT_E_HOST_KEY_CHANGED,
                           "The host key of %s (%s) is not the one in %s. Somebody may be "
                           "listening in, or the host was set up anew: check its fingerprint, then "
                           "remove the old entry with ssh-keygen -R",
                           name, host, line);
    case KNOWN_HOSTS_REVOKED:
        return failure_set(&s->failure, SCOUT_E_HOST_KEY_REVOKED,
                           "The host key of %s (%s) is marked @revoked in %s", name, host, line);
    case KNOWN_HOSTS_CA_ONLY:
        return failure_set(&s->failure, SCOUT_E_HOST_KEY_UNKNOWN,
                           "%s (%s) is known only by a certificate authority (%s), and host "
                           "certificates cannot be verified here: add its plain key to known_hosts",
                           name, host, line);
    case KNOWN_HOSTS_UNKNOWN:
        break;
    }
    return failure_set(&s->failure, SCOUT_E_HOST_KEY_UNKNOWN,
                       "The host key of %s (%s, port %u) is not in known_hosts. Check its "
                       "fingerprint and add it: connect once with ssh, or use ssh-keyscan",
                       name, host, s->config.port);
}

static bool step_handshake(struct ssh_session *s)
{
    if (s->received > SSH_HANDSHAKE_BYTES_MAX) {
        failure_set(&s->failure, SCOUT_E_SSH_PROTOCOL,
                    "%s sent more than %u bytes before the key exchange was done", s->config.name,
                    SSH_HANDSHAKE_BYTES_MAX);
        end_with(s, SCOUT_E_SSH_PROTOCOL);
        return false;
    }
    int rc = libssh2_session_handshake(s->ssh, DUMMY_DESCRIPTOR);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return false;
    if (rc != 0) {
        end_by_libssh2(s, rc);
        return false;
    }
    size_t len = 0;
    int type = 0;
    char line[512] = "";
    const char *key = libssh2_session_hostkey(s->ssh, &len, &type);
    enum known_hosts_verdict verdict =
        key ? known_hosts_check(s->config.known_hosts, s->config.host, s->config.port,
                                slice_of(key, len), line, sizeof line)
            : KNOWN_HOSTS_UNKNOWN;
    int error = refuse_host_key(s, verdict, line);
    if (error) {
        end_with(s, error);
        return false;
    }
    s->stage = SSH_AUTHENTICATING;
    return true;
}

static int on_sign(LIBSSH2_SESSION *ssh, unsigned char **signature, size_t *signature_len,
                   const unsigned char *data, size_t data_len, void **abstract)
{
    const struct ssh_key *key = *abstract;
    (void)ssh;
    *signature = malloc(KEY_SIGNATURE_SIZE); /* freed by libssh2, whose allocator is malloc */
    if (!*signature || ssh_key_sign(key, slice_of(data, data_len), *signature) != 0)
        return -1;
    *signature_len = KEY_SIGNATURE_SIZE;
    return 0;
}

static bool step_authentication(struct ssh_session *s)
{
    while (s->next_key < s->config.key_count) {
        const struct ssh_key *key = s->config.keys[s->next_key];
        struct slice blob = ssh_key_public(key);
        void *abstract = (void *)(uintptr_t)key;
        int rc = libssh2_userauth_publickey(s->ssh, s->config.user, blob.data, blob.len, on_sign,
                                            &abstract);
        if (rc == LIBSSH2_ERROR_EAGAIN)
            return false;
        if (rc == 0) {
            s->stage = SSH_CHANNEL;
            return true;
        }
        if (rc != LIBSSH2_ERROR_AUTHENTICATION_FAILED && rc != LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED) {
            end_by_libssh2(s, rc);
            return false;
        }
        s->next_key++;
    }
    failure_set(&s->failure, SCOUT_E_AUTH,
                "%s does not accept user %s with %zu key%s tried: check User and IdentityFile of "
                "this host in the ssh configuration, and its authorized_keys",
                s->config.name, s->config.user, s->config.key_count,
                s->config.key_count == 1 ? "" : "s");
    end_with(s, SCOUT_E_AUTH);
    return false;
}

static void on_sftp_ready(void *context, int error)
{
    struct ssh_session *s = context;
    if (error == 0)
        s->stage = SSH_READY;
}

/* Tells "not yet" from "no": true when the stage goes on later or has ended. */
static bool channel_waits(struct ssh_session *s, int rc)
{
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return true;
    if (rc == 0)
        return false;
    if (rc == LIBSSH2_ERROR_CHANNEL_FAILURE || rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED) {
        failure_set(&s->failure, SCOUT_E_SFTP_UNAVAILABLE,
                    "%s lets the user in but offers no SFTP: %s", s->config.name, last_error(s));
        end_with(s, SCOUT_E_SFTP_UNAVAILABLE);
    } else {
        end_by_libssh2(s, rc);
    }
    return true;
}

static bool step_channel_open(struct ssh_session *s)
{
    if (!s->channel) {
        s->channel =
            libssh2_channel_open_ex(s->ssh, "session", sizeof "session" - 1, SSH_CHANNEL_WINDOW,
                                    LIBSSH2_CHANNEL_PACKET_DEFAULT, NULL, 0);
        int rc = s->channel ? 0 : libssh2_session_last_errno(s->ssh);
        if (channel_waits(s, rc))
            return false;
    }
    if (!s->subsystem_started) {
        int rc = libssh2_channel_process_startup(s->channel, "subsystem", sizeof "subsystem" - 1,
                                                 "sftp", sizeof "sftp" - 1);
        if (channel_waits(s, rc))
            return false;
        s->subsystem_started = true;
        /* What sftp-server says on stderr is nobody's, but would fill the shared window. */
        libssh2_channel_handle_extended_data2(s->channel, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
        if (sftp_start(s->sftp, on_sftp_ready, s) != 0) {
            failure_set(&s->failure, SCOUT_E_NOMEM, "No memory for the SFTP channel to %s",
                        s->config.name);
            end_with(s, SCOUT_E_NOMEM);
            return false;
        }
        return true;
    }
    return false;
}

/* ---- the SFTP channel's bytes ---- */

static bool pump_write(struct ssh_session *s)
{
    bool progress = false;
    while (buf_len(&s->out) < SSH_OUT_HIGH) {
        struct buf *requests =
            sftp_output(s->sftp); /* asked for each time: waiting closes move in */
        struct slice bytes = buf_peek(requests);
        if (bytes.len == 0)
            break;
        ssize_t n = libssh2_channel_write_ex(s->channel, 0, (const char *)bytes.data, bytes.len);
        if (n == LIBSSH2_ERROR_EAGAIN || n == 0)
            break;
        if (n < 0) {
            end_by_libssh2(s, (int)n);
            return false;
        }
        buf_consume(requests, (size_t)n);
        progress = true;
    }
    return progress;
}

static bool pump_read(struct ssh_session *s)
{
    char data[READ_SIZE];
    bool progress = false;
    while (buf_len(&s->out) < SSH_OUT_HIGH) {
        ssize_t n = libssh2_channel_read_ex(s->channel, 0, data, sizeof data);
        if (n == LIBSSH2_ERROR_EAGAIN)
            break;
        if (n < 0) {
            end_by_libssh2(s, (int)n);
            return false;
        }
        if (n == 0) {
            if (!libssh2_channel_eof(s->channel))
                break;
            failure_set(&s->failure, SCOUT_E_CONNECTION_LOST,
                        s->stage == SSH_CHANNEL ? "%s ended the SFTP channel before it answered: "
                                                  "its sftp subsystem does not start"
                                                : "%s ended the SFTP channel",
                        s->config.name);
            end_with(s,
                     s->stage == SSH_CHANNEL ? SCOUT_E_SFTP_UNAVAILABLE : SCOUT_E_CONNECTION_LOST);
            return false;
        }
        progress = true;
        int error = sftp_feed(s->sftp, slice_of(data, (size_t)n));
        if (error) {
            failure_set(&s->failure, error, "The SFTP server of %s broke the protocol",
                        s->config.name);
            end_with(s, error);
            return false;
        }
    }
    return progress;
}

bool ssh_session_step(struct ssh_session *s)
{
    bool progress = true;
    s->recv_budget = SSH_RECV_BUDGET;
    while (progress && s->stage != SSH_ENDED && buf_len(&s->out) < SSH_OUT_HIGH) {
        progress = false;
        if (s->stage == SSH_HANDSHAKE)
            progress = step_handshake(s);
        if (s->stage == SSH_AUTHENTICATING)
            progress = step_authentication(s) || progress;
        if (s->stage == SSH_CHANNEL && !s->subsystem_started)
            progress = step_channel_open(s) || progress;
        if ((s->stage == SSH_CHANNEL && s->subsystem_started) || s->stage == SSH_READY) {
            progress = pump_read(s) || progress;
            if (s->stage != SSH_ENDED)
                progress = pump_write(s) || progress;
        }
    }
    return s->stage != SSH_ENDED && s->recv_budget == 0 && buf_len(&s->in) > 0;
}

/* ---- what others ask ---- */

enum ssh_stage ssh_session_stage(const struct ssh_session *s)
{
    return s->stage;
}

const char *ssh_session_stage_name(const struct ssh_session *s)
{
    static const char *const names[] = {
        [SSH_HANDSHAKE] = "handshake", [SSH_AUTHENTICATING] = "authenticating",
        [SSH_CHANNEL] = "channel",     [SSH_READY] = "running",
        [SSH_ENDED] = "running",
    };
    return names[s->stage];
}

const struct failure *ssh_session_failure(const struct ssh_session *s)
{
    return &s->failure;
}

struct sftp *ssh_session_sftp(struct ssh_session *s)
{
    return s->sftp;
}
