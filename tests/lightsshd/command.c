/* Commands that the light server answers itself, without a process:
 *
 *   true   false   exit N   echo TEXT   cat   yes-bytes N   sleep-ms N   kill -SIGNAL -GROUP
 *
 * Their words are separated by blanks; nothing is quoted or expanded, TEXT is printed as it stands.
 * Anything else ends with 127, as in a shell. What the pool sends along to learn a command's
 * process group and to end groups is understood, too: command_group.c. */
#include "command.h"

#include "scout/base/container.h"
#include "scout/base/time.h"
#include <stdio.h>
#include <stdlib.h>

#define GROUP_FIRST 0x40000000u /* above every real pid (at most 2^22) */
#define FILL_LEN    32768

static void run_command(struct light_channel *ch)
{
    struct command *c = ch->worker;
    c->run(ch, c);
}

static void free_command(struct light_channel *ch)
{
    struct command *c = ch->worker;
    ev_timer_stop(&ch->connection->server->loop, &c->timer);
    list_remove(&c->node);
    free(c);
}

static const struct light_worker_ops command_ops = {run_command, free_command};

static void run_nothing(struct light_channel *ch, struct command *c)
{
    (void)c;
    buf_clear(&ch->in);
}

static void run_cat(struct light_channel *ch, struct command *c)
{
    struct slice in = buf_peek(&ch->in);
    size_t room = buf_room(&ch->out), part = in.len < room ? in.len : room;
    (void)c;
    if (part && buf_append(&ch->out, slice_of(in.data, part)) == 0)
        buf_consume(&ch->in, part);
    if (ch->in_eof && !ch->in_left && buf_len(&ch->in) == 0)
        light_channel_finish(ch, 0);
}

static void run_yes(struct light_channel *ch, struct command *c)
{
    while (c->left && buf_room(&ch->out) >= FILL_LEN) {
        size_t part = c->left < FILL_LEN ? (size_t)c->left : FILL_LEN;
        uint8_t *to = buf_reserve(&ch->out, FILL_LEN);
        if (!to)
            return;
        for (size_t i = 0; i < part; i++)
            to[i] = i % 2 ? '\n' : 'y';
        buf_commit(&ch->out, part);
        c->left -= part;
    }
    if (!c->left)
        light_channel_finish(ch, 0);
}

static void on_end(struct ev_timer *t)
{
    struct command *c = CONTAINER_OF(t, struct command, timer);
    light_channel_finish(c->channel, c->status);
    light_channel_wake(c->channel);
}

void command_end_at(struct command *c, int status, uint64_t when_ns)
{
    c->status = status;
    ev_timer_at(&c->channel->connection->server->loop, &c->timer, when_ns);
}

/* "word 123": the number, or `otherwise`. */
static uint64_t number_of(const char *text, uint64_t otherwise)
{
    const char *at = strchr(text, ' ');
    return at ? strtoull(at + 1, NULL, 10) : otherwise;
}

static bool is_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    return strncmp(text, word, len) == 0 && (text[len] == '\0' || text[len] == ' ');
}

static void begin(struct light_channel *ch, struct command *c, const char *text)
{
    c->run = run_nothing;
    if (is_word(text, "true") || is_word(text, "false")) {
        light_channel_finish(ch, text[0] == 'f');
    } else if (is_word(text, "exit")) {
        light_channel_finish(ch, (int)(number_of(text, 0) & 255));
    } else if (is_word(text, "echo")) {
        (void)!buf_printf(&ch->out, "%s\n", text[4] ? text + 5 : "");
        light_channel_finish(ch, 0);
    } else if (is_word(text, "cat")) {
        c->run = run_cat;
    } else if (is_word(text, "yes-bytes")) {
        c->left = number_of(text, 0);
        c->run = run_yes;
    } else if (is_word(text, "sleep-ms")) {
        uint64_t ms = number_of(text, 0);
        command_end_at(c, 0, ch->connection->server->loop.now_ns + ms * NS_PER_MS);
    } else if (command_kill_script(ch, text)) {
        light_channel_finish(ch, 0);
    } else if (is_word(text, "kill")) {
        light_channel_finish(ch, command_kill(ch->connection->server, text));
    } else {
        (void)!buf_printf(&ch->err, "lightsshd: %s: not found\n", text);
        light_channel_finish(ch, 127);
    }
}

bool command_start(struct light_channel *ch, const char *text)
{
    struct light *s = ch->connection->server;
    struct command *c = calloc(1, sizeof *c);
    if (!c)
        return false;
    c->channel = ch;
    c->timer.fn = on_end;
    c->group = GROUP_FIRST + (uint32_t)(s->stats.commands & 0x0fffffff);
    list_init(&c->node);
    list_append(&s->commands, &c->node);
    ch->ops = &command_ops;
    ch->worker = c;
    begin(ch, c, command_take_prefix(ch, c, text));
    return true;
}
