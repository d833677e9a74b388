/* A channel that is opened before there is a command for it, so that the command's request goes out
 * at once.
 *
 *   NONE --wanted--> OPENING --opened--> OPEN --a command comes--> NONE (the channel is its own
 * now) ^                 | refused          | not wanted, closed by the host
 *     \-----------------+------------------+--> CLOSING --> NONE
 *
 * Commands go first: it is opened when no command waits for a channel, and one that comes while it
 * is being opened waits for it. The environment of a command is told the host meanwhile; a command
 * that takes the channel before all of it is told goes on where this one was. A host that refuses
 * it, or closes it, is not asked again. */
#include "session_state.h"

void session_open_ahead(struct engine *e, bool wanted)
{
    CONTAINER_OF(e, struct session, engine)->ahead.wanted = wanted;
}

bool session_ahead_take(struct session *s, struct session_channel *out)
{
    struct session_ahead *a = &s->ahead;
    if (a->state != AHEAD_OPEN || session_channel_ended(&a->channel))
        return false;
    *out = a->channel;
    *a = (struct session_ahead){.wanted = a->wanted};
    s->engine.ahead = false;
    return true;
}

static bool commands_wait(const struct session *s)
{
    for (const struct list *n = s->execs.next; n != &s->execs; n = n->next) {
        const struct session_exec *x = CONTAINER_OF(n, struct session_exec, node);
        if (x->state == EXEC_QUEUED || x->state == EXEC_OPENING)
            return true;
    }
    return false;
}

static bool step_opening(struct session *s)
{
    struct session_ahead *a = &s->ahead;
    enum channel_verdict v = session_channel_open(s, &a->channel, a, SSH_EXEC_WINDOW);
    if (v == CHANNEL_REFUSED) {
        *a = (struct session_ahead){.refused = true};
        s->engine.ahead = false;
    } else if (v == CHANNEL_DONE) {
        a->state = AHEAD_OPEN;
    }
    return v == CHANNEL_DONE || v == CHANNEL_REFUSED;
}

static bool step_none(struct session *s)
{
    struct session_ahead *a = &s->ahead;
    if (!a->wanted || a->refused || s->engine.stage != ENGINE_READY || s->opener ||
        s->anchor.state == ANCHOR_CLOSING || s->engine.channels_max || commands_wait(s))
        return false;
    a->state = AHEAD_OPENING;
    s->engine.ahead = true;
    return step_opening(s); /* at once: it takes the session's one open, and counts */
}

static bool step_open(struct session *s)
{
    struct session_ahead *a = &s->ahead;
    if (!session_channel_drop(s, &a->channel))
        return false;
    enum channel_verdict v = session_channel_environment(s, &a->channel);
    a->refused |= v == CHANNEL_REFUSED || session_channel_ended(&a->channel);
    if (v == CHANNEL_BROKEN || (v == CHANNEL_WAITS && !a->refused) || (a->wanted && !a->refused))
        return false;
    a->state = AHEAD_CLOSING;
    return true;
}

static bool step_closing(struct session *s)
{
    struct session_ahead *a = &s->ahead;
    if (session_channel_free(s, &a->channel) != CHANNEL_DONE)
        return false;
    a->state = AHEAD_NONE;
    s->engine.ahead = false;
    return true;
}

bool session_ahead_step(struct session *s)
{
    switch (s->ahead.state) {
    case AHEAD_NONE:
        return step_none(s);
    case AHEAD_OPENING:
        return step_opening(s);
    case AHEAD_OPEN:
        return step_open(s);
    case AHEAD_CLOSING:
        return step_closing(s);
    }
    return false;
}
