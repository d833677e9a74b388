/* The decision: the read deny-list, then the rules in order, then the role.
 *
 * One function walks the rules, for a request of which all is known and for one of which little is:
 * then a rule may match or not, and what may pass passes. Listing asks it with nothing known, so it
 * cannot hide what a decision would allow. */
#include "policy_rule.h"

#include <stdio.h>

static const char *const names[POLICY_VERB_COUNT] = {
    [POLICY_HOSTS] = "hosts", [POLICY_STAT] = "stat",         [POLICY_LIST] = "list",
    [POLICY_READ] = "read",   [POLICY_QUERY] = "query",       [POLICY_RUN] = "run",
    [POLICY_WRITE] = "write", [POLICY_TRANSFER] = "transfer",
};

const char *policy_verb_name(enum policy_verb verb)
{
    return names[verb];
}

int policy_verb_parse(const char *name)
{
    for (int i = 0; i < POLICY_VERB_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

/* ---- the walk ---- */

struct verdict {
    enum policy_effect effect;
    const struct rule *rule; /* NULL: the role */
    bool hidden;             /* the command cannot be told */
};

static bool is_shadowed(const struct rule *const *maybe, size_t count, const struct rule *rule)
{
    for (size_t i = 0; i < count; i++)
        if (policy_rule_shadows(maybe[i], rule))
            return true;
    return false;
}

static struct verdict decide(const struct policy *p, struct policy_question *q)
{
    const struct rule *refusing[POLICY_RULES_MAX]; /* that may match */
    size_t refusing_count = 0;
    for (size_t i = 0; i < p->rule_count; i++) {
        const struct rule *rule = p->rules[i];
        bool hidden = false;
        enum policy_match match = policy_rule_match(rule, q, &hidden);
        if (match == MATCH_NO)
            continue;
        if (rule->effect == POLICY_DENY && match == MATCH_MAYBE)
            refusing[refusing_count++] = rule;
        else if (rule->effect == POLICY_DENY || !is_shadowed(refusing, refusing_count, rule))
            return (struct verdict){rule->effect, rule, hidden};
    }
    bool may =
        POLICY_BIT(q->request->verb) & POLICY_LOOKS || q->request->identity->role == ROLE_OPERATOR;
    return (struct verdict){.effect = may ? POLICY_ALLOW : POLICY_DENY};
}

/* ---- what is said ---- */

#define ACT_SIZE   384
#define SCOPE_SIZE 64

/* "read /etc/hosts on web1" */
static const char *act_of(const struct policy_question *q, char text[ACT_SIZE])
{
    const struct policy_request *r = q->request;
    struct slice path = q->place == PLACE_KNOWN ? r->path : slice_str("");
    snprintf(text, ACT_SIZE, "%s%s%.*s%s%.80s", names[r->verb], path.len ? " " : "",
             (int)(path.len > 160 ? 160 : path.len), (const char *)path.data, r->host ? " on " : "",
             r->host ? r->host : "");
    return text;
}

static int refuse_untold(const struct policy_question *q, struct failure *why)
{
    char act[ACT_SIZE];
    return failure_set(
        why, SCOUT_E_POLICY,
        "Policy: the host does not tell the real path for %s, and whether that is allowed "
        "depends on it",
        act_of(q, act));
}

/* `certain hosts and paths`, or `all`. */
static const char *scope_of(const struct rule *r, char out[SCOPE_SIZE])
{
    const char *const names_of[] = {
        r->identities.count ? "callers" : NULL,
        r->hosts.count ? "hosts" : NULL,
        r->paths.count ? "paths" : NULL,
        r->commands.count ? "commands" : NULL,
    };
    size_t len = 0;
    for (size_t i = 0; i < sizeof names_of / sizeof names_of[0]; i++)
        if (names_of[i])
            len += (size_t)snprintf(out + len, SCOPE_SIZE - len, "%s %s", len ? " and" : "certain",
                                    names_of[i]);
    return len ? out : "all";
}

static int refuse_by_rule(const struct policy_question *q, const struct verdict *v,
                          struct failure *why)
{
    char act[ACT_SIZE], scope[SCOPE_SIZE];
    const struct rule *r = v->rule;
    if (q->place == PLACE_UNTOLD && r->paths.count)
        return refuse_untold(q, why);
    if (v->hidden)
        return failure_set(
            why, SCOUT_E_POLICY,
            "Policy: the rule \"%s\" may mean %s: which commands that runs cannot be "
            "told. A single command without a shell, variables and patterns may pass",
            r->name, act_of(q, act));
    return failure_set(why, SCOUT_E_POLICY,
                       "Policy: the rule \"%s\" denies %s. It is for %s; a person can change it in "
                       "the configuration",
                       r->name, act_of(q, act), scope_of(r, scope));
}

static int refuse_by_role(const struct policy_question *q, struct failure *why)
{
    char act[ACT_SIZE];
    const char *verb = names[q->request->verb];
    return failure_set(
        why, SCOUT_E_POLICY,
        "Policy: the role reader may not %s, and no rule allows it. The role operator "
        "may (role = operator in the configuration, or SCOUT_ROLE), or a rule with "
        "effect = allow and verbs = {%s}",
        act_of(q, act), verb);
}

static int refuse_by_list(const struct policy *p, const struct policy_question *q,
                          const struct glob_path *pattern, struct failure *why)
{
    char act[ACT_SIZE];
    return failure_set(
        why, SCOUT_E_POLICY,
        "Policy: the %sread deny-list holds for %s, pattern \"%.100s\". A person can "
        "replace the list (read_deny in the configuration)",
        p->denied_is_default ? "default " : "", act_of(q, act), pattern->text);
}

/* ---- asking for a person's word ---- */

int policy_confirm(const struct policy_request *r, const char *rule, struct failure *why)
{
    const struct confirmation_act act = {
        .identity = r->identity,
        .rule = rule,
        .verb = r->verb,
        .host = r->host,
        .path = r->path,
        .argv = r->argv,
        .argc = r->argv ? r->argc : 0,
        .line = r->argv ? slice_str("") : r->line,
        .directory = r->directory,
        .input = r->input,
    };
    if (!r->confirmations)
        return failure_set(
            why, SCOUT_E_CONFIRMATION,
            "Policy: the rule \"%s\" wants a person's word, which cannot be given here", rule);
    return confirmations_ask(r->confirmations, &act, r->call, r->now_ns, why);
}

static int confirm(const struct policy_question *q, const char *rule, struct failure *why)
{
    struct policy_request known = *q->request;
    if (q->place == PLACE_UNTOLD)
        return refuse_untold(q, why);
    if (known.wants) {
        *known.wants = rule;
        return 0;
    }
    if (q->place != PLACE_KNOWN)
        known.path.len = 0;
    return policy_confirm(&known, rule, why);
}

int policy_check(const struct policy *p, const struct policy_request *request, struct failure *why)
{
    struct policy_question q;
    policy_question_init(&q, request);
    if (request->path.len > POLICY_PATH_MAX)
        return failure_set(why, SCOUT_E_POLICY,
                           "Policy: a path of more than %d bytes is not decided on",
                           POLICY_PATH_MAX);
    const struct glob_path *denied = policy_denied(p, &q);
    if (denied && q.place == PLACE_UNTOLD)
        return refuse_untold(&q, why);
    if (denied)
        return refuse_by_list(p, &q, denied, why);
    struct verdict v = decide(p, &q);
    if (v.effect == POLICY_DENY)
        return v.rule ? refuse_by_rule(&q, &v, why) : refuse_by_role(&q, why);
    if (v.effect == POLICY_CONFIRM && !policy_question_is_open(&q))
        return confirm(&q, v.rule->name, why);
    return 0;
}

/* ---- what could be ---- */

static bool could(const struct policy *p, const struct policy_request *request)
{
    struct policy_question q;
    policy_question_init(&q, request);
    return !policy_denied(p, &q) && decide(p, &q).effect != POLICY_DENY;
}

uint32_t policy_possible(const struct policy *p, const struct identity *identity, uint32_t verbs)
{
    uint32_t possible = 0;
    for (int verb = 0; verb < POLICY_VERB_COUNT; verb++) {
        struct policy_request request = {
            .identity = identity, .verb = (enum policy_verb)verb, .no_path = verb == POLICY_QUERY};
        if (!(verbs & POLICY_BIT(verb)))
            continue;
        request.way = POLICY_FROM_HOST;
        bool may = could(p, &request);
        if (verb == POLICY_TRANSFER && !may) {
            request.way = POLICY_TO_HOST;
            may = could(p, &request);
        }
        if (verb == POLICY_QUERY && !may) {
            request.no_path = false;
            request.names_only = true;
            may = could(p, &request);
        }
        possible |= may ? POLICY_BIT(verb) : 0;
    }
    return possible;
}
