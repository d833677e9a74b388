/* The anchor: the channel that is open as long as the session lives. Without one, nothing would
 * read what the host asks of the session (its ClientAlive, a key exchange). It carries SFTP where
 * the host has it.
 *
 *   OPENING --> REQUESTED --> VERSION --version came--> SFTP      (READY, has_sftp)
 *                   | refused     | it ends at once
 *                   v             v
 *                  BARE        CLOSING --> BARE_OPENING --> BARE  (READY)
 *                                    \--> NONE
 *
 * A host that lets only one channel be open gets none that is bare: it goes through CLOSING to NONE
 * before the session is READY. So does a bare anchor that takes the last place from a command
 * (session_anchor_yield), to be opened again when there are no commands. A session that is for
 * commands alone begins with NONE. When SFTP ends after READY, the session ends. */
#include "session_state.h"

#define READ_SIZE 65536u

void session_sftp_ready(void *context, int error)
{
    struct session *s = context;
    if (error)
        return;
    s->anchor.state = ANCHOR_SFTP;
    s->engine.has_sftp = true;
    if (s->engine.channels_max)
        s->engine.channels_max++; /* that many beside SFTP */
    s->engine.stage = ENGINE_READY;
}

static bool without_sftp(struct session *s, enum anchor_state next)
{
    struct session_anchor *a = &s->anchor;
    bool one_only = s->engine.channels_max == 1;
    a->state = one_only ? ANCHOR_CLOSING : next;
    a->reopen = !one_only && next == ANCHOR_CLOSING;
    sftp_fail(s->engine.sftp, SCOUT_E_SFTP_UNAVAILABLE);
    if (!one_only)
        s->engine.stage = ENGINE_READY;
    return true;
}

bool session_anchor_yield(struct session *s)
{
    if (s->anchor.state != ANCHOR_BARE)
        return s->anchor.state == ANCHOR_CLOSING;
    s->anchor.state = ANCHOR_CLOSING;
    s->anchor.reopen = false;
    return true;
}

static bool step_open(struct session *s)
{
    struct session_anchor *a = &s->anchor;
    enum channel_verdict v = session_channel_open(s, &a->channel, a, SSH_SFTP_WINDOW);
    if (v == CHANNEL_REFUSED)
        session_end(s, failure_set(&s->engine.failure, SCOUT_E_NO_CHANNEL,
                                   "%s lets the user in but opens no channel: %s", s->config.name,
                                   session_last_error(s)));
    if (v != CHANNEL_DONE)
        return false;
    a->state = ANCHOR_REQUESTED;
    return true;
}

static bool step_request(struct session *s)
{
    struct session_anchor *a = &s->anchor;
    enum channel_verdict v =
        session_channel_request(s, &a->channel, "subsystem", "sftp", sizeof "sftp" - 1);
    if (v == CHANNEL_REFUSED)
        return without_sftp(s, session_channel_ended(&a->channel) ? ANCHOR_CLOSING : ANCHOR_BARE);
    if (v != CHANNEL_DONE)
        return false;
    a->state = ANCHOR_VERSION; /* the client's first packet waits to be written */
    return true;
}

/* ---- SFTP's bytes ---- */

static bool write_requests(struct session *s)
{
    bool progress = false;
    while (session_has_room(s)) {
        struct buf *requests = sftp_output(s->engine.sftp); /* anew: waiting closes move in */
        struct slice bytes = buf_peek(requests);
        if (bytes.len == 0)
            break;
        ssize_t n = session_channel_write(s, &s->anchor.channel, bytes);
        if (n <= 0)
            break;
        buf_consume(requests, (size_t)n);
        buf_relax(requests);
        progress = true;
    }
    return progress;
}

/* What the SFTP server says on stderr is nobody's, but would fill the shared window. */
static void drop_stderr(struct session *s)
{
    char bytes[4096];
    ssize_t n;
    while ((n = session_channel_read(s, &s->anchor.channel, SSH_EXTENDED_DATA_STDERR, bytes,
                                     sizeof bytes)) > 0)
        session_channel_credit(&s->anchor.channel, (size_t)n, SSH_SFTP_WINDOW);
}

static void end_of_sftp(struct session *s)
{
    if (s->anchor.state == ANCHOR_VERSION) {
        without_sftp(s, ANCHOR_CLOSING); /* the subsystem's program is not there */
        return;
    }
    session_end(s, failure_set(&s->engine.failure, SCOUT_E_CONNECTION_LOST,
                               "%s ended the SFTP channel", s->config.name));
}

