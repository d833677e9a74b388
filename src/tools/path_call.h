/* What the typed tools that look at `host:path` have in common. Private to the layer. */
#ifndef SCOUT_TOOLS_PATH_CALL_H
#define SCOUT_TOOLS_PATH_CALL_H

#include "scout/fleet/path_get.h"
#include "scout/fleet/target.h"
#include "scout/tools/tool.h"

/* Embedded in the state of a call, whose memory is the call's arena. */
struct path_call {
    struct tool_call *call;
    struct target target;
    const struct ssh_host *host;
    uint64_t redacted; /* secrets that were taken out of what it found */
};

/* The argument `target`, checked: a path of a known host, of which policy allows at least one of
 * `verbs` (POLICY_BIT), as far as that is known. 0, or an error with *why. */
__attribute__((warn_unused_result)) int path_call_init(struct path_call *p, struct tool_call *call,
                                                       const struct cJSON *args, uint32_t verbs,
                                                       struct failure *why);

/* Who asks, about what and until when; the rest is left out. */
struct path_request path_call_request(const struct path_call *p);

/* Each ends the call. */
void path_call_finish(struct path_call *p, tool_write_fn *write, const void *context);
void path_call_fail(struct path_call *p, const struct failure *why);
void path_call_fail_memory(struct tool_call *call);
void path_call_fail_cancelled(struct path_call *p);

#define PATH_CALL_TARGET_PARAM                                                                     \
    {                                                                                              \
        .name = "target", .description = "'host:/path'; relative ones start at the login.",        \
        .type = TOOL_STRING, .required = true,                                                     \
        .length_max = TARGET_HOST_MAX + TARGET_PATH_MAX + 1024,                                    \
    }

#endif
