/* A ProxyCommand: a program whose stdin and stdout take the place of a TCP connection. Private to
 * the layer.
 *
 *   process_start --helper thread--> on_started (socket, or failure) ... process_end --> on_gone
 *
 * It runs in a process group of its own. What it says on stderr is kept, the last PROCESS_SAID_MAX
 * bytes of it. process_end asks the group to end, and kills it PROCESS_KILL_MS later; nothing is
 * waited for on the loop, and no process is left unreaped. */
#ifndef SCOUT_POOL_PROCESS_H
#define SCOUT_POOL_PROCESS_H

#include "scout/base/error.h"
#include "scout/io/io.h"

#define PROCESS_SAID_MAX 400
#define PROCESS_KILL_MS  2000
#define PROCESS_WORD_MS  500 /* what is waited for its last words when it has hung up */

struct process;

struct process_events {
    /* `file` is to be moved into a stream, also when nobody wants it any more; NULL: it did not
     * start, *failure (without the host's name) says why. */
    void (*on_started)(void *context, struct io_file *file, const struct failure *failure);
    /* It has ended and all it said is here, or PROCESS_WORD_MS are over: see process_listen. */
    void (*on_over)(void *context);
    /* Last: it is reaped and freed. */
    void (*on_gone)(void *context);
};

/* Starts `command` (copied) by /bin/sh. NULL without memory. */
struct process *process_start(struct io *io, const char *command,
                              const struct process_events *events, void *context);
/* Its stdout is at its end: on_over follows, never from within. */
void process_listen(struct process *p);
/* Ends it; on_gone follows. No other event but on_started, if it has not come, does. */
void process_end(struct process *p);
/* Appends how it ended and what it said. */
void process_explain(const struct process *p, struct failure *f);

#endif
