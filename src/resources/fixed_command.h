/* A command of ours on a host, which only looks: `docker ps`, `zpool status`. Private to the layer.
 *
 * Policy is asked as for a query with these words; it need not be in the table of queries. No shell
 * of the host sees the words as anything but words. Besides what the host has in its PATH for a
 * login without a terminal, it is looked for in the folders of system programs, too. */
#ifndef SCOUT_RESOURCES_FIXED_COMMAND_H
#define SCOUT_RESOURCES_FIXED_COMMAND_H

#include "scout/fleet/host_command.h"
#include "scout/tools/tool.h"

#define FIXED_NOT_FOUND 127 /* the status that says that the host has no such program */

struct fixed_command {
    const char *const *words; /* NULL at the end */
    bool merged;              /* what it prints on stderr is in `out` too, in its place */
    unsigned last_lines;      /* of its output only so many, the last ones; 0: all */
    bool permitted;           /* policy was asked already, for what it shows */
    bool unattended;          /* no person is asked: what needs their word is refused */
};

/* All is borrowed until the callback returns. */
struct fixed_output {
    struct failure failure; /* error 0: it ran */
    int status;             /* -1: it was stopped since it printed too much, or by a signal */
    struct slice out, err;
    bool truncated;
};

struct fixed_run; /* in the call's arena */
typedef void fixed_fn(void *context, const struct fixed_output *output);

/* NULL with *why when policy refuses it or it cannot begin. The callback comes once, never from
 * within this call, by the deadline; it gets at most the configured size of a file. */
__attribute__((warn_unused_result)) struct fixed_run *
fixed_start(struct tool_call *call, const struct ssh_host *host,
            const struct fixed_command *command, uint64_t deadline_ns, fixed_fn *fn, void *context,
            struct failure *why);
/* Stops it; the callback does not come any more. */
void fixed_cancel(struct fixed_run *run);

/* Whether `text` has `part`, in any case. */
bool fixed_says(struct slice text, const char *part);

#endif
