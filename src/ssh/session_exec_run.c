/* A command while it runs: stdin as far as the window goes, both outputs, and at the end the
 * status.
 *
 * Output that comes while its owner paused it is held here, and the window is not widened for it:
 * SSH_EXEC_WINDOW bytes at most are held, and the host's command waits. It is not left in libssh2,
 * whose one queue is searched from its start for every read of every channel.
 *
 * Any event may abandon the command, so that is asked for after each. */
#include "session_state.h"

#define READ_SIZE 32768u

static bool write_input(struct session_exec *x)
{
    struct session *s = x->session;
    bool progress = false;
    while (!x->abandoned && buf_len(&x->input) > 0 && session_has_room(s)) {
        ssize_t n = session_channel_write(s, &x->channel, buf_peek(&x->input));
        if (n <= 0)
            return progress;
        buf_consume(&x->input, (size_t)n);
        progress = true;
    }
    if (!session_has_room(s))
        x->touched = true; /* no input may come before there is room again */
    if (x->abandoned || buf_len(&x->input) > 0)
        return progress;
    if (x->draining) {
        x->draining = false;
        if (x->events->on_drain)
            x->events->on_drain(x->context);
    }
    if (x->input_ended && !x->eof_sent && !x->abandoned && buf_len(&x->input) == 0 &&
        session_channel_send_eof(s, &x->channel) == CHANNEL_DONE)
        x->eof_sent = true;
    return progress;
}

static void deliver(struct session_exec *x, int stream, struct slice bytes)
{
    x->events->on_output(x->context, stream != 0, bytes);
    session_channel_credit(&x->channel, bytes.len, SSH_EXEC_WINDOW);
}

static void deliver_held(struct session_exec *x)
{
    for (int stream = 0; stream < 2; stream++) {
        struct buf *held = &x->held[stream];
        size_t len = buf_len(held);
        if (len == 0 || x->paused || x->abandoned)
            continue;
        deliver(x, stream, buf_peek(held));
        buf_consume(held, len);
    }
}

static bool hold(struct session_exec *x, int stream, struct slice bytes)
{
    struct session *s = x->session;
    if (buf_append(&x->held[stream], bytes) == 0)
        return true;
    session_end(s, failure_set(&s->engine.failure, SCOUT_E_NOMEM,
                               "No memory for the output of a command on %s", s->config.name));
    return false;
}

/* Everything that came, whoever takes it: see the head. */
static void read_output(struct session_exec *x)
{
    char bytes[READ_SIZE];
    struct session *s = x->session;
    for (int stream = 0; stream < 2; stream++) {
        ssize_t n;
        while (!x->abandoned &&
               (n = session_channel_read(s, &x->channel, stream, bytes, sizeof bytes)) > 0) {
            struct slice data = slice_of(bytes, (size_t)n);
            if (!x->paused && buf_len(&x->held[stream]) == 0)
                deliver(x, stream, data);
            else if (!hold(x, stream, data))
                return;
        }
        if (session_ended(s))
            return;
    }
    if (!x->abandoned)
        session_channel_is_dry(s, &x->channel);
}

static void take_result(struct session_exec *x)
{
    char *name = NULL;
    size_t len = 0;
    LIBSSH2_CHANNEL *channel = x->channel.ssh;
    libssh2_channel_get_exit_signal(channel, &name, &len, NULL, NULL, NULL, NULL);
    for (size_t i = 0; name && i < len && i + 1 < sizeof x->result.signal; i++)
        x->result.signal[i] = name[i] > ' ' && name[i] <= '~' ? name[i] : '?';
    if (name)
        libssh2_free(x->session->ssh, name);
    /* libssh2 does not tell a status of 0 from none: a channel that was closed in order, without a
     * signal, had one with every server that is known. */
    x->result.has_status = !x->result.signal[0];
    if (x->result.has_status)
        x->result.status = libssh2_channel_get_exit_status(channel);
}

bool session_exec_run(struct session_exec *x)
{
    struct session *s = x->session;
    bool progress = false;
    deliver_held(x);
    if (!x->abandoned)
        read_output(x);
    if (!session_ended(s) && !x->abandoned)
        session_channel_credit(&x->channel, 0, SSH_EXEC_WINDOW);
    if (!session_ended(s))
        progress = write_input(x);
    if (session_ended(s))
        return false;
    if (x->abandoned)
        return session_exec_enter(x, EXEC_CLOSING);
    if (buf_len(&x->held[0]) + buf_len(&x->held[1]) > 0 || !session_channel_ended(&x->channel) ||
        session_channel_closed(s, &x->channel) != CHANNEL_DONE)
        return progress;
    take_result(x);
    return session_exec_enter(x, EXEC_CLOSING);
}
