/* What a connection knows of its host's login shell: commands report it, see process_group.h.
 * Private to the layer. */
#ifndef SCOUT_POOL_SHELL_H
#define SCOUT_POOL_SHELL_H

#include <stdbool.h>

enum shell_groups {
    SHELL_GROUPS_UNKNOWN, /* the host has no /proc to look it up */
    SHELL_GROUPS_OWN,     /* the server starts each command in a process group of its own */
    SHELL_GROUPS_SHARED,  /* it does not: a group must never be killed there */
};

struct shell {
    bool known; /* a command has reported it */
    bool posix; /* it understands `echo x$$ >&2; ` as sh does */
    enum shell_groups groups;
};

#endif
