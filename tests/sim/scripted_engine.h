/* The inside of the scripted engine: scripted_engine.c (stages, anchor), scripted_exec.c
 * (commands), scripted_ahead.c (the channel that is opened ahead). */
#ifndef SCOUT_TESTS_SIM_SCRIPTED_ENGINE_H
#define SCOUT_TESTS_SIM_SCRIPTED_ENGINE_H

#include "scout/base/container.h"
#include "scout/base/list.h"
#include "scripted.h"
#include "toy_wire.h"

#define SCRIPTED_EXECS_MAX 4096
#define SCRIPTED_HELD_MAX  (4u * 1024u * 1024u) /* output of a paused command, each stream */

enum scripted_state { QUEUED, OPENING, REQUESTED, RUNNING, CLOSING };

struct scripted_exec {
    struct exec exec; /* first */
    struct list node;
    enum scripted_state state;
    uint32_t channel;
    const struct exec_events *events;
    void *context;
    char *command;
    struct buf input, held[2];
    bool input_ended, eof_sent, draining, paused, abandoned;
    bool close_sent, close_came;
    struct exec_result result;
};

enum scripted_ahead_state { AHEAD_NONE, AHEAD_OPENING, AHEAD_OPEN, AHEAD_CLOSING };

struct scripted_ahead {
    enum scripted_ahead_state state;
    bool wanted, refused;
    uint32_t channel;
};

struct scripted {
    struct engine engine; /* first */
    struct engine_config config;
    struct buf in;
    bool in_ended;
    int in_error;
    struct list execs;
    uint32_t exec_count, next_channel;
    struct scripted_ahead ahead;
    bool opening; /* a channel */
    bool at_once; /* its whole way to READY was said at the begin */
};

static inline struct scripted *scripted_of(struct engine *e)
{
    return CONTAINER_OF(e, struct scripted, engine);
}

void scripted_say(struct scripted *s, enum toy_type type, uint32_t channel, struct slice bytes);
void scripted_tell(struct scripted *s, enum toy_type type, uint32_t channel);
void scripted_end(struct scripted *s, int error, const char *text);

/* scripted_ahead.c */
void scripted_open_ahead(struct engine *e, bool wanted);
/* Whether the frame is its. */
bool scripted_ahead_takes(struct scripted *s, const struct toy_frame *f);
void scripted_ahead_step(struct scripted *s);
/* Gives its channel to a command. */
bool scripted_ahead_take(struct scripted *s, uint32_t *channel);

/* scripted_exec.c */
void scripted_execs_take(struct scripted *s, const struct toy_frame *f);
void scripted_execs_step(struct scripted *s);
void scripted_execs_fail(struct scripted *s);
int scripted_exec_new(struct engine *e, const char *command, const struct exec_events *events,
                      void *context, struct exec **out);
int scripted_exec_write(struct exec *exec, struct slice data);
void scripted_exec_end_input(struct exec *exec);
void scripted_exec_pause(struct exec *exec, bool paused);
void scripted_exec_abandon(struct exec *exec);

#endif
