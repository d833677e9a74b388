/* Reading the configuration again while the daemon serves, on a helper thread. */
#ifndef SCOUT_DAEMON_RELOAD_H
#define SCOUT_DAEMON_RELOAD_H

#include "configuration.h"
#include "scout/io/io.h"

struct reload {
    struct io *io;
    const struct configuration_source *source;
    /* The reading is done: with `why->error`, or with *c for the owner to take from. */
    void (*on_read)(struct reload *r, struct configuration *c, const struct failure *why);
    struct io_job job;
    struct configuration configuration;
    struct failure failure;
    bool active, again;
};

/* The source is borrowed as long as the process lives. */
void reload_init(struct reload *r, struct io *io, const struct configuration_source *source,
                 void (*on_read)(struct reload *, struct configuration *, const struct failure *));
/* Reads. Asked while a reading is under way, it reads once more afterwards: what changed meanwhile
 * counts, too. */
void reload_start(struct reload *r);

#endif
