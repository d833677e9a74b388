/* Which hosts a caller gets to see. Many are summed up by group, since nobody reads ten thousand
 * rows. */
#include "scout/tools/host_list.h"

#include "scout/tools/scout_tool.h"

bool tool_host_allows(struct tool_call *call, const char *name, uint32_t verbs)
{
    struct policy_request request = {.host = name, .early = true};
    for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
        request.verb = (enum policy_verb)verb;
        if (verbs & POLICY_BIT(verb) && tool_call_may(call, &request))
            return true;
    }
    return false;
}

bool tool_host_is_visible(struct tool_call *call, const char *name)
{
    return tool_host_allows(call, name,
                            (POLICY_LOOKS | POLICY_EFFECTS) & ~(uint32_t)POLICY_BIT(POLICY_HOSTS));
}

static bool select_hosts(struct host_list *h, struct tool_call *call, const struct target *patterns)
{
    const char *const *all;
    size_t known = fleet_names(h->fleet, &all);
    const char **names = arena_alloc(&call->arena, (known + 1) * sizeof *names);
    if (!names)
        return false;
    for (size_t i = 0; i < known; i++)
        if (target_has_host(patterns, all[i]) && tool_host_is_visible(call, all[i]))
            names[h->count++] = all[i];
    h->names = names;
    return true;
}

static bool any_has(const struct host_list *h, struct slice pattern)
{
    for (size_t i = 0; i < h->count; i++)
        if (target_pattern_has(pattern, h->names[i]))
            return true;
    return false;
}

/* Asked of the hosts that are shown alone: of one that is hidden nothing is told. */
static bool find_unmatched(struct host_list *h, struct tool_call *call,
                           const struct target *patterns)
{
    struct slice pattern, *unmatched;
    size_t count = 0;
    for (size_t at = 0; target_next_pattern(patterns, &at, &pattern);)
        count++;
    unmatched = arena_alloc(&call->arena, (count + 1) * sizeof *unmatched);
    if (!unmatched)
        return false;
    for (size_t at = 0; target_next_pattern(patterns, &at, &pattern);)
        if (!any_has(h, pattern))
            unmatched[h->unmatched_count++] = pattern;
    h->unmatched = unmatched;
    return true;
}

/* Groups in the place of the names; false without memory. */
static bool sum_up(struct host_list *h, struct tool_call *call)
{
    struct host_group *groups = arena_alloc(&call->arena, SCOUT_HOST_GROUPS_MAX * sizeof *groups);
    long count = groups ? host_groups(h->names, h->count, groups, SCOUT_HOST_GROUPS_MAX) : -1;
    if (count < 0)
        return false;
    h->names = NULL;
    h->groups = groups;
    h->group_count = (size_t)count;
    h->groups_shown =
        h->group_count < SCOUT_HOST_GROUPS_MAX ? h->group_count : SCOUT_HOST_GROUPS_MAX;
    return true;
}

int host_list_make(struct host_list *h, struct tool_call *call, const struct target *patterns,
                   size_t rows_max)
{
    *h = (struct host_list){.fleet = call->view->env->fleet, .patterns = patterns->path};
    bool made = select_hosts(h, call, patterns) && find_unmatched(h, call, patterns) &&
                (h->count <= rows_max || sum_up(h, call));
    return made ? 0 : SCOUT_E_NOMEM;
}
