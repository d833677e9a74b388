/* One rule against one request. What is not known yet makes a `maybe`, except where a pattern takes
 * everything. A list that the verb has nothing for never matches: `paths` says nothing of a run. */
#include "policy_rule.h"
#include "scout/ssh/pattern.h"

static bool has_path(enum policy_verb verb)
{
    return verb != POLICY_HOSTS && verb != POLICY_RUN;
}

static bool is_real(struct slice path)
{
    struct slice component;
    if (path.len == 0 || path.data[0] != '/')
        return false;
    for (size_t at = 0; glob_path_next(path, &at, &component);)
        if (slice_is(component, ".."))
            return false;
    return true;
}

static enum policy_place place_of(const struct policy_request *request)
{
    if (!has_path(request->verb) || (request->no_path && request->path.len == 0))
        return PLACE_NONE;
    if (request->path.len > POLICY_PATH_MAX)
        return PLACE_UNTOLD;
    if (is_real(request->path))
        return PLACE_KNOWN;
    return request->path_settled ? PLACE_UNTOLD : PLACE_UNKNOWN;
}

void policy_question_init(struct policy_question *q, const struct policy_request *request)
{
    q->request = request;
    q->place = place_of(request);
    if (q->place == PLACE_KNOWN)
        glob_split(&q->path, request->path);
    command_init(&q->command, request->argv, request->argc, request->line,
                 request->verb == POLICY_RUN);
}

static bool has_command(enum policy_verb verb)
{
    return verb == POLICY_QUERY || verb == POLICY_RUN;
}

static bool command_is_known(const struct policy_request *request)
{
    return request->argv || request->line.len > 0;
}

bool policy_question_is_open(const struct policy_question *q)
{
    enum policy_verb verb = q->request->verb;
    return q->request->early || q->place == PLACE_UNKNOWN ||
           (verb != POLICY_HOSTS && !q->request->host) ||
           (has_command(verb) && !command_is_known(q->request));
}

/* ---- lists ---- */

static bool names_match(const struct policy_names *names, const char *name, enum pattern_case fold)
{
    bool matched = false;
    for (size_t i = 0; i < names->count; i++) {
        const char *item = names->items[i];
        if (item[0] == '!' && pattern_match(slice_str(item + 1), slice_str(name), fold))
            return false;
        matched =
            matched || (item[0] != '!' && pattern_match(slice_str(item), slice_str(name), fold));
    }
    return matched;
}

static enum policy_match match_host(const struct rule *r, const struct policy_request *request)
{
    bool all = r->hosts.count == 1 && strcmp(r->hosts.items[0], "*") == 0;
    if (r->hosts.count == 0)
        return MATCH_YES;
    if (request->verb == POLICY_HOSTS)
        return MATCH_NO;
    if (!request->host)
        return all ? MATCH_YES : MATCH_MAYBE;
    return names_match(&r->hosts, request->host, PATTERN_FOLD) ? MATCH_YES : MATCH_NO;
}

static enum policy_match match_path(const struct rule *r, const struct policy_question *q)
{
    if (r->paths.count == 0)
        return MATCH_YES;
    if (q->place == PLACE_NONE)
        return MATCH_NO;
    for (size_t i = 0; i < r->paths.count; i++)
        if (r->paths.items[i]->count == 0 ||
            (q->place == PLACE_KNOWN && glob_path_match(r->paths.items[i], &q->path, true)))
            return MATCH_YES;
    if (q->place == PLACE_UNTOLD)
        return r->effect == POLICY_ALLOW ? MATCH_NO : MATCH_YES;
    return q->place == PLACE_KNOWN ? MATCH_NO : MATCH_MAYBE;
}

static enum policy_match match_command(const struct rule *r, struct policy_question *q,
                                       bool *hidden)
{
    bool known = command_is_known(q->request);
    if (r->commands.count == 0)
        return MATCH_YES;
    if (!has_command(q->request->verb))
        return MATCH_NO;
    for (size_t i = 0; i < r->commands.count; i++) {
        const struct command_pattern *pattern = r->commands.items[i];
        if (r->effect == POLICY_ALLOW ? known && command_is(&q->command, pattern)
            : known                   ? command_may_be(&q->command, pattern, hidden)
                                      : pattern->count == 0 && pattern->rest)
            return MATCH_YES;
    }
    return known ? MATCH_NO : MATCH_MAYBE;
}

