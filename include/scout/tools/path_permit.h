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

/* Whether `below`, a path below the directory whose real path is `root`, may be read: for what is
 * only shown. No person is asked; what the call is about does not change. `scratch` has room for a
 * path. */
bool path_may_read_below(struct tool_call *call, const struct target *target, struct slice root,
                         struct slice below, struct buf *scratch);

#endif
