/* The client's messages: authentication, channels, what they shall do; see light.h.
 *
 * A message is answered at once, or held until its delay is over: so that each of them is late by
 * as much, and the connection's other traffic is not. The delay counts from when the message was
 * read, so that what it takes to decrypt it is within. A held message of a channel keeps it. */
#include "light.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include <stdio.h>
#include <stdlib.h>

struct held {
    struct light_connection *connection;
    struct light_channel *channel; /* NULL: not about a channel */
    struct list node;
    struct ev_timer timer;
    ssh_message message;
};

static void answer_open(struct light_connection *c, ssh_message m)
{
    struct light *s = c->server;
    unsigned long most = s->options.max_sessions;
    if (!most || most > LIGHT_CHANNELS_MAX)
        most = LIGHT_CHANNELS_MAX;
    if (ssh_message_subtype(m) != SSH_CHANNEL_SESSION || c->channel_count >= most) {
        s->stats.channels_refused++;
        ssh_message_reply_default(m);
        return;
    }
    ssh_channel channel = ssh_message_channel_request_open_reply_accept(m);
    if (!channel || !light_channel_new(c, channel))
        connection_end(c);
}

static bool start(struct light_connection *c, struct light_channel *ch, ssh_message m)
{
    const struct light_options *o = &c->server->options;
    if (!ch || ch->ops || ch->closed)
        return false;
    if (ssh_message_subtype(m) == SSH_CHANNEL_REQUEST_SUBSYSTEM)
        return !o->no_sftp && strcmp(ssh_message_channel_request_subsystem(m), "sftp") == 0 &&
               sftp_start(ch);
    const char *command = ssh_message_channel_request_command(m);
    c->server->stats.commands++;
    return o->exec_real ? process_start(ch, command) : command_start(ch, command);
}

/* The success goes out before anything that the worker says. */
static void answer_request(struct light_connection *c, struct light_channel *ch, ssh_message m)
{
    struct light *s = c->server;
    int kind = ssh_message_subtype(m);
    if (kind == SSH_CHANNEL_REQUEST_ENV) {
        ssh_message_channel_request_reply_success(m); /* taken and ignored */
        return;
    }
    s->stats.requests++;
    if ((kind == SSH_CHANNEL_REQUEST_EXEC || kind == SSH_CHANNEL_REQUEST_SUBSYSTEM) &&
        start(c, ch, m)) {
        ssh_message_channel_request_reply_success(m);
    } else {
        s->stats.requests_refused++;
        ssh_message_reply_default(m);
    }
    if (++c->requests == s->options.drop_after_requests)
        connection_end(c);
}

static void answer(struct light_connection *c, struct light_channel *ch, ssh_message m)
{
    switch (ssh_message_type(m)) {
    case SSH_REQUEST_AUTH:
        light_auth(c, m);
        break;
    case SSH_REQUEST_CHANNEL_OPEN:
        answer_open(c, m);
        break;
    case SSH_REQUEST_CHANNEL:
        answer_request(c, ch, m);
        break;
    default:
        ssh_message_reply_default(m);
    }
    ssh_message_free(m);
}

static uint64_t delay_ms(const struct light *s, ssh_message m)
{
    switch (ssh_message_type(m)) {
    case SSH_REQUEST_AUTH:
        return s->options.auth_delay_ms;
    case SSH_REQUEST_CHANNEL_OPEN:
        return s->options.channel_delay_ms;
    case SSH_REQUEST_CHANNEL:
        return s->options.exec_delay_ms;
    default:
        return 0;
    }
}

static void let_go(struct held *h)
{
    ev_timer_stop(&h->connection->server->loop, &h->timer);
    list_remove(&h->node);
    h->connection->held_count--;
    if (h->channel)
        h->channel->held--;
}

static void on_timer(struct ev_timer *t)
{
    struct held *h = CONTAINER_OF(t, struct held, timer);
    struct light_connection *c = h->connection;
    let_go(h);
    connection_cork(c, true); /* the step that follows ends it */
    answer(c, h->channel, h->message);
    free(h);
    if (c->stage != LIGHT_ENDED)
        connection_step(c);
}

void request_take(struct light_connection *c, ssh_message message)
{
    struct light *s = c->server;
    struct light_channel *ch = NULL;
    uint64_t delay = delay_ms(s, message);
    if (ssh_message_type(message) == SSH_REQUEST_CHANNEL)
        ch = light_channel_of(c, ssh_message_channel_request_channel(message));
    struct held *h = delay ? calloc(1, sizeof *h) : NULL;
    if (!h || c->held_count == LIGHT_HELD_MAX) {
        free(h);
        answer(c, ch, message);
        return;
    }
    *h = (struct held){.connection = c, .channel = ch, .message = message};
    h->timer.fn = on_timer;
    list_init(&h->node);
    list_append(&c->held, &h->node);
    c->held_count++;
    if (ch)
        ch->held++;
    ev_timer_at(&s->loop, &h->timer, c->read_ns + delay * NS_PER_MS);
}

void requests_drop(struct light_connection *c)
{
    while (!list_empty(&c->held)) {
        struct held *h = CONTAINER_OF(c->held.next, struct held, node);
        let_go(h);
        ssh_message_free(h->message);
        free(h);
    }
}
