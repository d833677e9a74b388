/* The scripted engine's commands.
 *
 *   QUEUED --OPEN--> OPENING --EXEC--> REQUESTED --> RUNNING --CLOSE came--> CLOSING --> gone
 *                       \ refused: gone    \ refused ______________________/
 *
 * Channels are opened one after the other, requests are outstanding side by side. A place is
 * counted from the message that asks for it until both sides closed it; on_end comes after that.
 * Output that comes while a command is paused is held. */
#include "scripted_engine.h"

#include <stdlib.h>

static struct scripted_exec *of_exec(struct exec *x)
{
    return CONTAINER_OF(x, struct scripted_exec, exec);
}

static struct scripted_exec *of_node(struct list *n)
{
    return CONTAINER_OF(n, struct scripted_exec, node);
}

/* ---- the end of an exec ---- */

static void finish(struct scripted *s, struct scripted_exec *x)
{
    struct exec_result result = x->result;
    const struct exec_events *events = x->abandoned ? NULL : x->events;
    void *context = x->context;
    list_remove(&x->node);
    s->exec_count--;
    buf_fini(&x->input);
    buf_fini(&x->held[0]);
    buf_fini(&x->held[1]);
    free(x->command);
    free(x);
    if (events)
        events->on_end(context, &result);
}

void scripted_execs_fail(struct scripted *s)
{
    while (!list_empty(&s->execs)) {
        struct scripted_exec *x = of_node(s->execs.next);
        x->result.error = SCOUT_E_CONNECTION_LOST;
        finish(s, x);
    }
}

/* ---- frames ---- */

static struct scripted_exec *find(struct scripted *s, uint32_t channel)
{
    for (struct list *n = s->execs.next; n != &s->execs; n = n->next)
        if (of_node(n)->channel == channel && of_node(n)->state != QUEUED)
            return of_node(n);
    return NULL;
}

static void request(struct scripted *s, struct scripted_exec *x)
{
    x->state = REQUESTED;
    x->result.requested = true;
    scripted_say(s, TOY_EXEC, x->channel, slice_str(x->command));
}

static void take_open(struct scripted *s, struct scripted_exec *x)
{
    s->opening = false;
    if (!x->abandoned) /* else it is closed by the next step */
        request(s, x);
}

static void take_refusal(struct scripted *s, struct scripted_exec *x)
{
    s->opening = false;
    s->engine.channels--;
    x->result.error = SCOUT_E_NO_CHANNEL;
    finish(s, x);
}

static void take_output(struct scripted *s, struct scripted_exec *x, bool is_stderr,
                        struct slice bytes)
{
    struct buf *held = &x->held[is_stderr];
    if (x->abandoned || x->state != RUNNING)
        return;
    if (!x->paused && buf_len(held) == 0)
        x->events->on_output(x->context, is_stderr, bytes);
    else if (buf_append(held, bytes) != 0)
        scripted_end(s, SCOUT_E_NOMEM, "no memory for output");
}

static void take_exit(struct scripted_exec *x, struct slice bytes)
{
    if (bytes.len < 4)
        return;
    size_t len = bytes.len - 4;
    if (len >= sizeof x->result.signal)
        len = sizeof x->result.signal - 1;
    memcpy(x->result.signal, bytes.data + 4, len);
    x->result.has_status = len == 0;
    x->result.status = (int)toy_get_u32(bytes.data);
}

void scripted_execs_take(struct scripted *s, const struct toy_frame *f)
{
    struct scripted_exec *x = find(s, f->channel);
    if (!x) {
        scripted_end(s, SCOUT_E_SSH_PROTOCOL, "a channel that does not exist");
        return;
    }
    switch (f->type) {
    case TOY_OPEN:
        take_open(s, x);
        break;
    case TOY_OPEN_REFUSED:
        take_refusal(s, x);
        break;
    case TOY_EXEC:
        x->state = RUNNING;
        if (!x->abandoned && x->events->on_started)
            x->events->on_started(x->context);
        break;
    case TOY_EXEC_REFUSED:
        x->result.error = SCOUT_E_EXEC_REFUSED;
        x->result.requested = false;
        x->state = RUNNING;
        x->close_came = true;
        break;
    case TOY_DATA:
    case TOY_STDERR:
        take_output(s, x, f->type == TOY_STDERR, f->bytes);
        break;
    case TOY_EXIT:
        take_exit(x, f->bytes);
        break;
    case TOY_CLOSE:
        x->close_came = true;
        break;
    default:
        scripted_end(s, SCOUT_E_SSH_PROTOCOL, "an unknown frame");
        break;
    }
}

/* ---- what an exec does by itself ---- */