static bool read_replies(struct session *s)
{
    uint8_t bytes[READ_SIZE];
    struct session_anchor *a = &s->anchor;
    bool progress = false;
    ssize_t n = -1;
    while (session_has_room(s) &&
           (n = session_channel_read(s, &a->channel, 0, bytes, sizeof bytes)) > 0) {
        progress = true;
        int error = sftp_feed(s->engine.sftp, slice_of(bytes, (size_t)n));
        if (error) {
            session_end(s, failure_set(&s->engine.failure, error,
                                       "The SFTP server of %s broke the protocol", s->config.name));
            return false;
        }
        session_channel_credit(&a->channel, (size_t)n, SSH_SFTP_WINDOW);
    }
    if (!session_ended(s))
        drop_stderr(s);
    if (!session_ended(s) && n == 0 && session_channel_is_dry(s, &a->channel) &&
        session_channel_ended(&a->channel))
        end_of_sftp(s);
    return progress;
}

static bool step_sftp(struct session *s)
{
    bool progress = read_replies(s);
    if (session_ended(s) || s->anchor.state == ANCHOR_CLOSING)
        return true;
    session_channel_credit(&s->anchor.channel, 0, SSH_SFTP_WINDOW);
    return write_requests(s) || progress;
}

/* ---- without SFTP ---- */

static bool step_closing(struct session *s)
{
    struct session_anchor *a = &s->anchor;
    if (session_channel_free(s, &a->channel) != CHANNEL_DONE)
        return false;
    a->state = a->reopen ? ANCHOR_BARE_OPENING : ANCHOR_NONE;
    s->engine.stage = ENGINE_READY;
    return true;
}

static bool step_bare_open(struct session *s)
{
    struct session_anchor *a = &s->anchor;
    enum channel_verdict v = session_channel_open(s, &a->channel, a, 0);
    if (v == CHANNEL_REFUSED) {
        a->state = ANCHOR_NONE;
        a->unwanted = !s->place_came_free; /* as with commands: else it is asked once more */
    }
    if (v == CHANNEL_DONE)
        a->state = ANCHOR_BARE;
    return v == CHANNEL_DONE || v == CHANNEL_REFUSED;
}

static bool step_bare(struct session *s)
{
    struct session_anchor *a = &s->anchor;
    if (!session_channel_drop(s, &a->channel) || !session_channel_ended(&a->channel))
        return false;
    a->state = ANCHOR_CLOSING;
    a->unwanted = true;
    a->reopen = false;
    return true;
}

/* Is not wanted, made way for a command, or is one too many: while there are commands, they serve
 * as well. */
static bool step_none(struct session *s)
{
    struct session_anchor *a = &s->anchor;
    if (s->engine.stage == ENGINE_CHANNEL) {
        sftp_fail(s->engine.sftp, SCOUT_E_SFTP_UNAVAILABLE);
        s->engine.stage = ENGINE_READY;
        return true;
    }
    if (a->unwanted || s->engine.channels_max == 1 || !list_empty(&s->execs))
        return false;
    a->state = ANCHOR_BARE_OPENING;
    return true;
}

bool session_anchor_step(struct session *s)
{
    switch (s->anchor.state) {
    case ANCHOR_OPENING:
        return step_open(s);
    case ANCHOR_REQUESTED:
        return step_request(s);
    case ANCHOR_VERSION:
    case ANCHOR_SFTP:
        return step_sftp(s);
    case ANCHOR_CLOSING:
        return step_closing(s);
    case ANCHOR_BARE_OPENING:
        return step_bare_open(s);
    case ANCHOR_BARE:
        return step_bare(s);
    case ANCHOR_NONE:
        return step_none(s);
    }
    return false;
}

/* ---- a sign of life ---- */

static void on_ping(struct sftp_request *request, const struct sftp_reply *reply)
{
    (void)request, (void)reply; /* that something came is all that matters */
}

bool session_anchor_ping(struct session *s)
{
    if (s->engine.stage != ENGINE_READY || !s->engine.has_sftp)
        return false;
    if (s->ping.id != 0)
        return true; /* the last one is not answered yet */
    if (sftp_realpath(s->engine.sftp, &s->ping, ".", on_ping) != 0)
        return sftp_in_flight(s->engine.sftp) > 0; /* no room: other answers are to come */
    s->engine.pings++;
    return true;
}
