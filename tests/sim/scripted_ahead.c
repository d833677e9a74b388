/* The scripted engine's channel that is opened ahead, as session_ahead.c does it. */
#include "scripted_engine.h"

void scripted_open_ahead(struct engine *e, bool wanted)
{
    scripted_of(e)->ahead.wanted = wanted;
}

bool scripted_ahead_take(struct scripted *s, uint32_t *channel)
{
    struct scripted_ahead *a = &s->ahead;
    if (a->state != AHEAD_OPEN)
        return false;
    *channel = a->channel;
    a->state = AHEAD_NONE;
    s->engine.ahead = false;
    return true;
}

static void gone(struct scripted *s, bool for_ever)
{
    s->ahead.state = AHEAD_NONE;
    s->ahead.refused |= for_ever;
    s->engine.ahead = false;
    s->engine.channels--;
}

bool scripted_ahead_takes(struct scripted *s, const struct toy_frame *f)
{
    struct scripted_ahead *a = &s->ahead;
    if (a->state == AHEAD_NONE || f->channel != a->channel)
        return false;
    if (f->type == TOY_OPEN) {
        s->opening = false;
        a->state = AHEAD_OPEN;
    } else if (f->type == TOY_OPEN_REFUSED) {
        s->opening = false;
        gone(s, true);
    } else if (f->type == TOY_CLOSE) {
        bool closed_by_host = a->state != AHEAD_CLOSING;
        if (closed_by_host)
            scripted_tell(s, TOY_CLOSE, a->channel);
        gone(s, closed_by_host);
    } else {
        scripted_end(s, SCOUT_E_SSH_PROTOCOL, "a frame on a channel that has no command");
    }
    return true;
}

void scripted_ahead_step(struct scripted *s)
{
    struct scripted_ahead *a = &s->ahead;
    if (s->engine.stage != ENGINE_READY || buf_len(&s->engine.out) >= ENGINE_OUT_HIGH)
        return;
    if (a->state == AHEAD_OPEN && !a->wanted) {
        a->state = AHEAD_CLOSING;
        scripted_tell(s, TOY_CLOSE, a->channel);
    } else if (a->state == AHEAD_NONE && a->wanted && !a->refused && !s->opening) {
        a->state = AHEAD_OPENING;
        a->channel = s->next_channel++;
        s->opening = s->engine.ahead = true;
        s->engine.channels++;
        scripted_tell(s, TOY_OPEN, a->channel);
    }
}
