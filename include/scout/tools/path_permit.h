/* What policy says about a target's path, in two steps. For tools. */
#ifndef SCOUT_TOOLS_PATH_PERMIT_H
#define SCOUT_TOOLS_PATH_PERMIT_H

#include "scout/fleet/target.h"
#include "scout/tools/tool.h"

/* The path as it was asked for, where it is absolute; a relative one says nothing before the host
 * resolved it: "". */
struct slice path_permit_asked(const struct target *target);

/* Before the host is contacted: 0 when at least one of `verbs` (POLICY_BIT) could pass, as far as
 * the path tells; else SCOUT_E_POLICY with *why. */
__attribute__((warn_unused_result)) int path_permit_early(struct tool_call *call, uint32_t verbs,
                                                          const struct target *target,
                                                          struct failure *why);

/* When the real path is known (empty: the host does not tell it): both the path as it was asked for
 * and the real one have to pass. */
__attribute__((warn_unused_result)) int path_permit(struct tool_call *call, enum policy_verb verb,
                                                    const struct target *target,
                                                    struct slice real_path, struct failure *why);

/* The same for a change of what is there, `input` being what a person is shown of it. With `wants`
 * no person is asked: it becomes the name of the rule that wants their word, or stays as it is. */
__attribute__((warn_unused_result)) int
path_permit_write(struct tool_call *call, const struct target *target, struct slice real_path,
                  struct slice input, const char **wants, struct failure *why);

/* Whether the content may be shown without asking anybody; what the call is about does not change.
 */
bool path_may_show(struct tool_call *call, const struct target *target, struct slice real_path);

/* For a directory below one that was permitted: no person is asked. */
__attribute__((warn_unused_result)) int
path_permit_below(struct tool_call *call, enum policy_verb verb, const struct target *target,
                  struct slice real_path, struct failure *why);

/* Whether a path may be read, for what is only shown: no person is asked, and what the call is
 * about does not change. `*rule` becomes the rule that wants a person's word for it, or NULL. */
bool path_may_read(struct tool_call *call, const struct target *target, struct slice real_path,
                   const char **rule);

/* The same for `below`, a path below the directory whose real path is `root`. What a person has to
 * allow counts as allowed where the rule is `given`, for which it was said of the directory (NULL:
 * nothing was). `scratch` has room for a path. */
bool path_may_read_below(struct tool_call *call, const struct target *target, struct slice root,
                         struct slice below, const char *given, struct buf *scratch);

#endif
