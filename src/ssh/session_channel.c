/* One channel of libssh2, as both the anchor and the commands use it.
 *
 * Windows are ours. libssh2 widens a window by itself whenever it is read from, so that nothing
 * would ever hold a host back; it does not when the channel was opened with a window of 0, no more
 * is read than the window still admits, and the window is widened by hand. So everything is read as
 * soon as it came (libssh2 searches one queue from its start for each read: it must stay short),
 * and the window follows what the consumer took.
 *
 * A call that sends says "later" during a key exchange and is repeated with the same arguments.
 *
 * An open that waits for an answer cannot be taken back in SSH, and libssh2 has one at a time. When
 * its opener gives it up, RECV fails once while libssh2 waits: it then forgets that open, and
 * nothing else, since what it reads stays where it was. Numbers of channels are not given twice, so
 * the answer, when it comes, is nobody's: it lies in libssh2's queue until the session ends. Only
 * during a key exchange the failure is the session's. */
#include "session_state.h"

#define PACKET_SIZE 32768

static enum channel_verdict verdict_of(struct session *s, int rc)
{
    switch (rc) {
    case 0:
        return CHANNEL_DONE;
    case LIBSSH2_ERROR_EAGAIN:
        return CHANNEL_WAITS;
    case LIBSSH2_ERROR_CHANNEL_FAILURE:
    case LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED:
        return CHANNEL_REFUSED;
    default:
        session_end_by_libssh2(s, rc);
        return CHANNEL_BROKEN;
    }
}

static void grant(struct session_channel *c)
{
    if (libssh2_channel_receive_window_adjust2(c->ssh, c->granting, 1, NULL) !=
        LIBSSH2_ERROR_EAGAIN)
        c->granting = 0; /* a broken transport shows at the next drain */
}

/* The answer to an open that was begun; `message` is the same as then. */
static enum channel_verdict open_begun(struct session *s, struct session_channel *c,
                                       uint32_t window, struct slice message)
{
    const char *type = c->is_forward ? "direct-tcpip" : "session";
    c->ssh = libssh2_channel_open_ex(s->ssh, type, (unsigned)strlen(type), 0, PACKET_SIZE,
                                     (const char *)message.data, (unsigned)message.len);
    int rc = c->ssh ? 0 : libssh2_session_last_errno(s->ssh);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return CHANNEL_WAITS;
    s->opener = NULL;
    s->gate = true; /* from now on there is a channel to drain with */
    if (!c->is_forward) {
        s->place_came_free = s->frees != s->frees_at_answer;
        s->frees_at_answer = s->frees_at_open;
        s->engine.channels -= rc != 0;
    }
    if (rc == LIBSSH2_ERROR_TIMEOUT && c->is_forward)
        return CHANNEL_REFUSED; /* it is the other host that does not answer */
    if (rc != 0)
        return verdict_of(s, rc);
    c->granting = window;
    grant(c);
    return CHANNEL_DONE;
}

static enum channel_verdict open_channel(struct session *s, struct session_channel *c,
                                         const void *opener, uint32_t window, struct slice message)
{
    if (s->opener != opener) {
        if (s->opener)
            return CHANNEL_WAITS;
        s->opener = opener;
        *c = (struct session_channel){.is_forward = message.len > 0};
        if (!c->is_forward) {
            s->frees_at_open = s->frees;
            s->engine.channels++;
        }
    }
    return open_begun(s, c, window, message);
}

enum channel_verdict session_channel_open(struct session *s, struct session_channel *c,
                                          const void *opener, uint32_t window)
{
    return open_channel(s, c, opener, window, slice_of(NULL, 0));
}

enum channel_verdict session_channel_open_forward(struct session *s, struct session_channel *c,
                                                  const void *opener, uint32_t window,
                                                  struct slice message)
{
    return open_channel(s, c, opener, window, message);
}

enum channel_verdict session_channel_forget(struct session *s, struct session_channel *c,
                                            struct slice message)
{
    const char *type = "direct-tcpip";
    s->forgetting = true;
    c->ssh = libssh2_channel_open_ex(s->ssh, type, (unsigned)strlen(type), 0, PACKET_SIZE,
                                     (const char *)message.data, (unsigned)message.len);
    s->forgetting = false;
    int rc = c->ssh ? 0 : libssh2_session_last_errno(s->ssh);
    if (rc == LIBSSH2_ERROR_EAGAIN)
        return CHANNEL_WAITS; /* it has not been sent yet */
    s->opener = NULL;
    s->gate = true;
    if (rc == 0)
        return CHANNEL_DONE;
    return rc == LIBSSH2_ERROR_SOCKET_RECV || rc == LIBSSH2_ERROR_TIMEOUT ? CHANNEL_REFUSED
                                                                          : verdict_of(s, rc);
}

