/* What policy says about a target's path: once before any contact, once for the real path. */
#include "scout/tools/path_permit.h"

struct slice path_permit_asked(const struct target *t)
{
    const char *path = t->path;
    if (path[0] != '/')
        return slice_of("", 0);
    return slice_str(path[1] == '/' ? path + 1 : path); /* `//` is `/` on every host we know */
}

static int check_asked(struct tool_call *call, enum policy_verb verb, const struct target *t,
                       struct failure *why)
{
    struct policy_request request = {.verb = verb,
                                     .host = t->host,
                                     .path = path_permit_asked(t),
                                     .asked = slice_str(t->path),
                                     .early = true};
    return tool_call_permit(call, &request, why);
}

int path_permit_early(struct tool_call *call, uint32_t verbs, const struct target *t,
                      struct failure *why)
{
    struct failure other;
    bool refused = false;
    for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
        if (!(verbs & POLICY_BIT(verb)))
            continue;
        if (check_asked(call, (enum policy_verb)verb, t, refused ? &other : why) == 0)
            return 0;
        refused = true;
    }
    return SCOUT_E_POLICY;
}

int path_permit(struct tool_call *call, enum policy_verb verb, const struct target *t,
                struct slice real_path, struct failure *why)
{
    struct policy_request request = {.verb = verb,
                                     .host = t->host,
                                     .path = real_path,
                                     .asked = slice_str(t->path),
                                     .path_settled = true};
    int error = check_asked(call, verb, t, why);
    return error ? error : tool_call_permit(call, &request, why);
}

bool path_may_read(struct tool_call *call, const struct target *t, struct slice real_path,
                   const char **rule)
{
    struct policy_request request = {.verb = POLICY_READ,
                                     .host = t->host,
                                     .path = real_path,
                                     .path_settled = true,
                                     .wants = rule};
    *rule = NULL;
    return tool_call_may(call, &request);
}

bool path_may_read_below(struct tool_call *call, const struct target *t, struct slice root,
                         struct slice below, const char *given, struct buf *scratch)
{
    const char *rule;
    buf_clear(scratch);
    int error = buf_append(scratch, root);
    if (!error && root.len > 0 && root.data[root.len - 1] != '/')
        error = buf_append_str(scratch, "/");
    if (!error && root.len > 0)
        error = buf_append(scratch, below);
    return !error && path_may_read(call, t, buf_peek(scratch), &rule) &&
           (!rule || (given && strcmp(rule, given) == 0));
}

int path_permit_write(struct tool_call *call, const struct target *t, struct slice real_path,
                      struct slice input, const char **wants, struct failure *why)
{
    struct policy_request request = {.verb = POLICY_WRITE,
                                     .host = t->host,
                                     .path = real_path,
                                     .asked = slice_str(t->path),
                                     .path_settled = true,
                                     .input = input,
                                     .wants = wants};
    int error = check_asked(call, POLICY_WRITE, t, why);
    return error ? error : tool_call_permit(call, &request, why);
}

bool path_may_show(struct tool_call *call, const struct target *t, struct slice real_path)
{
    struct policy_request asked = {
        .verb = POLICY_READ, .host = t->host, .path = path_permit_asked(t), .early = true};
    struct policy_request real = {.verb = POLICY_READ,
                                  .host = t->host,
                                  .path = real_path,
                                  .path_settled = true,
                                  .unattended = true};
    return tool_call_may(call, &asked) && tool_call_may(call, &real);
}

int path_permit_below(struct tool_call *call, enum policy_verb verb, const struct target *t,
                      struct slice real_path, struct failure *why)
{
    struct policy_request request = {
        .verb = verb, .host = t->host, .path = real_path, .path_settled = true, .unattended = true};
    return tool_call_permit(call, &request, why);
}