/* A rule that names the verb is about it; one that is only kin (policy_rule.c) is about the way in
 * which its own verb goes. */
static bool has_verb(const struct rule *r, const struct policy_request *request)
{
    enum policy_verb kin = request->way == POLICY_FROM_HOST ? POLICY_READ : POLICY_WRITE;
    if (!(r->verbs & POLICY_BIT(request->verb)))
        return false;
    if (request->verb != POLICY_TRANSFER || request->way == POLICY_EITHER_WAY || !r->written)
        return true;
    return r->written & (POLICY_BIT(POLICY_TRANSFER) | POLICY_BIT(kin));
}

enum policy_match policy_rule_match_but_path(const struct rule *r, struct policy_question *q,
                                             bool *hidden)
{
    const struct policy_request *request = q->request;
    if (!has_verb(r, request) ||
        (r->identities.count > 0 &&
         !names_match(&r->identities, request->identity->name, PATTERN_EXACT)))
        return MATCH_NO;
    enum policy_match host = match_host(r, request);
    enum policy_match command = host == MATCH_NO ? MATCH_NO : match_command(r, q, hidden);
    return command < host ? command : host;
}

enum policy_match policy_rule_match(const struct rule *r, struct policy_question *q, bool *hidden)
{
    enum policy_match path = match_path(r, q);
    enum policy_match rest = path == MATCH_NO ? MATCH_NO : policy_rule_match_but_path(r, q, hidden);
    return rest < path ? rest : path;
}

/* ---- shadows ---- */

/* Whether `wide` has all that `narrow` has, by the letter. */
static bool names_cover(const struct policy_names *wide, const struct policy_names *narrow)
{
    bool covers = wide->count == 0;
    for (size_t i = 0; i < wide->count && !covers; i++)
        if (wide->items[i][0] == '!')
            return false;
    for (size_t n = 0; n < narrow->count && !covers; n++) {
        bool found = narrow->items[n][0] == '!';
        for (size_t i = 0; i < wide->count && !found; i++)
            found =
                strcmp(wide->items[i], narrow->items[n]) == 0 || strcmp(wide->items[i], "*") == 0;
        if (!found)
            return false;
        covers = n + 1 == narrow->count;
    }
    return covers;
}

static bool paths_cover(const struct policy_paths *wide, const struct policy_paths *narrow)
{
    for (size_t n = 0; n < narrow->count; n++) {
        bool found = wide->count == 0;
        for (size_t i = 0; i < wide->count && !found; i++)
            found = wide->items[i]->count == 0 ||
                    strcmp(wide->items[i]->text, narrow->items[n]->text) == 0;
        if (!found)
            return false;
    }
    return wide->count == 0 || narrow->count > 0;
}

static bool commands_cover(const struct policy_commands *wide, const struct policy_commands *narrow)
{
    for (size_t n = 0; n < narrow->count; n++) {
        bool found = wide->count == 0;
        for (size_t i = 0; i < wide->count && !found; i++)
            found = strcmp(wide->items[i]->text, narrow->items[n]->text) == 0;
        if (!found)
            return false;
    }
    return wide->count == 0 || narrow->count > 0;
}

bool policy_rule_shadows(const struct rule *first, const struct rule *then)
{
    return names_cover(&first->hosts, &then->hosts) && paths_cover(&first->paths, &then->paths) &&
           commands_cover(&first->commands, &then->commands);
}

/* ---- the read deny-list ---- */

const struct glob_path *policy_denied(const struct policy *p, const struct policy_question *q)
{
    const struct policy_request *request = q->request;
    const struct glob_path *found = NULL;
    if (q->place == PLACE_NONE || request->names_only || request->verb == POLICY_STAT ||
        request->verb == POLICY_LIST)
        return NULL;
    for (size_t i = 0; i < p->denied.count && !found; i++)
        if (p->denied.items[i]->count == 0 || q->place == PLACE_UNTOLD ||
            (q->place == PLACE_KNOWN && glob_path_match(p->denied.items[i], &q->path, true)))
            found = p->denied.items[i];
    if (found && q->place == PLACE_UNKNOWN)
        return p->excepted.count ? NULL : found;
    for (size_t i = 0; i < p->excepted.count && found && q->place == PLACE_KNOWN; i++)
        if (glob_path_match(p->excepted.items[i], &q->path, false))
            found = NULL;
    return found;
}
