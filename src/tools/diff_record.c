/* Policy is asked about each file by itself, and of two reads a record would have one. So it has
 * the words of the comparison beside a path. */
#include "diff_record.h"

#include <stdio.h>
#include <string.h>

static const char *name_of(struct tool_call *call, const struct target *t)
{
    size_t size = strlen(t->host) + strlen(t->path) + 2;
    char *name = arena_alloc(&call->arena, size);
    if (name)
        snprintf(name, size, "%s:%s", t->host, t->path);
    return name;
}

bool diff_put_on_record(struct tool_call *call, const struct target *first, struct slice real_path,
                        const struct target *second)
{
    const char *argv[] = {"diff", name_of(call, first), name_of(call, second)};
    const struct policy_request request = {
        .verb = POLICY_READ,
        .host = first->host,
        .path = real_path,
        .asked = slice_str(first->path),
        .path_settled = true,
        .argv = argv,
        .argc = 3,
    };
    if (!argv[1] || !argv[2])
        return false;
    tool_call_about(call, &request);
    return true;
}
