/* One call of the scout tool, and the modes that it can take. Private to the layer.
 *
 * The arguments decide the mode (scout_tool.c); the mode does the work and ends the call with
 * scout_call_finish or scout_call_fail, exactly once, maybe from within its start. Then `s` is
 * gone. */
#ifndef SCOUT_TOOLS_SCOUT_CALL_H
#define SCOUT_TOOLS_SCOUT_CALL_H

#include "scout/fleet/target.h"
#include "scout/tools/scout_tool.h"

struct scout_call;

struct scout_mode {
    void (*start)(struct scout_call *s, const struct cJSON *args);
    /* Takes back what is under way: nothing of it comes any more, and the call is ended by the
     * caller. Only between start and the end. */
    void (*cancel)(struct scout_call *s);
    /* Instead of cancel, where it is not NULL: the mode ends the call by itself, later. */
    void (*stop)(struct scout_call *s);
};

struct scout_call {
    struct tool_call *call;
    const struct scout_mode *mode;
    struct target target;
    const struct ssh_host *host; /* of a path; NULL: hosts */
    void *operation;             /* the mode's own, under way; NULL: none */
    uint64_t redacted;           /* secrets that were taken out of what it found */
    const char *pattern;         /* of `find`; in the arguments */
};

extern const struct scout_mode scout_hosts, scout_path, scout_find, scout_query, scout_tree,
    scout_diff, scout_diff_content, scout_broadcast, scout_beam, scout_beam_between;

/* Each ends the call and frees `s`. `context` is used within. */
void scout_call_finish(struct scout_call *s, tool_write_fn *write, const void *context);
/* With a failure (error 0: none) that `write` tells, too. */
void scout_call_finish_as(struct scout_call *s, const struct failure *why, tool_write_fn *write,
                          const void *context);
void scout_call_end(struct scout_call *s, const struct tool_result *result);
void scout_call_fail(struct scout_call *s, const struct failure *why);
void scout_call_fail_memory(struct scout_call *s);

#endif
