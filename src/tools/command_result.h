/* How the result of a command is written: what it printed, and how it ended (docs/wire.md). Private
 * to the layer. */
#ifndef SCOUT_TOOLS_COMMAND_RESULT_H
#define SCOUT_TOOLS_COMMAND_RESULT_H

#include "scout/fleet/host_command.h"
#include "scout/tools/tool.h"

#define COMMAND_PROGRESS_MS    250 /* between two reports of a call */
#define COMMAND_TIMEOUT_STATUS 124 /* what timeout(1) would have ended with */

struct command_answer {
    const char *host;
    const char *path;    /* the directory that it ran in; NULL: the login directory */
    const char *command; /* the shell line as it was given; NULL: argv was */
    const char *const *argv;
    size_t argc;
    size_t stdout_max;
    bool timeout_status; /* when its time was over, its status is COMMAND_TIMEOUT_STATUS */
    const struct host_command_result *result;
};

/* Members of the schema of such a result's structured content. */
#define command_result_properties                                                                  \
    "\"state\":{\"enum\":[\"running\",\"exited\",\"stopped\",\"stop-unconfirmed\",\"failed\"]},"   \
    "\"exit_code\":{\"type\":\"integer\"},\"signal\":{\"type\":\"string\"},"                       \
    "\"stdout\":{\"type\":\"string\"},\"stderr\":{\"type\":\"string\"},"                           \
    "\"stdout_truncated\":{\"type\":\"boolean\"}"

/* The members that say what was run. */
void command_answer_about(struct json_writer *w, const struct command_answer *a);
void command_answer_write(struct json_writer *w, const void *context); /* struct command_answer */

/* Tells how much a command has printed, unless that was told just now: at *told_ns. */
void command_progress(struct tool_call *call, uint64_t *told_ns, uint64_t bytes);

#endif
