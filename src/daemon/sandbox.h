/* Shutting the process in (Landlock): from then on it reads and writes below a few places only,
 * runs no program (but those of the machine, where the ssh configuration has a ProxyCommand, which
 * are shut in likewise) and binds no TCP port, whatever somebody makes it do. It holds for io_uring
 * too when the ring is made afterwards. */
#ifndef SCOUT_DAEMON_SANDBOX_H
#define SCOUT_DAEMON_SANDBOX_H

#include "configuration.h"

#define SANDBOX_PLACES_MAX 128

enum sandbox_access {
    SANDBOX_READ,
    SANDBOX_RUN,    /* read, and run programs */
    SANDBOX_CREATE, /* read, write to files, make files */
    SANDBOX_OWN,    /* all but running programs */
};

struct sandbox_place {
    char path[SETTINGS_PATH_MAX]; /* absolute; a file, or a folder with all below it */
    enum sandbox_access access;
};

struct sandbox {
    size_t count;
    bool full; /* more than fit: all may be read */
    struct sandbox_place places[SANDBOX_PLACES_MAX];
};

/* Large: for the heap. Collects what a daemon with this configuration needs. */
void sandbox_collect(struct sandbox *s, const struct configuration_source *source,
                     const struct configuration *c);

/* The first place of `next` that lies outside of all of `s`, or NULL. */
const char *sandbox_lacks(const struct sandbox *s, const struct sandbox *next);

/* Shuts the calling thread in, and those that it starts; once, before any other. Places that are
 * not there are left out. Returns the version of Landlock's interface (from 1 on), or
 * SCOUT_E_UNSUPPORTED with *why: then the process is as free as before. */
__attribute__((warn_unused_result)) int sandbox_enter(const struct sandbox *s, struct failure *why);

#endif
