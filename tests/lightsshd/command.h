/* A built-in command at work: what command.c and command_group.c share. */
#ifndef LIGHT_COMMAND_H
#define LIGHT_COMMAND_H

#include "light.h"

struct command {
    struct light_channel *channel;
    struct list node; /* of all that run */
    uint32_t group;   /* as it is reported: no real process has that number */
    void (*run)(struct light_channel *ch, struct command *c);
    uint64_t left;         /* bytes to write */
    int status;            /* with which the timer ends it */
    struct ev_timer timer; /* of sleep-ms; and a kill, which comes from another step */
};

/* Ends it with `status` when the time has come, from a turn of its own. */
void command_end_at(struct command *c, int status, uint64_t when_ns);

/* --- command_group.c ---------------------------------------------------------------------------
 */

/* Skips a prefix that asks for the process group, which is then reported on stderr. */
const char *command_take_prefix(struct light_channel *ch, const struct command *c,
                                const char *text);

/* `kill -SIGNAL -GROUP`: 0, or 1 when there is no such group. */
int command_kill(struct light *s, const char *text);

/* True when `text` is the pool's script that ends groups; its answer is then in ch->out. */
bool command_kill_script(struct light_channel *ch, const char *text);

#endif
