/* One completion/complete, and where its values come from. Private to the layer.
 *
 * The variable decides the source, which adds values in their order and ends with completion_end,
 * exactly once, maybe from within its start. */
#ifndef SCOUT_RESOURCES_COMPLETION_H
#define SCOUT_RESOURCES_COMPLETION_H

#include "fixed_command.h"
#include "resource_template.h"
#include "scout/fleet/path_get.h"
#include "scout/tools/tool.h"

#define COMPLETION_VALUES_MAX 100  /* of MCP; more are counted */
#define COMPLETION_TIME_MS    3000 /* nobody waits longer for help with typing */

/* In the call's arena. */
struct completion {
    struct tool_call *call;
    struct resource_template template;
    struct target target;        /* with the host; of a path with the directory that is listed */
    const struct ssh_host *host; /* NULL: the completion is of hosts */
    const char *value;           /* what is typed */
    const char *typed, *prefix;  /* of a path: up to its last slash, and behind it */
    uint64_t deadline_ns;
    const char *values[COMPLETION_VALUES_MAX];
    size_t count, total;
    struct fixed_run *command; /* under way; NULL: none */
    struct path_get *get;      /* likewise */
};

/* Each is given `c` with all but the values. */
void complete_host(struct completion *c);
void complete_path(struct completion *c);
void complete_container(struct completion *c);
void complete_project(struct completion *c);
void complete_pool(struct completion *c);

/* Adds `before` and `name` and `after` as one value. What is not UTF-8 is left out. */
void completion_add(struct completion *c, const char *before, struct slice name, const char *after);
/* `why` NULL, or why there are no values: an answer without any. */
void completion_end(struct completion *c, const struct failure *why);

#endif
