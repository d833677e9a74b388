/* Reading the configuration again while the daemon serves, on a helper thread. */
#ifndef SCOUT_DAEMON_RELOAD_H
#define SCOUT_DAEMON_RELOAD_H

#include "sandbox.h"
#include "scout/io/io.h"

struct reload {
    struct io *io;
    const struct configuration_source *source;
    const struct sandbox *sandbox; /* that the process is in; NULL: none */
    /* The reading is done: with `why->error`, or with *c for the owner to take from. */
    void (*on_read)(struct reload *r, struct configuration *c, const struct failure *why);
    struct io_job job;
    struct configuration configuration;
    struct failure failure;
    char outside[SETTINGS_PATH_MAX]; /* a place that the configuration needs and the sandbox has
                                        not; "": none */
    bool active, again;
};

/* The source and the sandbox are borrowed as long as the process lives. */
void reload_init(struct reload *r, struct io *io, const struct configuration_source *source,
                 const struct sandbox *sandbox,
                 void (*on_read)(struct reload *, struct configuration *, const struct failure *));
/* Reads. Asked while a reading is under way, it reads once more afterwards: what changed meanwhile
 * counts, too. */
void reload_start(struct reload *r);

#endif
