/* Keeps a key set as it is in its file: looks every few seconds, on a helper thread, whether the
 * file is another one. */
#ifndef SCOUT_DAEMON_JWKS_WATCH_H
#define SCOUT_DAEMON_JWKS_WATCH_H

#include "jwks.h"
#include "scout/io/io.h"
#include "settings.h"

#define JWKS_WATCH_MS 2000

struct jwks_watch {
    struct io *io;
    struct io_timer timer;
    struct io_job job;
    char path[SETTINGS_PATH_MAX];      /* ""; nothing is watched */
    struct jwks_stamp stamp;           /* of what was read last, whatever came of it */
    char looked_at[SETTINGS_PATH_MAX]; /* the job's */
    struct jwks_stamp seen;            /* likewise */
    struct jwks *found;
    struct failure failure;
    bool changed;
    bool active; /* a helper thread works: the struct must stay */
    /* The file is another one: its keys (a reference that is the callee's), or NULL and why not. */
    void (*on_change)(void *context, struct jwks *keys, const struct failure *why);
    void *context;
};

void jwks_watch_init(struct jwks_watch *w, struct io *io,
                     void (*on_change)(void *, struct jwks *, const struct failure *),
                     void *context);
/* From now on that file, of which `keys` were read; "": none. */
void jwks_watch_set(struct jwks_watch *w, const char *path, const struct jwks *keys);
/* No further look is begun, and on_change does not come any more. */
void jwks_watch_stop(struct jwks_watch *w);

#endif
