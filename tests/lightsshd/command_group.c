/* Process groups of commands that are no processes.
 *
 * The pool puts one of two prefixes before a command and reads the group's number from stderr
 * (src/pool/process_group.h), and ends groups with a script (src/pool/kill_script.c). Both are
 * recognised by their marks and answered as a shell would, so that stopping a command works against
 * the light server, too. */
#include "command.h"

#include "scout/base/container.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define STATUS_KILLED (128 + SIGTERM) /* whatever the signal was */
#define MARK_MAX      64

const char *command_take_prefix(struct light_channel *ch, const struct command *c, const char *text)
{
    static const char short_head[] = "echo scout-group-", short_tail[] = "$$ >&2; ";
    static const char long_head[] = "sh -c '", long_tail[] = ">&2'; : ; ";
    bool is_short = strncmp(text, short_head, strlen(short_head)) == 0;
    if (!is_short && strncmp(text, long_head, strlen(long_head)) != 0)
        return text;
    const char *tail = is_short ? short_tail : long_tail;
    const char *mark = strstr(text, "scout-group-");
    const char *end = mark ? strchr(mark, '$') : NULL;
    const char *rest = end ? strstr(end, tail) : NULL;
    if (!rest || end - mark > MARK_MAX)
        return text;
    int len = (int)(end - mark);
    if (is_short)
        (void)!buf_printf(&ch->err, "%.*s%u\n", len, mark, c->group);
    else
        (void)!buf_printf(&ch->err, "%.*s%u %u (sh)\n", len, mark, c->group, c->group);
    return rest + strlen(tail);
}

static struct command *find(struct light *s, unsigned long group)
{
    for (struct list *n = s->commands.next; n != &s->commands; n = n->next) {
        struct command *c = CONTAINER_OF(n, struct command, node);
        if (c->group == group && !c->channel->finished)
            return c;
    }
    return NULL;
}

int command_kill(struct light *s, const char *text)
{
    unsigned group = 0;
    char name[16] = "";
    if (sscanf(text, "kill -%15s -%u", name, &group) != 2)
        return 2;
    struct command *c = find(s, group);
    if (c && strcmp(name, "0") != 0)
        command_end_at(c, STATUS_KILLED, s->loop.now_ns);
    return !c;
}

bool command_kill_script(struct light_channel *ch, const char *text)
{
    static const char head[] = "exec sh -c 'M=scout-kill-", groups[] = ";G=\" ";
    struct light *s = ch->connection->server;
    const char *mark = text + strlen("exec sh -c 'M=");
    if (strncmp(text, head, strlen(head)) != 0)
        return false;
    const char *end = strstr(mark, groups);
    if (!end || end - mark > MARK_MAX)
        return false;
    for (const char *at = end + strlen(groups); *at != '"';) {
        char *behind;
        unsigned long group = strtoul(at, &behind, 10);
        if (behind == at || *behind != ' ')
            return false;
        struct command *c = find(s, group);
        if (c)
            command_end_at(c, STATUS_KILLED, s->loop.now_ns);
        (void)!buf_printf(&ch->out, "%.*s%lu %s\n", (int)(end - mark), mark, group,
                          c ? "gone" : "none");
        at = behind + 1;
    }
    return true;
}