static bool deliver_held(struct scripted_exec *x)
{
    for (int i = 0; i < 2; i++) {
        struct buf held = x->held[i];
        if (buf_len(&held) == 0)
            continue;
        if (x->paused)
            return false;
        buf_init(&x->held[i], SCRIPTED_HELD_MAX);
        x->events->on_output(x->context, i == 1, buf_peek(&held));
        buf_fini(&held);
        if (x->abandoned)
            return false;
    }
    return true;
}

static void send_input(struct scripted *s, struct scripted_exec *x)
{
    struct slice bytes = buf_peek(&x->input);
    while (bytes.len > 0 && buf_len(&s->engine.out) < ENGINE_OUT_HIGH) {
        size_t len = bytes.len < TOY_BYTES_MAX ? bytes.len : TOY_BYTES_MAX;
        scripted_say(s, TOY_DATA, x->channel, slice_of(bytes.data, len));
        buf_consume(&x->input, len);
        bytes = buf_peek(&x->input);
    }
    if (bytes.len > 0)
        return;
    if (x->draining) {
        x->draining = false;
        if (x->events->on_drain)
            x->events->on_drain(x->context);
    }
    if (x->input_ended && !x->eof_sent && buf_len(&x->input) == 0 && !x->abandoned) {
        x->eof_sent = true;
        scripted_tell(s, TOY_EOF, x->channel);
    }
}

static void send_close(struct scripted *s, struct scripted_exec *x)
{
    if (!x->close_sent)
        scripted_tell(s, TOY_CLOSE, x->channel);
    x->close_sent = true;
    x->state = CLOSING;
}

static void step_exec(struct scripted *s, struct scripted_exec *x)
{
    if (x->abandoned && x->state == QUEUED) {
        finish(s, x);
        return;
    }
    if (x->state == QUEUED && scripted_ahead_take(s, &x->channel)) {
        request(s, x);
    } else if (x->state == QUEUED && !s->opening) {
        s->opening = true;
        s->engine.channels++;
        x->state = OPENING;
        x->channel = s->next_channel++;
        scripted_tell(s, TOY_OPEN, x->channel);
    }
    bool open = x->state == REQUESTED || x->state == RUNNING;
    if (x->state == OPENING && x->abandoned && !s->opening)
        open = true;
    if (x->state == RUNNING && !x->abandoned && !x->close_came)
        send_input(s, x);
    if (open && x->abandoned)
        send_close(s, x);
    else if (x->state == RUNNING && deliver_held(x) && x->close_came && !x->abandoned)
        send_close(s, x);
    if (x->state == CLOSING && x->close_came) {
        s->engine.channels--;
        finish(s, x);
    }
}

void scripted_execs_step(struct scripted *s)
{
    for (struct list *n = s->execs.next, *next; n != &s->execs; n = next) {
        next = n->next; /* only this one is freed */
        if (buf_len(&s->engine.out) >= ENGINE_OUT_HIGH)
            return;
        step_exec(s, of_node(n));
    }
}

/* ---- the ops ---- */

int scripted_exec_new(struct engine *e, const char *command, const struct exec_events *events,
                      void *context, struct exec **out)
{
    struct scripted *s = scripted_of(e);
    if (e->stage != ENGINE_READY)
        return SCOUT_E_CONNECTION_LOST;
    if (strlen(command) > EXEC_COMMAND_MAX || s->exec_count >= SCRIPTED_EXECS_MAX)
        return SCOUT_E_LIMIT;
    struct scripted_exec *x = calloc(1, sizeof *x);
    if (!x || !(x->command = strdup(command))) {
        free(x);
        return SCOUT_E_NOMEM;
    }
    x->exec.engine = e;
    x->events = events;
    x->context = context;
    buf_init(&x->input, EXEC_INPUT_MAX);
    buf_init(&x->held[0], SCRIPTED_HELD_MAX);
    buf_init(&x->held[1], SCRIPTED_HELD_MAX);
    list_append(&s->execs, &x->node);
    s->exec_count++;
    *out = &x->exec;
    return 0;
}

int scripted_exec_write(struct exec *exec, struct slice data)
{
    struct scripted_exec *x = of_exec(exec);
    int error = buf_append(&x->input, data);
    x->draining |= !error && data.len > 0;
    return error;
}

void scripted_exec_end_input(struct exec *exec)
{
    of_exec(exec)->input_ended = true;
}

void scripted_exec_pause(struct exec *exec, bool paused)
{
    of_exec(exec)->paused = paused;
}

void scripted_exec_abandon(struct exec *exec)
{
    of_exec(exec)->abandoned = true;
}
