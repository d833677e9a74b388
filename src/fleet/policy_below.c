/* What a recursive reader has to leave out below a directory, as base names.
 *
 * For the read deny-list a name may leave out more than the pattern means, never less: of the
 * components that a match still needs below the directory, one has to be there by its base name,
 * and it is left out with all that is below it. A rule of the configuration is not stretched like
 * that: it is a base name, or the reader is refused. */
#include "policy_rule.h"

struct below {
    const struct policy *p;
    struct policy_question *q;
    const char **globs;
    size_t count;
};

/* As the commands of the table take them. */
static bool is_exclusion(struct slice name)
{
    return name.len > 0 && !memchr(name.data, '\\', name.len) &&
           !memchr(name.data, ' ', name.len) && !memchr(name.data, '\t', name.len) &&
           !memchr(name.data, '{', name.len) && !memchr(name.data, '}', name.len) &&
           !memchr(name.data, '\n', name.len);
}

static bool leave_out(struct below *b, struct slice name)
{
    const char *glob = (const char *)name.data;
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->globs[i], glob) == 0)
            return true;
    if (b->count == POLICY_BELOW_MAX)
        return false;
    b->globs[b->count++] = glob;
    return true;
}

/* How well a component tells secrets from other files: hidden folders first, then long names. */
static size_t telling(struct slice component)
{
    size_t literal = is_exclusion(component) ? glob_word_literal(component) : 0;
    return literal + (literal && component.data[0] == '.' ? POLICY_PATTERN_MAX : 0);
}

/* For each way in which a match can go on below the directory, one name. */
static bool leave_out_secret(struct below *b, const struct glob_path *g)
{
    uint64_t states = glob_path_states(g, &b->q->path);
    if (states >> g->count & 1)
        return false;
    for (size_t i = 0; i < g->count; i++) {
        size_t best = 0, most = 0;
        if (!(states >> i & 1))
            continue;
        for (size_t k = i; k < g->count; k++)
            if (telling(g->components[k]) > most) {
                most = telling(g->components[k]);
                best = k;
            }
        if (most == 0 || !leave_out(b, g->components[best]))
            return false;
    }
    return true;
}

enum reach { REACH_NONE, REACH_NAMES, REACH_SOME, REACH_ALL };

/* How a path's pattern of a rule reaches below the directory. */
static enum reach reach_of(const struct glob_path *g, const struct glob_parts *directory)
{
    uint64_t states = glob_path_states(g, directory);
    if (states >> g->count & 1)
        return REACH_ALL;
    if (!states)
        return REACH_NONE;
    bool name = g->count == 2 && glob_is_any(g->components[0]) && is_exclusion(g->components[1]) &&
                glob_word_literal(g->components[1]) > 0;
    return name ? REACH_NAMES : REACH_SOME;
}

static int refuse(const struct below *b, const struct rule *rule, const struct glob_path *pattern,
                  struct failure *why)
{
    struct slice path = b->q->request->path;
    return failure_set(why, SCOUT_E_POLICY,
                       "Policy: something below %.*s is %s by the rule \"%s\"%s%.100s%s, and the "
                       "command cannot leave it out. Search a directory beside it",
                       (int)(path.len > 160 ? 160 : path.len), (const char *)path.data,
                       rule->effect == POLICY_DENY ? "denied" : "for a person to confirm",
                       rule->name, pattern ? ", path \"" : "", pattern ? pattern->text : "",
                       pattern ? "\"" : "");
}

/* 1: the rule decides all that is left; 0: it does not; or a refusal. */
static int apply(struct below *b, const struct rule *rule, struct failure *why)
{
    bool hidden = false;
    enum policy_match match = policy_rule_match_but_path(rule, b->q, &hidden);
    if (match == MATCH_NO)
        return 0;
    if (rule->paths.count == 0 && rule->effect == POLICY_DENY)
        return refuse(b, rule, NULL, why);
    if (rule->paths.count == 0)
        return match == MATCH_YES;
    for (size_t i = 0; i < rule->paths.count; i++) {
        const struct glob_path *g = rule->paths.items[i];
        enum reach reach = reach_of(g, &b->q->path);
        if (reach == REACH_ALL && rule->effect != POLICY_DENY && match == MATCH_YES)
            return 1; /* policy_check has decided */
        if (rule->effect == POLICY_ALLOW || reach == REACH_NONE)
            continue;
        bool by_name = reach == REACH_NAMES && !b->q->request->names_only;
        if (!by_name || !leave_out(b, g->components[1]))
            return refuse(b, rule, g, why);
    }
    return 0;
}

int policy_below(const struct policy *p, const struct policy_request *request, const char **globs,
                 size_t *count, struct failure *why)
{
    struct policy_question q;
    struct below b = {.p = p, .q = &q, .globs = globs};
    policy_question_init(&q, request);
    if (q.place != PLACE_KNOWN)
        return failure_set(why, SCOUT_E_POLICY, "Policy: the directory's real path is not known");
    for (size_t i = 0; !request->names_only && i < p->denied.count; i++)
        if (!leave_out_secret(&b, p->denied.items[i]))
            return failure_set(
                why, SCOUT_E_POLICY,
                "Policy: below %.*s the %sread deny-list holds, pattern \"%.100s\", and "
                "the command cannot leave that out by names",
                (int)(request->path.len > 160 ? 160 : request->path.len),
                (const char *)request->path.data, p->denied_is_default ? "default " : "",
                p->denied.items[i]->text);
    int result = 0;
    for (size_t i = 0; i < p->rule_count && result == 0; i++)
        result = apply(&b, p->rules[i], why);
    if (result >= 0)
        *count = b.count;
    return result < 0 ? result : 0;
}
