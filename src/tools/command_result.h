/* How the result of a command is written: what it printed, and how it ended (docs/wire.md). Private
 * to the layer. */
#ifndef SCOUT_TOOLS_COMMAND_RESULT_H
#define SCOUT_TOOLS_COMMAND_RESULT_H

#include "scout/base/json_write.h"
#include "scout/fleet/host_command.h"

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
    "\"command\":{\"type\":\"string\"},"                                                           \
    "\"argv\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"                               \
    "\"state\":{\"type\":\"string\",\"enum\":[\"exited\",\"stopped\",\"stop-unconfirmed\","        \
    "\"failed\"]},\"reason\":{\"type\":\"string\"},"                                               \
    "\"exit_code\":{\"type\":\"integer\"},\"signal\":{\"type\":\"string\"},"                       \
    "\"stdout\":{\"type\":\"string\"},\"stderr\":{\"type\":\"string\"},"                           \
    "\"stdout_truncated\":{\"type\":\"boolean\"},\"stderr_truncated\":{\"type\":\"boolean\"},"     \
    "\"may_have_run\":{\"type\":\"boolean\"},\"duration_s\":{\"type\":\"number\"}"

void command_answer_write(struct json_writer *w, const void *context); /* struct command_answer */

#endif