enum channel_verdict session_channel_request(struct session *s, struct session_channel *c,
                                             const char *type, const char *text, size_t len)
{
    int rc =
        libssh2_channel_process_startup(c->ssh, type, (unsigned)strlen(type), text, (unsigned)len);
    enum channel_verdict v = verdict_of(s, rc);
    /* It may also be closed without an answer to the request, and with output that hides that it
     * ended: so that is not asked for. */
    if (v == CHANNEL_WAITS && libssh2_channel_wait_closed(c->ssh) == 0)
        return CHANNEL_REFUSED;
    return v;
}

/* Each waits for its answer. What the host does not accept is left out, as ssh does it. */
enum channel_verdict session_channel_environment(struct session *s, struct session_channel *c)
{
    const char *all = s->config.environment ? s->config.environment : "";
    while (all[c->environment_at]) {
        const char *name = all + c->environment_at;
        size_t name_len = strcspn(name, "="), line_len = strcspn(name, "\n");
        int rc =
            libssh2_channel_setenv_ex(c->ssh, (char *)name, (unsigned)name_len, name + name_len + 1,
                                      (unsigned)(line_len - name_len - 1));
        enum channel_verdict v = verdict_of(s, rc);
        if (v == CHANNEL_WAITS && libssh2_channel_wait_closed(c->ssh) == 0)
            return CHANNEL_REFUSED;
        if (v == CHANNEL_WAITS || v == CHANNEL_BROKEN)
            return v;
        c->environment_at += line_len + (name[line_len] == '\n');
    }
    return CHANNEL_DONE;
}

ssize_t session_channel_read(struct session *s, struct session_channel *c, int stream, void *bytes,
                             size_t size)
{
    unsigned long waiting = 0;
    unsigned long window = libssh2_channel_window_read_ex(c->ssh, &waiting, NULL);
    if (waiting == 0 || window == 0)
        return 0;
    ssize_t n = libssh2_channel_read_ex(c->ssh, stream, bytes, size < window ? size : window);
    if (n >= 0 || n == LIBSSH2_ERROR_EAGAIN)
        return n < 0 ? 0 : n;
    session_end_by_libssh2(s, (int)n);
    return -1;
}

bool session_channel_is_dry(struct session *s, const struct session_channel *c)
{
    unsigned long waiting = 0;
    libssh2_channel_window_read_ex(c->ssh, &waiting, NULL);
    if (waiting == 0)
        return true;
    session_end(s, failure_set(&s->engine.failure, SCOUT_E_SSH_PROTOCOL,
                               "%s sent output that is neither stdout nor stderr", s->config.name));
    return false;
}

ssize_t session_channel_write(struct session *s, struct session_channel *c, struct slice bytes)
{
    if (libssh2_channel_window_write_ex(c->ssh, NULL) == 0)
        return 0;
    ssize_t n = libssh2_channel_write_ex(c->ssh, 0, (const char *)bytes.data, bytes.len);
    if (n >= 0 || n == LIBSSH2_ERROR_EAGAIN)
        return n < 0 ? 0 : n;
    session_end_by_libssh2(s, (int)n);
    return -1;
}

void session_channel_credit(struct session_channel *c, size_t len, uint32_t window)
{
    c->owed += (uint32_t)len;
    if (c->granting == 0 && c->owed >= window / 4) {
        c->granting = c->owed;
        c->owed = 0;
    }
    if (c->granting)
        grant(c);
}

enum channel_verdict session_channel_send_eof(struct session *s, struct session_channel *c)
{
    return verdict_of(s, libssh2_channel_send_eof(c->ssh));
}

bool session_channel_ended(const struct session_channel *c)
{
    return libssh2_channel_eof(c->ssh) != 0;
}

enum channel_verdict session_channel_closed(struct session *s, struct session_channel *c)
{
    return verdict_of(s, libssh2_channel_wait_closed(c->ssh));
}

bool session_channel_drop(struct session *s, struct session_channel *c)
{
    char bytes[4096];
    for (int stream = 0; stream <= SSH_EXTENDED_DATA_STDERR; stream++) {
        ssize_t n;
        while ((n = session_channel_read(s, c, stream, bytes, sizeof bytes)) > 0)
            ;
        if (n < 0)
            return false;
    }
    return session_channel_is_dry(s, c);
}

enum channel_verdict session_channel_free(struct session *s, struct session_channel *c)
{
    if (!session_channel_drop(s, c))
        return CHANNEL_BROKEN;
    if (libssh2_channel_free(c->ssh) == LIBSSH2_ERROR_EAGAIN)
        return CHANNEL_WAITS;
    c->ssh = NULL;
    if (c->is_forward)
        return CHANNEL_DONE;
    s->engine.channels--;
    s->frees++;
    return CHANNEL_DONE;
}
