/* One look at a path that is watched. Private to the layer. */
#ifndef SCOUT_RESOURCES_RESOURCE_POLL_H
#define SCOUT_RESOURCES_RESOURCE_POLL_H

#include "scout/tools/tool.h"

/* What a change is noticed by. */
struct resource_seen {
    bool exists;
    uint32_t mode, mtime;
    uint64_t size;
};

/* A call with the argument `uri`; when it succeeds, the result's context is a struct resource_seen
 * (with `exists` false where there is nothing), and it writes nothing. */
extern const struct tool resource_poll_tool;

#endif
